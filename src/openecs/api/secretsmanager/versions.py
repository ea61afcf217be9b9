"""Versions of a secret and their staging labels.

User Guide, "Secret versions": the value that counts has AWSCURRENT, the one before AWSPREVIOUS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.secretsmanager import errors, paging, references, requests
from openecs.api.secretsmanager.requests import Value
from openecs.model.secrets import CURRENT, PREVIOUS, Secret, SecretVersion
from openecs.store.base import Transaction, View
from openecs.store.secrets import SECRET_VERSIONS, SECRETS, version_key

_MOST_STAGES = 20
#: So many versions without a label are kept.
_DEPRECATED_KEPT = 100


def add(
    tx: Transaction, call: Call, secret: Secret, token: str, value: Value
) -> tuple[Secret, bool]:
    """Give the secret a value without a label; whether there was not the same already.

    Nothing is told of the secret itself. A token that has made another value is refused.
    """
    known = tx.get(SECRET_VERSIONS, secret.scope, version_key(secret.name, token))
    if known is not None:
        if Value(known.text, known.binary) != value:
            raise errors.exists(
                f"You can't use ClientRequestToken {token} because that value is already in use "
                f"for a version of secret {secret.arn}."
            )
        return secret, False
    version = SecretVersion(
        scope=secret.scope,
        secret=secret.name,
        id=token,
        text=value.text,
        binary=value.binary,
        created_at=call.now,
    )
    tx.put(SECRET_VERSIONS, version)
    return replace(secret, changed_at=call.now), True


def labelled(secret: Secret, version: str, stages: Sequence[str]) -> Secret:
    """The secret with labels moved to a version; what loses AWSCURRENT gets AWSPREVIOUS."""
    after = {**secret.stages, **dict.fromkeys(stages, version)}
    before = secret.stages.get(CURRENT)
    if CURRENT in stages and before is not None and before != version:
        after[PREVIOUS] = before
        if len({after[CURRENT], after[PREVIOUS]}) == 1:
            del after[PREVIOUS]
    elif CURRENT in stages and after.get(PREVIOUS) == version:
        del after[PREVIOUS]
    return replace(secret, stages=after)


def put_secret_value(tx: Transaction, call: Call, request: Members) -> Members:
    """Give a secret another value."""
    secret = references.usable(tx, call, request["SecretId"])
    value = requests.value(request)
    if value is None:
        raise errors.invalid_request("You must provide either SecretString or SecretBinary.")
    if request.get("RotationToken"):
        raise errors.invalid_parameter("OpenECS does not build rotation by roles (RotationToken).")
    stages = list(request.get("VersionStages") or [CURRENT])
    if not secret.stages and CURRENT not in stages:
        stages.append(CURRENT)
    token = request.get("ClientRequestToken") or call.ids.uuid()
    secret, is_new = add(tx, call, secret, token, value)
    if is_new:
        secret = _checked(labelled(secret, token, stages), token)
        tx.put(SECRETS, secret)
        forget_deprecated(tx, secret)
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": token,
        "VersionStages": secret.stages_of(token),
    }


def update_secret_version_stage(tx: Transaction, call: Call, request: Members) -> Members:
    """Move a label from one version to another, or take it away."""
    secret = references.usable(tx, call, request["SecretId"])
    stage, to = request["VersionStage"], request.get("MoveToVersionId")
    holder, named = secret.stages.get(stage), request.get("RemoveFromVersionId")
    for version in (named, to):
        if version is not None:
            _existing(tx, secret, version)
    if to is None and stage == CURRENT:
        raise errors.invalid_parameter(
            f"You can only move staging label {CURRENT} to a different secret version. It can't "
            "be completely removed."
        )
    if holder is not None and holder not in {named, to}:
        raise errors.invalid_parameter(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is "
            f"currently attached to version {holder}, so you must explicitly reference that "
            "version in RemoveFromVersionId."
        )
    if named is not None and holder != named:
        raise errors.invalid_parameter(
            f"The version {named} does not have the staging label {stage} attached."
        )
    tx.put(SECRETS, replace(_moved(secret, stage, to), changed_at=call.now))
    return {"ARN": secret.arn, "Name": secret.name}


def list_secret_version_ids(view: View, call: Call, request: Members) -> Members:
    """The versions of a secret, those without a label where they are asked for."""
    secret = references.secret(view, call, request["SecretId"])
    wanted = [
        version
        for version in of(view, secret)
        if request.get("IncludeDeprecated") or secret.stages_of(version.id)
    ]
    shown, token = paging.page(request, wanted, lambda version: version.id)
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "Versions": [_shown(secret, version) for version in shown],
        "NextToken": token,
    }


OPERATIONS: dict[str, Operation] = {
    "PutSecretValue": Writes(put_secret_value),
    "UpdateSecretVersionStage": Writes(update_secret_version_stage),
    "ListSecretVersionIds": Reads(list_secret_version_ids),
}


def of(view: View, secret: Secret) -> Sequence[SecretVersion]:
    """All versions of a secret, by their ids."""
    return view.scan(SECRET_VERSIONS, secret.scope, prefix=version_key(secret.name, ""))


def forget_deprecated(tx: Transaction, secret: Secret) -> None:
    """Remove versions without a label, the oldest first, beyond those that are kept."""
    bare = [version for version in of(tx, secret) if not secret.stages_of(version.id)]
    bare.sort(key=lambda version: version.created_at, reverse=True)
    for version in bare[_DEPRECATED_KEPT:]:
        tx.delete(SECRET_VERSIONS, version.scope, SECRET_VERSIONS.key(version))


def _checked(secret: Secret, version: str) -> Secret:
    if len(secret.stages_of(version)) > _MOST_STAGES:
        message = f"A version of a secret can have at most {_MOST_STAGES} staging labels."
        raise errors.limit_exceeded(message)
    return secret


def _moved(secret: Secret, stage: str, to: str | None) -> Secret:
    if to is not None:
        return _checked(labelled(secret, to, [stage]), to)
    return replace(secret, stages={s: v for s, v in secret.stages.items() if s != stage})


def _existing(view: View, secret: Secret, version: str) -> None:
    if view.get(SECRET_VERSIONS, secret.scope, version_key(secret.name, version)) is None:
        raise errors.no_value(f"VersionId: {version}")


def _shown(secret: Secret, version: SecretVersion) -> Members:
    return {
        "VersionId": version.id,
        "VersionStages": secret.stages_of(version.id) or None,
        "LastAccessedDate": version.accessed_at,
        "CreatedDate": version.created_at,
        "KmsKeyIds": ["DefaultEncryptionKey"],
    }
