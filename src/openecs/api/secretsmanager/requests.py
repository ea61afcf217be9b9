"""What requests say of a secret, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from openecs.api.base import Members, ServiceError
from openecs.api.secretsmanager import errors
from openecs.model.identity import parse_arn

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_MOST_TAGS = 50
#: The key of the account that AWS makes, which stands for the keys of the installation.
_KEY = "alias/aws/secretsmanager"


@dataclass(frozen=True, slots=True)
class Value:
    """What a request gives a secret: a text or bytes."""

    text: str | None = field(default=None, repr=False)
    binary: bytes | None = field(default=None, repr=False)


def name(request: Members) -> str:
    """The name of a secret to be made."""
    given: str = request["Name"]
    if _NAME.fullmatch(given) is None:
        raise ServiceError(
            "ValidationException",
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the "
            "following: -/_+=.@!",
        )
    return given


def value(request: Members) -> Value | None:
    """The value in the request, if there is one."""
    text, binary = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and binary is not None:
        raise errors.invalid_parameter(
            "You can't specify both a binary secret value and a string secret value in the same "
            "secret."
        )
    return None if text is None and binary is None else Value(text, binary)


def tags(given: Iterable[Mapping[str, str]], known: Mapping[str, str]) -> dict[str, str]:
    """The tags a secret has with those of a request."""
    pairs = [(tag.get("Key") or "", tag.get("Value") or "") for tag in given]
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise errors.invalid_parameter("Duplicate tag keys found. Tag keys must be unique.")
    if any(key.lower().startswith("aws:") for key in keys):
        raise errors.invalid_parameter("Tag keys can't begin with aws:.")
    together = {**known, **dict(pairs)}
    if len(together) > _MOST_TAGS:
        raise errors.invalid_parameter(f"A secret can have at most {_MOST_TAGS} tags.")
    return together


def kms_key(request: Members) -> str | None:
    """The key a secret is to be encrypted with. All are encrypted with the installation's."""
    given: str | None = request.get("KmsKeyId")
    arn = parse_arn(given or "")
    if not given or (arn.resource if arn else given) == _KEY:
        return None
    raise ServiceError(
        "EncryptionFailure",
        "Secrets Manager can't encrypt the protected secret text using the provided KMS key: "
        f"OpenECS has no key but {_KEY}.",
    )


def no_replicas(request: Members) -> None:
    """Replication, and secrets of partners, are refused."""
    if request.get("AddReplicaRegions"):
        raise errors.invalid_parameter("OpenECS does not build replication (AddReplicaRegions).")
    if request.get("Type"):
        raise errors.invalid_parameter("OpenECS does not build managed external secrets (Type).")
