"""Instance profiles: roles for machines.

IAM User Guide, "Use instance profiles".
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import entities, errors, names, paging, tags
from openecs.model.iam import InstanceProfile, Role
from openecs.store.base import Transaction, View
from openecs.store.iam import INSTANCE_PROFILES, iam_scope, name_key


def create_instance_profile(tx: Transaction, call: Call, request: Members) -> Members:
    """Make an instance profile, of no role yet."""
    scope, name = iam_scope(call.scope.account), request["InstanceProfileName"]
    given = tags.parse(request.get("Tags"), "InstanceProfile")
    if tx.get(INSTANCE_PROFILES, scope, name_key(name)) is not None:
        message = f"Instance Profile {name} already exists."
        raise errors.already_exists(message)
    made = InstanceProfile(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.INSTANCE_PROFILE),
        path=request.get("Path") or "/",
        created_at=call.now,
        tags=given,
    )
    tx.put(INSTANCE_PROFILES, made)
    return {"InstanceProfile": _show_profile(tx, call, made)}


def get_instance_profile(view: View, call: Call, request: Members) -> Members:
    """An instance profile and its role."""
    found = _profile(view, call, request)
    return {"InstanceProfile": _show_profile(view, call, found)}


def list_instance_profiles(view: View, call: Call, request: Members) -> Members:
    """Those whose path starts with ``PathPrefix``, by name, page by page."""
    prefix = request.get("PathPrefix") or "/"
    found = view.scan(INSTANCE_PROFILES, iam_scope(call.scope.account))
    kept = (each for each in found if each.path.startswith(prefix))
    shown, more = paging.page(kept, lambda each: each.name, request)
    return {"InstanceProfiles": [_show_profile(view, call, each) for each in shown], **more}


def list_instance_profiles_for_role(view: View, call: Call, request: Members) -> Members:
    """The instance profiles of a role."""
    role: Role = entities.ROLE.asked_for(view, call, request)
    shown, more = paging.page(profiles_of(view, role), lambda each: each.name, request)
    return {"InstanceProfiles": [_show_profile(view, call, each) for each in shown], **more}


def add_role_to_instance_profile(tx: Transaction, call: Call, request: Members) -> Members:
    """Give an instance profile its role; it has one at most."""
    found = _profile(tx, call, request)
    role = entities.ROLE.asked_for(tx, call, request)
    if found.role is not None:
        raise errors.limit_exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
    tx.put(INSTANCE_PROFILES, replace(found, role=role.name))
    return {}


def remove_role_from_instance_profile(tx: Transaction, call: Call, request: Members) -> Members:
    """Take its role from an instance profile."""
    found = _profile(tx, call, request)
    role = entities.ROLE.asked_for(tx, call, request)
    if found.role != role.name:
        raise errors.no_such("role", role.name)
    tx.put(INSTANCE_PROFILES, replace(found, role=None))
    return {}


def delete_instance_profile(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete an instance profile without a role."""
    found = _profile(tx, call, request)
    if found.role is not None:
        raise errors.conflict(
            "Cannot delete entity, must remove roles from instance profile first."
        )
    tx.delete(INSTANCE_PROFILES, found.scope, name_key(found.name))
    return {}


def profiles_of(view: View, role: Role) -> list[InstanceProfile]:
    """The instance profiles that have the role."""
    return [each for each in view.scan(INSTANCE_PROFILES, role.scope) if each.role == role.name]


def _profile(view: View, call: Call, request: Members) -> InstanceProfile:
    name = request["InstanceProfileName"]
    found = view.get(INSTANCE_PROFILES, iam_scope(call.scope.account), name_key(name))
    if found is None:
        raise errors.missing(f"Instance Profile {name} cannot be found.")
    return found


def _show_profile(view: View, call: Call, profile: InstanceProfile) -> Members:
    roles = [entities.ROLE.find(view, call, profile.role)] if profile.role else []
    return {
        "Path": profile.path,
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Arn": profile.arn,
        "CreateDate": profile.created_at,
        "Roles": [entities.show_role(each, with_tags=False) for each in roles],
        "Tags": tags.show(profile.tags) or None,
    }


OPERATIONS: dict[str, Operation] = {
    "CreateInstanceProfile": Writes(create_instance_profile),
    "GetInstanceProfile": Reads(get_instance_profile),
    "ListInstanceProfiles": Reads(list_instance_profiles),
    "ListInstanceProfilesForRole": Reads(list_instance_profiles_for_role),
    "AddRoleToInstanceProfile": Writes(add_role_to_instance_profile),
    "RemoveRoleFromInstanceProfile": Writes(remove_role_from_instance_profile),
    "DeleteInstanceProfile": Writes(delete_instance_profile),
    **tags.Tagged(word="InstanceProfile", kind=INSTANCE_PROFILES, find=_profile).operations(),
}
