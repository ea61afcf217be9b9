"""GetSecretValue and BatchGetSecretValue: the values themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from openecs.api.base import Asked, Call, Members, Operation, ServiceError, Writes
from openecs.api.iam import judging, principals
from openecs.api.secretsmanager import errors, listing, paging, policies, references
from openecs.model.secrets import CURRENT, Secret, SecretVersion
from openecs.store.base import Transaction, View
from openecs.store.secrets import SECRET_VERSIONS, SECRETS, version_key


def version_of(
    view: View, secret: Secret, version_id: str | None, stage: str | None
) -> SecretVersion:
    """The version that is asked for; the current one where nothing says which."""
    wanted = version_id
    if wanted is None:
        wanted = secret.stages.get(stage or CURRENT)
        if wanted is None:
            raise errors.no_value(f"staging label: {stage or CURRENT}")
    elif stage is not None and secret.stages.get(stage) != wanted:
        raise errors.invalid_request(
            "You provided a VersionStage that is not associated to the provided VersionId."
        )
    found = view.get(SECRET_VERSIONS, secret.scope, version_key(secret.name, wanted))
    if found is None:
        raise errors.no_value(f"VersionId: {wanted}")
    return found


def read(tx: Transaction, secret: Secret, version: SecretVersion, now: datetime) -> None:
    """Note the day of a read, which is as exact as Secrets Manager is."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if secret.accessed_at == version.accessed_at == today:
        return
    tx.put(SECRETS, replace(secret, accessed_at=today))
    tx.put(SECRET_VERSIONS, replace(version, accessed_at=today))


def get_secret_value(tx: Transaction, call: Call, request: Members) -> Members:
    """The value of a secret."""
    secret = references.usable(tx, call, request["SecretId"])
    version = version_of(tx, secret, request.get("VersionId"), request.get("VersionStage"))
    read(tx, secret, version, call.now)
    return _shown(secret, version)


def batch_get_secret_value(tx: Transaction, call: Call, request: Members) -> Members:
    """The values of named secrets, or of those that filters find; errors of each beside them."""
    named, filters = request.get("SecretIdList"), request.get("Filters")
    if bool(named) == bool(filters):
        raise errors.invalid_parameter("Either SecretIdList or Filters must be provided.")
    if named and (request.get("MaxResults") or request.get("NextToken")):
        raise errors.invalid_parameter("MaxResults and NextToken go with Filters.")
    wanted, token = (list(named), None) if named else _filtered(tx, call, request)
    values, failures = [], []
    for secret_id in wanted:
        try:
            _check_allowed(tx, call, secret_id)
            values.append(get_secret_value(tx, call, {"SecretId": secret_id}))
        except ServiceError as error:
            told = {"SecretId": secret_id, "ErrorCode": error.code, "Message": error.message}
            failures.append(told)
    return {"SecretValues": values, "Errors": failures, "NextToken": token}


OPERATIONS: dict[str, Operation] = {
    "GetSecretValue": Writes(get_secret_value),
    "BatchGetSecretValue": Writes(batch_get_secret_value),
}


def asks_value(view: View, call: Call, secret_id: str) -> Iterator[Asked]:
    """What reading a secret's value asks of policies."""
    yield policies.asked(view, call.scope, "GetSecretValue", secret_id)


def _filtered(view: View, call: Call, request: Members) -> tuple[list[str], str | None]:
    found = [secret for secret in listing.found(view, call, request) if secret.stages]
    found.sort(key=lambda secret: secret.name)
    shown, token = paging.page(
        {**request, "MaxResults": request.get("MaxResults") or 20}, found, lambda s: s.name
    )
    return [secret.arn for secret in shown], token


def _check_allowed(view: View, call: Call, secret_id: str) -> None:
    known = principals.known(view, call.caller)
    asked = asks_value(view, call, secret_id)
    refused = judging.refusal(known, asked, judging.circumstances(call.now, call.scope.region))
    if refused is not None:
        raise ServiceError("AccessDeniedException", refused)


def _shown(secret: Secret, version: SecretVersion) -> Members:
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "SecretString": version.text,
        "SecretBinary": version.binary,
        "VersionStages": secret.stages_of(version.id) or None,
        "CreatedDate": version.created_at,
    }
