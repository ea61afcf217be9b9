"""What IAM keeps: in no region, and by names that are the same in any case."""

from __future__ import annotations

from openecs.model.iam import (
    Group,
    InstanceProfile,
    ManagedPolicy,
    Role,
    Session,
    User,
    UserKey,
)
from openecs.model.identity import Scope
from openecs.store.base import Kind


def iam_scope(account: str) -> Scope:
    """Where IAM keeps what is an account's: in no region."""
    return Scope(account, "")


def name_key(name: str) -> str:
    """The key of a name, of which IAM has each once whatever its case."""
    return name.lower()


def _by_name(value: User | Group | Role | ManagedPolicy | InstanceProfile) -> str:
    return name_key(value.name)


def _scope(value: User | Group | Role | ManagedPolicy | InstanceProfile) -> Scope:
    return value.scope


USERS: Kind[User] = Kind(name="iam-user", type=User, key=_by_name, scope=_scope)
GROUPS: Kind[Group] = Kind(name="iam-group", type=Group, key=_by_name, scope=_scope)
ROLES: Kind[Role] = Kind(name="iam-role", type=Role, key=_by_name, scope=_scope)
POLICIES: Kind[ManagedPolicy] = Kind(
    name="iam-policy", type=ManagedPolicy, key=_by_name, scope=_scope
)
INSTANCE_PROFILES: Kind[InstanceProfile] = Kind(
    name="iam-instance-profile", type=InstanceProfile, key=_by_name, scope=_scope
)


def _id(value: UserKey | Session) -> tuple[str, ...]:
    return (value.id,)


USER_KEYS: Kind[UserKey] = Kind(
    name="iam-access-key",
    type=UserKey,
    key=lambda key: key.id,
    scope=lambda key: key.scope,
    indexes={"user": lambda key: (name_key(key.user),)},
    global_indexes={"id": _id},
    sealed=True,
)

SESSIONS: Kind[Session] = Kind(
    name="iam-session",
    type=Session,
    key=lambda session: session.id,
    scope=lambda session: session.scope,
    global_indexes={"id": _id},
    sealed=True,
)

KINDS = (USERS, GROUPS, ROLES, POLICIES, INSTANCE_PROFILES, USER_KEYS, SESSIONS)
