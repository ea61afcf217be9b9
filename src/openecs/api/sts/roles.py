"""Temporary credentials: of roles that are assumed, of users and the root user.

IAM User Guide, "Temporary security credentials in IAM".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from openecs.api.access import request_tags
from openecs.api.base import Access, Asked, Call, Members, Operation, ServiceError, Writes
from openecs.api.iam import documents, managed, names, principals, service_roles
from openecs.api.iam.access_keys import new_secret
from openecs.decide.access.evaluation import PolicyKind
from openecs.model.iam import Role, Session
from openecs.model.identity import Scope
from openecs.store.base import Transaction, View
from openecs.store.iam import SESSIONS, iam_scope

#: Seconds: the longest session of a role that a session of a role has assumed.
_CHAINED = 3600
_SESSION_TOKEN = 43_200
#: Characters of all session policies; ``PackedPolicySize`` is a percentage of it.
_PACKED = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a session is of: the ARN and unique id it speaks for, and what limits it."""

    arn: str
    user_id: str
    role: str | None = None
    user: str | None = None
    policies: tuple[str, ...] | None = None
    tags: dict[str, str] = field(default_factory=dict)


def start_session(
    tx: Transaction, call: Call, scope: Scope, grant: Grant, duration: timedelta
) -> Session:
    """Credentials that end by themselves, durable with the transaction."""
    made = Session(
        scope=scope,
        id=names.access_key_id(call.ids, names.SESSION_KEY),
        secret=new_secret(call),
        token="".join(call.ids.hex32() for _ in range(8)),
        created_at=call.now,
        expires_at=call.now + duration,
        arn=grant.arn,
        user_id=grant.user_id,
        role=grant.role,
        user=grant.user,
        policies=grant.policies,
        tags=grant.tags,
    )
    tx.add(SESSIONS, made)
    return made


def assume_role(tx: Transaction, call: Call, request: Members) -> Members:
    """Credentials of a role, that the caller has been found to be trusted by."""
    role = service_roles.role(tx, request["RoleArn"])
    if call.caller.arn.endswith(":root"):
        raise ServiceError("AccessDenied", "Roles may not be assumed by root accounts.")
    if role is None:
        raise ServiceError("AccessDenied", _denied(call, request["RoleArn"]))
    name, tags = request["RoleSessionName"], _tags(request)
    limits = _session_policies(tx, role.scope.account, request)
    seconds = _duration(call, role, request)
    grant = Grant(
        arn=Scope(role.scope.account, "").arn("sts", f"assumed-role/{role.name}/{name}"),
        user_id=f"{role.id}:{name}",
        role=role.name,
        policies=limits,
        tags=tags,
    )
    made = start_session(tx, call, role.scope, grant, timedelta(seconds=seconds))
    return {
        "Credentials": _credentials(made),
        "AssumedRoleUser": {"AssumedRoleId": grant.user_id, "Arn": grant.arn},
        "PackedPolicySize": _packed(limits, tags),
        "SourceIdentity": request.get("SourceIdentity"),
    }


def get_session_token(tx: Transaction, call: Call, request: Members) -> Members:
    """Credentials of the user or root user who calls, that end by themselves."""
    caller = call.caller
    if caller.access_key_id.startswith(names.SESSION_KEY):
        message = "Cannot call GetSessionToken with session credentials"
        raise ServiceError("AccessDenied", message)
    is_root = caller.arn.endswith(":root")
    grant = Grant(
        arn=caller.arn,
        user_id=caller.user_id,
        user=None if is_root else caller.arn.rpartition("/")[2],
    )
    seconds = request.get("DurationSeconds") or _SESSION_TOKEN
    # Root's end within the hour, as AWS's do.
    duration = timedelta(seconds=min(seconds, _CHAINED) if is_root else seconds)
    made = start_session(tx, call, iam_scope(caller.account), grant, duration)
    return {"Credentials": _credentials(made)}


def _asks_to_assume(view: View, _: Call, request: Members) -> Iterator[Asked]:
    arn = request.get("RoleArn") or ""
    role = service_roles.role(view, arn)
    tags = [(tag.get("Key", ""), tag.get("Value", "")) for tag in request.get("Tags") or ()]
    context: dict[str, tuple[str, ...]] = {
        f"sts:{key.lower()}": (request[key],)
        for key in ("RoleSessionName", "ExternalId", "SourceIdentity")
        if request.get(key)
    }
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if tags else []
    actions += ["sts:SetSourceIdentity"] if request.get("SourceIdentity") else []
    for action in actions:
        yield Asked(
            action=action,
            resource=arn,
            context={**context, **request_tags(tags)},
            policy=principals.trusted(role) if role else None,
            policy_kind=PolicyKind.TRUST,
        )


OPERATIONS: dict[str, Operation] = {
    "AssumeRole": Writes(assume_role),
    "GetSessionToken": Writes(get_session_token),
}
ACCESS: dict[str, Access] = {
    "AssumeRole": _asks_to_assume,
    # Users need no permission for it.
    "GetSessionToken": lambda *_: (),
}


def _denied(call: Call, role_arn: str) -> str:
    return (
        f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: "
        f"{role_arn}"
    )


def _duration(call: Call, role: Role, request: Members) -> int:
    seconds: int = request.get("DurationSeconds") or 3600
    if seconds > role.max_session_duration:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    if ":assumed-role/" in call.caller.arn and seconds > _CHAINED:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by "
            "role chaining",
        )
    return seconds


def _session_policies(view: View, account: str, request: Members) -> tuple[str, ...] | None:
    """The documents that limit the session; None where the request has none."""
    texts = [documents.checked(request["Policy"])] if request.get("Policy") else []
    for named in request.get("PolicyArns") or ():
        found = managed.lookup(view, account, named.get("arn") or "")
        if found is None:
            raise ServiceError("MalformedPolicyDocument", f"Policy {named} was not found.")
        texts.append(found.document)
    return tuple(texts) or None


def _tags(request: Members) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags") or ()}


def _packed(policies: tuple[str, ...] | None, tags: dict[str, str]) -> int | None:
    """The percentage of what a session may carry; sessions that carry nothing tell none."""
    size = sum(map(len, policies or ())) + sum(len(k) + len(v) for k, v in tags.items())
    if size == 0:
        return None
    percent = -(-size * 100 // _PACKED)
    if percent > 100:
        raise ServiceError(
            "PackedPolicyTooLarge", f"Packed policy consumes {percent}% of allotted space."
        )
    return percent


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.id,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.expires_at,
    }
