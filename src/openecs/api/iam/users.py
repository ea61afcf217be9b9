"""Users and the groups they are in."""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import entities, errors, managed, names, paging, tags
from openecs.model.iam import Group, User
from openecs.store.base import Transaction, View
from openecs.store.iam import GROUPS, USER_KEYS, USERS, iam_scope, name_key

#: Groups of one user.
GROUP_QUOTA = 10


def create_user(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a user, who may do nothing yet."""
    scope, name = iam_scope(call.scope.account), request["UserName"]
    given = tags.parse(request.get("Tags"), "User")
    boundary = request.get("PermissionsBoundary")
    if tx.get(USERS, scope, name_key(name)) is not None:
        raise errors.exists("User", name)
    made = User(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.USER),
        path=request.get("Path") or "/",
        created_at=call.now,
        boundary=managed.attachable(tx, call, boundary).arn if boundary else None,
        tags=given,
    )
    tx.put(USERS, made)
    return {"User": entities.show_user(made)}


def get_user(view: View, call: Call, request: Members) -> Members:
    """The user named, or the one who calls."""
    if request.get("UserName") is None and call.caller.arn.endswith(":root"):
        return {"User": _root(call)}
    found = entities.calling_user(view, call, request.get("UserName"))
    return {"User": entities.show_user(found)}


def list_users(view: View, call: Call, request: Members) -> Members:
    """Those whose path starts with ``PathPrefix``, by name, page by page."""
    prefix = request.get("PathPrefix") or "/"
    kept = (each for each in entities.USER.all(view, call) if each.path.startswith(prefix))
    shown, more = paging.page(kept, lambda each: each.name, request)
    return {"Users": [entities.show_user(each, with_tags=False) for each in shown], **more}


def update_user(tx: Transaction, call: Call, request: Members) -> Members:
    """Give a user another name or path; keys and policies stay."""
    found: User = entities.USER.asked_for(tx, call, request)
    name = request.get("NewUserName") or found.name
    holder = tx.get(USERS, found.scope, name_key(name))
    if holder is not None and holder.id != found.id:
        raise errors.exists("User", name)
    if name != found.name:
        for key in tx.find(USER_KEYS, found.scope, "user", (name_key(found.name),)):
            tx.put(USER_KEYS, replace(key, user=name))
    tx.delete(USERS, found.scope, name_key(found.name))
    tx.put(USERS, replace(found, name=name, path=request.get("NewPath") or found.path))
    return {}


def delete_user(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a user who has nothing any more."""
    found: User = entities.USER.asked_for(tx, call, request)
    if found.attached:
        raise errors.conflict("Cannot delete entity, must detach all policies first.")
    if found.inline:
        raise errors.conflict("Cannot delete entity, must delete policies first.")
    if found.groups:
        raise errors.conflict("Cannot delete entity, must remove users from group first.")
    if tx.find(USER_KEYS, found.scope, "user", (name_key(found.name),)):
        raise errors.conflict("Cannot delete entity, must delete access keys first.")
    tx.delete(USERS, found.scope, name_key(found.name))
    return {}


def create_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a group, of nobody yet."""
    scope, name = iam_scope(call.scope.account), request["GroupName"]
    if tx.get(GROUPS, scope, name_key(name)) is not None:
        raise errors.exists("Group", name)
    made = Group(
        scope=scope,
        name=name,
        id=names.unique_id(call.ids, names.GROUP),
        path=request.get("Path") or "/",
        created_at=call.now,
    )
    tx.put(GROUPS, made)
    return {"Group": entities.show_group(made)}


def get_group(view: View, call: Call, request: Members) -> Members:
    """A group and its users, page by page."""
    found = entities.GROUP.asked_for(view, call, request)
    shown, more = paging.page(_members(view, call, found), lambda each: each.name, request)
    users = [entities.show_user(each, with_tags=False) for each in shown]
    return {"Group": entities.show_group(found), "Users": users, **more}


def list_groups(view: View, call: Call, request: Members) -> Members:
    """Those whose path starts with ``PathPrefix``, by name, page by page."""
    prefix = request.get("PathPrefix") or "/"
    kept = (each for each in entities.GROUP.all(view, call) if each.path.startswith(prefix))
    shown, more = paging.page(kept, lambda each: each.name, request)
    return {"Groups": [entities.show_group(each) for each in shown], **more}


def list_groups_for_user(view: View, call: Call, request: Members) -> Members:
    """The groups that a user is in, by name, page by page."""
    found: User = entities.USER.asked_for(view, call, request)
    groups = [entities.GROUP.find(view, call, name) for name in found.groups]
    shown, more = paging.page(groups, lambda each: each.name, request)
    return {"Groups": [entities.show_group(each) for each in shown], **more}


def update_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Give a group another name or path; its users stay in it."""
    found: Group = entities.GROUP.asked_for(tx, call, request)
    name = request.get("NewGroupName") or found.name
    holder = tx.get(GROUPS, found.scope, name_key(name))
    if holder is not None and holder.id != found.id:
        raise errors.exists("Group", name)
    for user in _members(tx, call, found):
        groups = tuple(name if each == found.name else each for each in user.groups)
        tx.put(USERS, replace(user, groups=groups))
    tx.delete(GROUPS, found.scope, name_key(found.name))
    tx.put(GROUPS, replace(found, name=name, path=request.get("NewPath") or found.path))
    return {}


def delete_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a group of nobody, with no policies."""
    found: Group = entities.GROUP.asked_for(tx, call, request)
    if _members(tx, call, found):
        raise errors.conflict("Cannot delete entity, must remove users from group first.")
    if found.attached:
        raise errors.conflict("Cannot delete entity, must detach all policies first.")
    if found.inline:
        raise errors.conflict("Cannot delete entity, must delete policies first.")
    tx.delete(GROUPS, found.scope, name_key(found.name))
    return {}


def add_user_to_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Let a user share the policies of a group."""
    group = entities.GROUP.asked_for(tx, call, request)
    user: User = entities.USER.asked_for(tx, call, request)
    if group.name in user.groups:
        return {}
    if len(user.groups) >= GROUP_QUOTA:
        raise errors.limit_exceeded(f"Cannot exceed quota for GroupsPerUser: {GROUP_QUOTA}")
    tx.put(USERS, replace(user, groups=(*user.groups, group.name)))
    return {}


def remove_user_from_group(tx: Transaction, call: Call, request: Members) -> Members:
    """Take a user out of a group; one who is not in it stays out."""
    group = entities.GROUP.asked_for(tx, call, request)
    user: User = entities.USER.asked_for(tx, call, request)
    groups = tuple(each for each in user.groups if each != group.name)
    tx.put(USERS, replace(user, groups=groups))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateUser": Writes(create_user),
    "GetUser": Reads(get_user),
    "ListUsers": Reads(list_users),
    "UpdateUser": Writes(update_user),
    "DeleteUser": Writes(delete_user),
    "CreateGroup": Writes(create_group),
    "GetGroup": Reads(get_group),
    "ListGroups": Reads(list_groups),
    "ListGroupsForUser": Reads(list_groups_for_user),
    "UpdateGroup": Writes(update_group),
    "DeleteGroup": Writes(delete_group),
    "AddUserToGroup": Writes(add_user_to_group),
    "RemoveUserFromGroup": Writes(remove_user_from_group),
    **tags.Tagged(word="User", kind=USERS, find=entities.USER.asked_for).operations(),
}


def _members(view: View, call: Call, group: Group) -> list[User]:
    return [each for each in entities.USER.all(view, call) if group.name in each.groups]


def _root(call: Call) -> Members:
    """The root user, which has no record of its own."""
    return {
        "Path": "/",
        "UserName": "root",
        "UserId": call.caller.user_id,
        "Arn": call.caller.arn,
        "CreateDate": call.now,
    }
