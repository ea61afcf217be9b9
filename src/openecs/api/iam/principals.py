"""Whoever calls, as policies see them: what is attached to them, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from openecs.api.base import Caller
from openecs.api.iam import managed, names
from openecs.decide.access.documents import identity_policy, trust_policy
from openecs.decide.access.evaluation import Policies
from openecs.model.iam import Entity, Role, Session, User
from openecs.model.identity import Scope
from openecs.model.policies import Policy, Principal, PrincipalKind
from openecs.store.base import View
from openecs.store.iam import GROUPS, ROLES, SESSIONS, USERS, iam_scope, name_key

_read = lru_cache(maxsize=1024)(identity_policy)


_trust = lru_cache(maxsize=1024)(trust_policy)


def trusted(role: Role) -> Policy:
    """The trust policy of a role."""
    return _trust(role.trust)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A principal, its policies, and the condition keys that tell of it."""

    principal: Principal
    policies: Policies = field(default_factory=Policies)
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def known(view: View, caller: Caller) -> Known:
    """What the installation knows of a caller; one that is gone may do nothing."""
    if caller.arn.endswith(":root"):
        return _known(_principal(caller, PrincipalKind.ROOT), caller)
    if caller.access_key_id.startswith(names.SESSION_KEY):
        sessions = view.find(SESSIONS, None, "id", (caller.access_key_id,))
        return _of_session(view, caller, sessions[0]) if sessions else _nobody(caller)
    user = view.get(USERS, iam_scope(caller.account), name_key(caller.arn.rpartition("/")[2]))
    return _of_user(view, caller, user) if user else _nobody(caller)


def of_entity(view: View, entity: User | Role) -> Policies:
    """The policies of a user or role."""
    return Policies(
        identity=tuple(_identity(view, entity)),
        boundary=_managed(view, entity.scope.account, entity.boundary),
    )


def of_role(view: View, role: Role, session: str) -> Known:
    """A session of a role that a service has assumed."""
    account = role.scope.account
    caller = Caller(
        arn=Scope(account, "").arn("sts", f"assumed-role/{role.name}/{session}"),
        user_id=f"{role.id}:{session}",
        account=account,
        access_key_id="",
    )
    return replace(_of_assumed(caller, role, role.tags), policies=of_entity(view, role))


def _of_user(view: View, caller: Caller, user: User) -> Known:
    found = _known(_principal(caller, PrincipalKind.USER), caller, user.tags)
    return replace(
        found,
        policies=of_entity(view, user),
        context={**found.context, "aws:username": (user.name,)},
    )


def _of_session(view: View, caller: Caller, session: Session) -> Known:
    limits = None if session.policies is None else tuple(_read(each) for each in session.policies)
    if session.role is None:
        return _of_users_session(view, caller, session, limits)
    role = view.get(ROLES, session.scope, name_key(session.role))
    if role is None:
        return _nobody(caller)
    found = _of_assumed(caller, role, {**role.tags, **session.tags})
    context = {**found.context, "aws:tokenissuetime": (session.created_at.isoformat(),)}
    policies = replace(of_entity(view, role), sessions=limits)
    return replace(found, policies=policies, context=context)


def _of_assumed(caller: Caller, role: Role, tags: Mapping[str, str]) -> Known:
    principal = replace(_principal(caller, PrincipalKind.ROLE), role_arn=role.arn)
    found = _known(principal, caller, tags)
    return replace(found, context={**found.context, "aws:principalarn": (role.arn,)})


def _of_users_session(
    view: View, caller: Caller, session: Session, limits: tuple[Policy, ...] | None
) -> Known:
    user = view.get(USERS, session.scope, name_key(session.user or ""))
    if user is None:
        return _nobody(caller)
    found = _of_user(view, caller, user)
    return replace(found, policies=replace(found.policies, sessions=limits))


def _nobody(caller: Caller) -> Known:
    return _known(_principal(caller, PrincipalKind.USER), caller)


def _principal(caller: Caller, kind: PrincipalKind) -> Principal:
    return Principal(kind=kind, arn=caller.arn, account=caller.account)


def _known(principal: Principal, caller: Caller, tags: Mapping[str, str] | None = None) -> Known:
    context = {
        "aws:principalarn": (caller.arn,),
        "aws:principalaccount": (caller.account,),
        "aws:principaltype": (principal.kind.value,),
        "aws:principalisawsservice": ("false",),
        "aws:userid": (caller.user_id,),
        "aws:viaawsservice": ("false",),
    }
    told = {f"aws:principaltag/{key.lower()}": (v,) for key, v in (tags or {}).items()}
    return Known(principal=principal, context={**context, **told})


def _identity(view: View, entity: User | Role) -> Iterator[Policy]:
    yield from _own(view, entity)
    groups: Iterable[str] = entity.groups if isinstance(entity, User) else ()
    for name in groups:
        group = view.get(GROUPS, entity.scope, name_key(name))
        if group is not None:
            yield from _own(view, group)


def _own(view: View, entity: Entity) -> Iterator[Policy]:
    yield from (_read(document) for document in entity.inline.values())
    for arn in entity.attached:
        policy = _managed(view, entity.scope.account, arn)
        if policy is not None:
            yield policy


def _managed(view: View, account: str, arn: str | None) -> Policy | None:
    if arn is None:
        return None
    found = managed.lookup(view, account, arn)
    # A boundary whose policy is gone allows nothing.
    return _read(found.document) if found is not None else Policy(())
