"""Access keys of users.

IAM User Guide, "Manage access keys for IAM users".
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.iam import entities, errors, names, paging
from openecs.model.iam import User, UserKey
from openecs.store.base import Transaction, View
from openecs.store.iam import USER_KEYS, name_key

QUOTA = 2


def create_access_key(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a key; its secret is told this once."""
    user = entities.calling_user(tx, call, request.get("UserName"))
    if len(_keys(tx, user)) >= QUOTA:
        raise errors.limit_exceeded(f"Cannot exceed quota for AccessKeysPerUser: {QUOTA}")
    made = UserKey(
        scope=user.scope,
        id=names.access_key_id(call.ids, names.ACCESS_KEY),
        secret=new_secret(call),
        user=user.name,
        created_at=call.now,
    )
    tx.add(USER_KEYS, made)
    return {"AccessKey": {**_show(made), "SecretAccessKey": made.secret}}


def new_secret(call: Call) -> str:
    """40 letters, digits, ``+`` and ``/``."""
    return b64encode(bytes.fromhex(call.ids.hex32() + call.ids.hex32())[:30]).decode()


def list_access_keys(view: View, call: Call, request: Members) -> Members:
    """The keys of a user, without their secrets, page by page."""
    user = entities.calling_user(view, call, request.get("UserName"))
    shown, more = paging.page(_keys(view, user), lambda key: key.id, request)
    return {"AccessKeyMetadata": [_show(key) for key in shown], **more}


def update_access_key(tx: Transaction, call: Call, request: Members) -> Members:
    """Switch a key off, or on again."""
    key = _asked_for(tx, call, request)
    tx.put(USER_KEYS, replace(key, active=request["Status"] == "Active"))
    return {}


def delete_access_key(tx: Transaction, call: Call, request: Members) -> Members:
    """End a key for good."""
    key = _asked_for(tx, call, request)
    tx.delete(USER_KEYS, key.scope, key.id)
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateAccessKey": Writes(create_access_key),
    "ListAccessKeys": Reads(list_access_keys),
    "UpdateAccessKey": Writes(update_access_key),
    "DeleteAccessKey": Writes(delete_access_key),
}


def _keys(view: View, user: User) -> list[UserKey]:
    return list(view.find(USER_KEYS, user.scope, "user", (name_key(user.name),)))


def _asked_for(view: View, call: Call, request: Members) -> UserKey:
    user = entities.calling_user(view, call, request.get("UserName"))
    found = view.get(USER_KEYS, user.scope, request["AccessKeyId"])
    if found is None or name_key(found.user) != name_key(user.name):
        raise errors.missing(f"The Access Key with id {request['AccessKeyId']} cannot be found.")
    return found


def _show(key: UserKey) -> Members:
    return {
        "UserName": key.user,
        "AccessKeyId": key.id,
        "Status": "Active" if key.active else "Inactive",
        "CreateDate": key.created_at,
    }
