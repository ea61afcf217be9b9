"""AWS Security Token Service: who is calling.

https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
"""

from __future__ import annotations

from openecs.api.base import Call, Members, Reads, Service, ServiceError
from openecs.store.base import View


def get_caller_identity(_: View, call: Call, __: Members) -> Members:
    """The caller's account, ARN and unique id; no permission is needed."""
    caller = call.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def get_access_key_info(_: View, call: Call, request: Members) -> Members:
    """The account of an access key: the caller's own key is the one whose account is known here."""
    if request["AccessKeyId"] != call.caller.access_key_id:
        raise ServiceError("ValidationError", "Invalid Access Key ID")
    return {"Account": call.caller.account}


SERVICE = Service(
    name="sts",
    operations={
        "GetCallerIdentity": Reads(get_caller_identity),
        "GetAccessKeyInfo": Reads(get_access_key_info),
    },
)
