"""What operations of Secrets Manager ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for AWS Secrets Manager".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openecs.api.access import request_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.api.secretsmanager import policies
from openecs.model.secrets import SERVICE
from openecs.store.base import View

_ON_ALL = ("ListSecrets", "GetRandomPassword", "BatchGetSecretValue")
_ON_SECRETS = (
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListSecretVersionIds",
    "PutResourcePolicy",
    "PutSecretValue",
    "RestoreSecret",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
)
#: Members that are condition keys, as they are given.
_TOLD = {
    "Name": "name",
    "Description": "description",
    "KmsKeyId": "kmskeyid",
    "VersionId": "versionid",
    "VersionStage": "versionstage",
    "ForceDeleteWithoutRecovery": "forcedeletewithoutrecovery",
    "RecoveryWindowInDays": "recoverywindowindays",
    "BlockPublicPolicy": "blockpublicpolicy",
}


def _on_all(operation: str) -> Access:
    def asks(_: View, __: Call, ___: Members) -> Iterator[Asked]:
        yield Asked(action=f"{SERVICE}:{operation}", resource="*")

    return asks


def _on_secret(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        yield policies.asked(view, call.scope, operation, request["SecretId"], _told(request))

    return asks


def _creates(_: View, call: Call, request: Members) -> Iterator[Asked]:
    yield Asked(
        action=f"{SERVICE}:CreateSecret",
        resource=policies.future_arn(call.scope, request["Name"]),
        context=_told(request),
    )


def _validates(view: View, call: Call, request: Members) -> Iterator[Asked]:
    operation = "ValidateResourcePolicy"
    if request.get("SecretId"):
        yield policies.asked(view, call.scope, operation, request["SecretId"])
    else:
        yield Asked(action=f"{SERVICE}:{operation}", resource="*")


ACCESS: Mapping[str, Access] = {
    **{operation: _on_all(operation) for operation in _ON_ALL},
    **{operation: _on_secret(operation) for operation in _ON_SECRETS},
    "CreateSecret": _creates,
    "ValidateResourcePolicy": _validates,
}


def _told(request: Members) -> dict[str, tuple[str, ...]]:
    context = dict(
        request_tags(
            (tag.get("Key") or "", tag.get("Value") or "") for tag in request.get("Tags") or ()
        )
    )
    if keys := request.get("TagKeys"):
        context["aws:tagkeys"] = tuple(keys)
    for member, key in _TOLD.items():
        if request.get(member) is not None:
            given = request[member]
            text = str(given).lower() if isinstance(given, bool) else str(given)
            context[f"{SERVICE}:{key}"] = (text,)
    return context
