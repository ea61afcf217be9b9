"""What ``valueFrom`` of a container's secret means.

Amazon ECS Developer Guide, "Pass Secrets Manager secrets through Amazon ECS environment variables".
"""

from __future__ import annotations

from dataclasses import dataclass

from openecs.model.identity import parse_arn

#: ``arn:aws:secretsmanager:R:A:secret:NAME`` has so many parts; key, stage and id may follow.
_PARTS_OF_ARN = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """A version of a secret of Secrets Manager, and the key of its JSON; None: the current, all."""

    secret: str
    json_key: str | None = None
    stage: str | None = None
    version: str | None = None


def secret_reference(value_from: str) -> SecretReference | None:
    """The secret of Secrets Manager that is meant; None where it is a parameter."""
    arn = parse_arn(value_from)
    if arn is None or arn.service != "secretsmanager":
        return None
    parts = value_from.split(":")
    json_key, stage, version, *_ = [*parts[_PARTS_OF_ARN:], "", "", ""]
    return SecretReference(
        secret=":".join(parts[:_PARTS_OF_ARN]),
        json_key=json_key or None,
        stage=stage or None,
        version=version or None,
    )
