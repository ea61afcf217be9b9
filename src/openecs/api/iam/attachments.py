"""Managed policies attached to users, groups and roles, and as boundaries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import entities, errors, managed, paging
from openecs.api.iam.entities import EntityType
from openecs.model.iam import Entity, Role, User
from openecs.store.base import Transaction, View
from openecs.store.iam import ROLES, USERS

E = TypeVar("E", bound=Entity)

#: Managed policies of one entity.
QUOTA = 10


@dataclass(frozen=True, slots=True)
class _Attached(Generic[E]):
    of: EntityType[E]

    def operations(self) -> dict[str, Operation]:
        word = self.of.word
        return {
            f"Attach{word}Policy": Writes(self.attach),
            f"Detach{word}Policy": Writes(self.detach),
            f"ListAttached{word}Policies": Reads(self.list),
        }

    def attach(self, tx: Transaction, call: Call, request: Members) -> Members:
        """Attach a policy; one that is attached already stays so."""
        found = self.of.asked_for(tx, call, request)
        arn = managed.attachable(tx, call, request["PolicyArn"]).arn
        if arn in found.attached:
            return {}
        if len(found.attached) >= QUOTA:
            word = f"PoliciesPer{self.of.word}"
            raise errors.limit_exceeded(f"Cannot exceed quota for {word}: {QUOTA}")
        self._put(tx, found, (*found.attached, arn))
        return {}

    def detach(self, tx: Transaction, call: Call, request: Members) -> Members:
        """Detach a policy that is attached."""
        found = self.of.asked_for(tx, call, request)
        arn = request["PolicyArn"]
        if arn not in found.attached:
            raise errors.missing(f"Policy {arn} was not found.")
        self._put(tx, found, tuple(each for each in found.attached if each != arn))
        return {}

    def list(self, view: View, call: Call, request: Members) -> Members:
        """The policies whose path starts with ``PathPrefix``, by name, page by page."""
        found = self.of.asked_for(view, call, request)
        prefix = request.get("PathPrefix") or "/"
        named = [managed.named(arn) for arn in found.attached]
        kept = [each for each in named if each.path.startswith(prefix)]
        shown, more = paging.page(kept, lambda each: f"{each.name}/{each.arn}", request)
        listed = [{"PolicyName": each.name, "PolicyArn": each.arn} for each in shown]
        return {"AttachedPolicies": listed, **more}

    def _put(self, tx: Transaction, found: Any, attached: tuple[str, ...]) -> None:
        changed: E = replace(found, attached=attached)
        tx.put(self.of.kind, changed)


def put_user_boundary(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a managed policy the most that the user may."""
    found = entities.USER.asked_for(tx, call, request)
    tx.put(USERS, replace(found, boundary=_boundary(tx, call, request)))
    return {}


def delete_user_boundary(tx: Transaction, call: Call, request: Members) -> Members:
    """Let the user do all that its policies allow."""
    found: User = entities.USER.asked_for(tx, call, request)
    _check_bounded(found)
    tx.put(USERS, replace(found, boundary=None))
    return {}


def put_role_boundary(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a managed policy the most that the role may."""
    found = entities.ROLE.asked_for(tx, call, request)
    tx.put(ROLES, replace(found, boundary=_boundary(tx, call, request)))
    return {}


def delete_role_boundary(tx: Transaction, call: Call, request: Members) -> Members:
    """Let the role do all that its policies allow."""
    found: Role = entities.ROLE.asked_for(tx, call, request)
    _check_bounded(found)
    tx.put(ROLES, replace(found, boundary=None))
    return {}


def _boundary(view: View, call: Call, request: Members) -> str:
    return managed.attachable(view, call, request["PermissionsBoundary"]).arn


def _check_bounded(found: User | Role) -> None:
    if found.boundary is None:
        word = "user" if isinstance(found, User) else "role"
        raise errors.missing(f"The {word} {found.name} does not have a permissions boundary.")


OPERATIONS: dict[str, Operation] = {
    **_Attached(entities.USER).operations(),
    **_Attached(entities.GROUP).operations(),
    **_Attached(entities.ROLE).operations(),
    "PutUserPermissionsBoundary": Writes(put_user_boundary),
    "DeleteUserPermissionsBoundary": Writes(delete_user_boundary),
    "PutRolePermissionsBoundary": Writes(put_role_boundary),
    "DeleteRolePermissionsBoundary": Writes(delete_role_boundary),
}
