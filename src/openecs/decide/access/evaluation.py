"""Whether a request is allowed, by all policies that apply to it.

IAM User Guide, "Policy evaluation logic". It fails closed: what cannot be judged denies in a
statement that denies, and does not allow in one that allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from openecs.decide.access.conditions import holds
from openecs.decide.access.patterns import Context, Wildcard, glob, matches
from openecs.model.identity import parse_arn
from openecs.model.policies import (
    AccessRequest,
    Effect,
    Listed,
    Policy,
    Principal,
    PrincipalKind,
    Principals,
    Statement,
)


class PolicyKind(StrEnum):
    """As messages name them."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    TRUST = "role trust policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What applies to a request.

    ``boundary`` and ``sessions`` None: there is none, so it limits nothing. ``resource`` is the
    policy of the resource; of sts:AssumeRole it is the role's trust policy, without which nobody
    may (``resource_kind`` ``TRUST``).
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    sessions: tuple[Policy, ...] | None = None
    resource: Policy | None = None
    resource_kind: PolicyKind = PolicyKind.RESOURCE


@dataclass(frozen=True, slots=True)
class Denial:
    """Which kind of policy stands in the way: by a statement that denies, or for want of one."""

    kind: PolicyKind
    explicit: bool

    def reason(self, action: str) -> str:
        """The end of AWS's message, from ``with`` or ``because`` on."""
        if self.explicit:
            article = "an" if self.kind is PolicyKind.IDENTITY else "a"
            return f"with an explicit deny in {article} {self.kind}"
        return f"because no {self.kind} allows the {action} action"


class _Named(StrEnum):
    """How a policy of a resource means somebody."""

    NOT = "not at all"
    #: The whole account: who of it may is left to its own policies.
    ACCOUNT = "account"
    #: Everybody, or the role of a session: boundaries and session policies still limit.
    ROLE = "role"
    #: This user or this session: that is enough.
    DIRECT = "direct"


def message(request: AccessRequest, denial: Denial) -> str:
    """AWS's text, that says who may not do what to what, and why."""
    on = f"on resource: {request.resource} " if request.resource is not None else ""
    return (
        f"User: {request.principal.arn} is not authorized to perform: {request.action} "
        f"{on}{denial.reason(request.action)}"
    )


def denied(request: AccessRequest, policies: Policies) -> Denial | None:
    """What denies the request; None where it is allowed."""
    explicit = _explicit_denial(request, policies)
    if explicit is not None:
        return explicit
    named = _named_by_resource(request, policies)
    if policies.resource_kind is PolicyKind.TRUST and named is _Named.NOT:
        return Denial(PolicyKind.TRUST, explicit=False)
    if request.is_of_other_account and named is _Named.NOT:
        return Denial(PolicyKind.RESOURCE, explicit=False)
    if request.principal.kind is PrincipalKind.ROOT or (
        named is _Named.DIRECT and not request.is_of_other_account
    ):
        return None
    return _missing_allowance(request, policies, named)


def _explicit_denial(request: AccessRequest, policies: Policies) -> Denial | None:
    kinds = (
        (PolicyKind.IDENTITY, policies.identity),
        (PolicyKind.BOUNDARY, (policies.boundary,) if policies.boundary else ()),
        (PolicyKind.SESSION, policies.sessions or ()),
    )
    for kind, of_kind in kinds:
        if any(_says(policy, Effect.DENY, request) for policy in of_kind):
            return Denial(kind, explicit=True)
    if policies.resource is not None and _resource_denies(policies.resource, request):
        return Denial(policies.resource_kind, explicit=True)
    return None


def _missing_allowance(request: AccessRequest, policies: Policies, named: _Named) -> Denial | None:
    """The first kind of policy that ought to allow and does not."""
    if not _allowed_by_identity(request, policies, named):
        return Denial(PolicyKind.IDENTITY, explicit=False)
    if policies.boundary and not _says(policies.boundary, Effect.ALLOW, request):
        return Denial(PolicyKind.BOUNDARY, explicit=False)
    if policies.sessions is not None and not _any_allows(policies.sessions, request):
        return Denial(PolicyKind.SESSION, explicit=False)
    return None


