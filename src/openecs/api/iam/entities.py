"""Users, groups and roles as what policies are attached to: found by name, shown, changed alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from openecs.api.base import Call, Members
from openecs.api.iam import errors, tags
from openecs.model.iam import Entity, Group, Role, User
from openecs.model.identity import Arn, parse_arn
from openecs.store.base import Kind, View
from openecs.store.iam import GROUPS, ROLES, USERS, iam_scope, name_key

E = TypeVar("E", bound=Entity)
#: Both have boundaries and tags.
Principal = User | Role


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityType(Generic[E]):
    """A type of entity: its word in names of operations and members, its kind, its quota."""

    word: str
    kind: Kind[E]
    #: Characters of all inline policies together, white space not counted.
    inline_quota: int

    def name(self, request: Members) -> str:
        """The name that the request gives."""
        given: str = request[f"{self.word}Name"]
        return given

    def find(self, view: View, call: Call, name: str) -> E:
        """The entity of that name. Raises ``NoSuchEntity``."""
        found = view.get(self.kind, iam_scope(call.scope.account), name_key(name))
        if found is None:
            raise errors.no_such(self.word.lower(), name)
        return found

    def asked_for(self, view: View, call: Call, request: Members) -> E:
        """The entity that the request names. Raises ``NoSuchEntity``."""
        return self.find(view, call, self.name(request))

    def all(self, view: View, call: Call) -> list[E]:
        """Every one of the account."""
        return list(view.scan(self.kind, iam_scope(call.scope.account)))


USER = EntityType(word="User", kind=USERS, inline_quota=2048)
GROUP = EntityType(word="Group", kind=GROUPS, inline_quota=5120)
ROLE = EntityType(word="Role", kind=ROLES, inline_quota=10240)


def document(text: str) -> str:
    """A policy document as IAM answers it: percent-encoded."""
    return quote(text, safe="")


def size(text: str) -> int:
    """How much of a quota a document takes: white space is not counted."""
    return sum(not char.isspace() for char in text)


def calling_user(view: View, call: Call, name: str | None) -> User:
    """The user named, or else the user who calls. Raises ``NoSuchEntity``, ``ValidationError``."""
    if name is not None:
        return USER.find(view, call, name)
    arn = parse_arn(call.caller.arn)
    if arn is None or not _is_user(arn):
        raise errors.validation("Must specify userName when calling with non-User credentials")
    return USER.find(view, call, arn.resource.rpartition("/")[2])


def _is_user(arn: Arn) -> bool:
    return arn.service == "iam" and arn.resource.startswith("user/")


def show_user(user: User, *, with_tags: bool = True) -> Members:
    """A user as AWS shows it; listings leave the tags out."""
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.created_at,
        "PermissionsBoundary": boundary(user) if with_tags else None,
        "Tags": (tags.show(user.tags) or None) if with_tags else None,
    }


def show_group(group: Group) -> Members:
    """A group as AWS shows it."""
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.created_at,
    }


def show_role(role: Role, *, with_tags: bool = True) -> Members:
    """A role as AWS shows it; listings leave out boundary and tags."""
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created_at,
        "AssumeRolePolicyDocument": document(role.trust),
        "Description": role.description,
        "MaxSessionDuration": role.max_session_duration,
        "PermissionsBoundary": boundary(role) if with_tags else None,
        "Tags": (tags.show(role.tags) or None) if with_tags else None,
    }


def boundary(principal: Principal) -> Members | None:
    """The boundary as AWS shows it."""
    if principal.boundary is None:
        return None
    return {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": principal.boundary,
    }
