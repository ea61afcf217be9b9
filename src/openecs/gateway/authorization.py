"""Whether the caller may: what an operation asks, judged by the policies of whoever calls.

It comes before any look at whether things exist, so that who may not is told nothing. The root
user needs no policy; ``GetCallerIdentity`` needs none either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openecs.api.base import Access, Asked, Call, Caller, Members, Service
from openecs.api.iam import judging, principals
from openecs.gateway.catalog import Target
from openecs.gateway.exchange import Request
from openecs.gateway.refusal import Reason, Refused
from openecs.store.base import Store

#: IAM's prefixes of actions, where they are not the name a request is signed for.
_PREFIXES = {"monitoring": "cloudwatch"}
_FREE = {"sts:GetCallerIdentity"}


class Authorization:
    """Judges by the policies in the store."""

    def __init__(self, store: Store, services: Sequence[Service]) -> None:
        self._store = store
        self._access: Mapping[tuple[str, str], Access] = {
            (service.name, name): access
            for service in services
            for name, access in service.access.items()
        }
        self._guarded = {each.name for each in services if each.has_resource_policies}

    async def __call__(
        self, call: Call, target: Target, request: Request, members: Members
    ) -> None:
        """Raise ``Refused`` unless the caller may do the operation with these members."""
        action = _action(target)
        if action in _FREE:
            return
        if is_root(call.caller) and target.service.name not in self._guarded:
            return
        access = self._access.get((target.service.name, target.name), _unknown_resource(action))
        circumstances = _circumstances(call, request)
        refused = await self._store.read(
            lambda view: judging.refusal(
                principals.known(view, call.caller), access(view, call, members), circumstances
            )
        )
        if refused is not None:
            raise Refused(Reason.ACCESS_DENIED, refused)


def is_root(caller: Caller) -> bool:
    """Whether the account itself calls."""
    return caller.arn.endswith(":root")


def _action(target: Target) -> str:
    signing_name = target.service.known.signing_name
    return f"{_PREFIXES.get(signing_name, signing_name)}:{target.name}"


def _unknown_resource(action: str) -> Access:
    return lambda _view, _call, _members: (Asked(action=action),)


def _circumstances(call: Call, request: Request) -> Mapping[str, tuple[str, ...]]:
    """The global condition keys that are of the request and not of who makes it."""
    told = {
        **judging.circumstances(call.now, call.scope.region),
        "aws:securetransport": (str(request.is_secure).lower(),),
        "aws:sourceip": (request.client,) if request.client else (),
    }
    for key, header in (("aws:useragent", "user-agent"), ("aws:referer", "referer")):
        if header in request.headers:
            told[key] = (request.headers[header],)
    return told
