"""Roles: made, shown, changed, deleted.

IAM User Guide, "IAM roles".
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import documents, entities, errors, managed, names, paging, tags
from openecs.api.iam.instance_profiles import profiles_of
from openecs.model.iam import Role
from openecs.store.base import Transaction, View
from openecs.store.iam import ROLES, iam_scope, name_key

#: Characters of a trust policy, white space not counted.
TRUST_SIZE = 2048


def create_role(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a role, that may do nothing yet."""
    scope, name = iam_scope(call.scope.account), request["RoleName"]
    given = tags.parse(request.get("Tags"), "Role")
    trust, boundary = (
        _trust(request["AssumeRolePolicyDocument"]),
        request.get("PermissionsBoundary"),
    )
    if tx.get(ROLES, scope, name_key(name)) is not None:
        raise errors.exists("Role", name)
    made = Role(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.ROLE),
        path=request.get("Path") or "/",
        created_at=call.now,
        trust=trust,
        description=request.get("Description"),
        max_session_duration=request.get("MaxSessionDuration") or 3600,
        boundary=managed.attachable(tx, call, boundary).arn if boundary else None,
        tags=given,
    )
    tx.put(ROLES, made)
    return {"Role": entities.show_role(made)}


def get_role(view: View, call: Call, request: Members) -> Members:
    """A role with its trust policy."""
    found = entities.ROLE.asked_for(view, call, request)
    return {"Role": {**entities.show_role(found), "RoleLastUsed": {}}}


def list_roles(view: View, call: Call, request: Members) -> Members:
    """Those whose path starts with ``PathPrefix``, by name, page by page."""
    prefix = request.get("PathPrefix") or "/"
    kept = (each for each in entities.ROLE.all(view, call) if each.path.startswith(prefix))
    shown, more = paging.page(kept, lambda each: each.name, request)
    return {"Roles": [entities.show_role(each, with_tags=False) for each in shown], **more}


def update_role(tx: Transaction, call: Call, request: Members) -> Members:
    """Change description and longest session."""
    found = _changeable(tx, call, request)
    changed = replace(
        found,
        description=request.get("Description", found.description),
        max_session_duration=request.get("MaxSessionDuration") or found.max_session_duration,
    )
    tx.put(ROLES, changed)
    return {}


def update_role_description(tx: Transaction, call: Call, request: Members) -> Members:
    """Change the description."""
    found: Role = entities.ROLE.asked_for(tx, call, request)
    changed = replace(found, description=request["Description"])
    tx.put(ROLES, changed)
    return {"Role": entities.show_role(changed)}


def update_assume_role_policy(tx: Transaction, call: Call, request: Members) -> Members:
    """Change who may assume the role."""
    found = _changeable(tx, call, request)
    tx.put(ROLES, replace(found, trust=_trust(request["PolicyDocument"])))
    return {}


def delete_role(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a role that has nothing any more."""
    found = _changeable(tx, call, request)
    if profiles_of(tx, found):
        raise errors.conflict(
            "Cannot delete entity, must remove roles from instance profile first."
        )
    if found.attached:
        raise errors.conflict("Cannot delete entity, must detach all policies first.")
    if found.inline:
        raise errors.conflict("Cannot delete entity, must delete policies first.")
    tx.delete(ROLES, found.scope, name_key(found.name))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateRole": Writes(create_role),
    "GetRole": Reads(get_role),
    "ListRoles": Reads(list_roles),
    "UpdateRole": Writes(update_role),
    "UpdateRoleDescription": Writes(update_role_description),
    "UpdateAssumeRolePolicy": Writes(update_assume_role_policy),
    "DeleteRole": Writes(delete_role),
    **tags.Tagged(word="Role", kind=ROLES, find=entities.ROLE.asked_for).operations(),
}


def _trust(document: str) -> str:
    checked = documents.checked_trust(document)
    if entities.size(checked) > TRUST_SIZE:
        raise errors.limit_exceeded(f"Cannot exceed quota for ACLSizePerRole: {TRUST_SIZE}")
    return checked


def _changeable(view: View, call: Call, request: Members) -> Role:
    """The role, unless it is a service's: those only their services change."""
    found: Role = entities.ROLE.asked_for(view, call, request)
    if found.service is not None:
        raise errors.unmodifiable(
            f"Cannot perform the operation on the protected role '{found.name}' - this role is "
            "only modifiable by AWS"
        )
    return found