def _allowed_by_identity(request: AccessRequest, policies: Policies, named: _Named) -> bool:
    if named in {_Named.ROLE, _Named.DIRECT} and not request.is_of_other_account:
        return True
    return _any_allows(policies.identity, request)


def _any_allows(policies: Iterable[Policy], request: AccessRequest) -> bool:
    return any(_says(policy, Effect.ALLOW, request) for policy in policies)


def _says(policy: Policy, effect: Effect, request: AccessRequest) -> bool:
    return any(
        statement.effect is effect and _applies(statement, policy, request)
        for statement in policy.statements
    )


def _applies(statement: Statement, policy: Policy, request: AccessRequest) -> bool:
    if not _is_action(statement.actions, request.action):
        return False
    if not _is_resource(statement, policy, request):
        return False
    # What cannot be judged counts against the caller.
    unknown = statement.effect is Effect.DENY
    met = (
        holds(each, request.context, has_variables=policy.has_variables)
        for each in statement.conditions
    )
    return all(unknown if each is None else each for each in met)


def _is_action(listed: Listed, action: str) -> bool:
    given = action.lower()
    found = any(_like(pattern.lower(), given, {}, variables=False) for pattern in listed.patterns)
    return found != listed.negated


def _is_resource(statement: Statement, policy: Policy, request: AccessRequest) -> bool:
    """Policies of resources may leave it out, and mean what they are attached to."""
    listed = statement.resources
    if listed is None:
        return True
    if request.resource is None:
        return statement.effect is Effect.DENY or (not listed.negated and "*" in listed.patterns)
    found = any(
        _like(pattern, request.resource, request.context, variables=policy.has_variables)
        for pattern in listed.patterns
    )
    return found != listed.negated


def _like(pattern: str, text: str, context: Context, *, variables: bool) -> bool:
    if pattern in {"*", text}:
        return True
    if not any(mark in pattern for mark in (*(each.value for each in Wildcard), "$")):
        return False
    made = glob(pattern, context, has_variables=variables)
    return made is not None and matches(made, text)


def _resource_denies(policy: Policy, request: AccessRequest) -> bool:
    return any(
        statement.effect is Effect.DENY
        and _how(statement.principals, request.principal) is not _Named.NOT
        and _applies(statement, policy, request)
        for statement in policy.statements
    )


def _named_by_resource(request: AccessRequest, policies: Policies) -> _Named:
    """The best that an allowing statement of the resource's policy says of the caller."""
    if policies.resource is None:
        return _Named.NOT
    found = {
        _how(statement.principals, request.principal)
        for statement in policies.resource.statements
        if statement.effect is Effect.ALLOW and _applies(statement, policies.resource, request)
    }
    best = (_Named.DIRECT, _Named.ROLE, _Named.ACCOUNT)
    return next((each for each in best if each in found), _Named.NOT)


def _how(principals: Principals | None, principal: Principal) -> _Named:
    """How a statement means somebody; without principals it means nobody."""
    if principals is None:
        return _Named.NOT
    found = {_how_one(kind, name, principal) for kind, name in principals.named} - {_Named.NOT}
    if principals.negated:
        return _Named.NOT if found else _Named.ROLE
    best = (_Named.DIRECT, _Named.ROLE, _Named.ACCOUNT)
    return next((each for each in best if each in found), _Named.NOT)


def _how_one(kind: str, name: str, principal: Principal) -> _Named:
    if kind == "AWS" and name == "*":
        return _Named.ROLE
    if principal.kind in {PrincipalKind.SERVICE, PrincipalKind.FEDERATED}:
        wanted = "Service" if principal.kind is PrincipalKind.SERVICE else "Federated"
        return _Named.DIRECT if kind == wanted and name == principal.arn else _Named.NOT
    if kind != "AWS":
        return _Named.NOT
    if name == principal.arn:
        return _Named.DIRECT
    if principal.role_arn is not None and name == principal.role_arn:
        return _Named.ROLE
    return _Named.ACCOUNT if _account_of(name) == principal.account else _Named.NOT


def _account_of(name: str) -> str | None:
    """The account that a principal names as a whole: by its number, or by its root."""
    arn = parse_arn(name)
    if arn is None:
        return name
    return arn.account if arn.resource == "root" else None
