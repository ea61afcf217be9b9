"""Secrets: made, described, changed, deleted and restored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.secretsmanager import errors, references, requests, versions, views
from openecs.model.identity import Ids
from openecs.model.secrets import CURRENT, Secret
from openecs.store.base import Transaction, View
from openecs.store.secrets import SECRET_VERSIONS, SECRETS

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_WINDOW = 30


def create_secret(tx: Transaction, call: Call, request: Members) -> Members:
    """Make a secret, with a value or without one."""
    requests.no_replicas(request)
    value, token = requests.value(request), request.get("ClientRequestToken") or call.ids.uuid()
    known = tx.get(SECRETS, call.scope, requests.name(request))
    if known is not None:
        return _made_before(tx, call, known, request)
    secret = Secret(
        scope=call.scope,
        name=request["Name"],
        suffix=_suffix(call.ids),
        description=request.get("Description"),
        kms_key_id=requests.kms_key(request),
        tags=requests.tags(request.get("Tags") or (), {}),
        created_at=call.now,
        changed_at=call.now,
    )
    if value is not None:
        secret, _ = versions.add(tx, call, secret, token, value)
        secret = versions.labelled(secret, token, [CURRENT])
    tx.put(SECRETS, secret)
    return _told(secret, None if value is None else token)


def describe_secret(view: View, call: Call, request: Members) -> Members:
    """Everything of a secret but its values."""
    return views.described(references.secret(view, call, request["SecretId"]))


def update_secret(tx: Transaction, call: Call, request: Members) -> Members:
    """Change a secret's description, or give it another value."""
    secret = references.usable(tx, call, request["SecretId"])
    requests.no_replicas(request)
    value, token = requests.value(request), request.get("ClientRequestToken") or call.ids.uuid()
    if request.get("KmsKeyId"):
        secret = replace(secret, kms_key_id=requests.kms_key(request))
    if request.get("Description") is not None:
        secret = replace(secret, description=request["Description"])
    if value is None:
        tx.put(SECRETS, replace(secret, changed_at=call.now))
        return _told(secret, None)
    secret, is_new = versions.add(tx, call, secret, token, value)
    if is_new:
        secret = versions.labelled(secret, token, [CURRENT])
    tx.put(SECRETS, replace(secret, changed_at=call.now))
    versions.forget_deprecated(tx, secret)
    return _told(secret, token)


def delete_secret(tx: Transaction, call: Call, request: Members) -> Members:
    """Mark a secret for deletion after the recovery window, or remove it at once."""
    days, at_once = request.get("RecoveryWindowInDays"), request.get("ForceDeleteWithoutRecovery")
    if at_once and days is not None:
        raise errors.invalid_parameter(
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
        )
    if days is not None and not 7 <= days <= 30:
        raise errors.invalid_parameter(
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
        )
    if at_once:
        return _delete_at_once(tx, call, request["SecretId"])
    secret = references.usable(tx, call, request["SecretId"])
    gone_at = call.now + timedelta(days=days or _WINDOW)
    tx.put(SECRETS, replace(secret, deleted_at=call.now, gone_at=gone_at))
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": gone_at}


def restore_secret(tx: Transaction, call: Call, request: Members) -> Members:
    """Take back a deletion."""
    secret = references.secret(tx, call, request["SecretId"])
    tx.put(SECRETS, replace(secret, deleted_at=None, gone_at=None))
    return {"ARN": secret.arn, "Name": secret.name}


def tag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags, or give those that are there new values."""
    secret = references.usable(tx, call, request["SecretId"])
    tags = requests.tags(request["Tags"], secret.tags)
    tx.put(SECRETS, replace(secret, tags=tags, changed_at=call.now))
    return {}


def untag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away."""
    secret = references.usable(tx, call, request["SecretId"])
    kept = {k: v for k, v in secret.tags.items() if k not in request["TagKeys"]}
    tx.put(SECRETS, replace(secret, tags=kept, changed_at=call.now))
    return {}


def remove(tx: Transaction, secret: Secret) -> None:
    """Remove a secret with all its values, for good."""
    for version in versions.of(tx, secret):
        tx.delete(SECRET_VERSIONS, version.scope, SECRET_VERSIONS.key(version))
    tx.delete(SECRETS, secret.scope, secret.name)


OPERATIONS: dict[str, Operation] = {
    "CreateSecret": Writes(create_secret),
    "DescribeSecret": Reads(describe_secret),
    "UpdateSecret": Writes(update_secret),
    "DeleteSecret": Writes(delete_secret),
    "RestoreSecret": Writes(restore_secret),
    "TagResource": Writes(tag_resource),
    "UntagResource": Writes(untag_resource),
}


def _made_before(tx: Transaction, call: Call, known: Secret, request: Members) -> Members:
    """The answer of a request that is repeated; any other finds the name taken."""
    if known.deleted_at is not None:
        raise errors.invalid_request(
            "You can't create this secret because a secret with this name is already scheduled "
            "for deletion."
        )
    value, token = requests.value(request), request.get("ClientRequestToken")
    is_repeated = value is not None and any(each.id == token for each in versions.of(tx, known))
    if value is None or token is None or not is_repeated:
        raise errors.exists(f"The operation failed because the secret {known.name} already exists.")
    versions.add(tx, call, known, token, value)
    return _told(known, token)


def _delete_at_once(tx: Transaction, call: Call, secret_id: str) -> Members:
    """Without an error where there is nothing: whoever forces it wants it gone."""
    secret = references.find(tx, call.scope, secret_id)
    if secret is None:
        arn = secret_id if secret_id.startswith("arn:") else _arn_of_none(call, secret_id)
        return {"ARN": arn, "Name": secret_id, "DeletionDate": call.now}
    remove(tx, secret)
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": call.now}


def _arn_of_none(call: Call, name: str) -> str:
    moment = call.now
    return Secret(
        scope=call.scope, name=name, suffix=_suffix(call.ids), created_at=moment, changed_at=moment
    ).arn


def _suffix(ids: Ids) -> str:
    number = int(ids.hex32(), 16)
    return "".join(_LETTERS[number // len(_LETTERS) ** i % len(_LETTERS)] for i in range(6))


def _told(secret: Secret, version: str | None) -> Members:
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": version}
