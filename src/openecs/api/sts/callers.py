"""Who is calling, and whose a key is."""

from __future__ import annotations

from openecs.api.base import Access, Asked, Call, Members, Operation, Reads, ServiceError
from openecs.store.base import View
from openecs.store.iam import SESSIONS, USER_KEYS


def get_caller_identity(_: View, call: Call, __: Members) -> Members:
    """The caller's account, ARN and unique id; no permission is needed."""
    caller = call.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def get_access_key_info(view: View, call: Call, request: Members) -> Members:
    """The account of an access key."""
    key = request["AccessKeyId"]
    if key == call.caller.access_key_id:
        return {"Account": call.caller.account}
    scopes = [
        *(found.scope for found in view.find(USER_KEYS, None, "id", (key,))),
        *(found.scope for found in view.find(SESSIONS, None, "id", (key,))),
    ]
    if not scopes:
        raise ServiceError("ValidationError", "Invalid Access Key ID")
    return {"Account": scopes[0].account}


OPERATIONS: dict[str, Operation] = {
    "GetCallerIdentity": Reads(get_caller_identity),
    "GetAccessKeyInfo": Reads(get_access_key_info),
}
ACCESS: dict[str, Access] = {
    "GetAccessKeyInfo": lambda *_: (Asked(action="sts:GetAccessKeyInfo", resource="*"),),
}
