"""Secrets as answers show them."""

from __future__ import annotations

from typing import Any

from openecs.api.base import Members
from openecs.model.secrets import Secret


def described(secret: Secret) -> Members:
    """A secret in DescribeSecret."""
    return {
        **_both(secret),
        "DeletedDate": secret.gone_at,
        "VersionIdsToStages": _versions(secret) or None,
    }


def listed(secret: Secret) -> Members:
    """A secret in ListSecrets."""
    return {
        **_both(secret),
        "DeletedDate": secret.deleted_at,
        "SecretVersionsToStages": _versions(secret) or None,
    }


def _both(secret: Secret) -> dict[str, Any]:
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "Description": secret.description,
        "KmsKeyId": secret.kms_key_id,
        "LastChangedDate": secret.changed_at,
        "LastAccessedDate": secret.accessed_at,
        "Tags": [{"Key": key, "Value": value} for key, value in secret.tags.items()],
        "CreatedDate": secret.created_at,
    }


def _versions(secret: Secret) -> dict[str, list[str]]:
    return {version: secret.stages_of(version) for version in secret.stages.values()}
