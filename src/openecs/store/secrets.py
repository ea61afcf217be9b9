"""Secrets as they are stored: their values sealed, each beside those of its secret."""

from __future__ import annotations

from openecs.model.secrets import Secret, SecretVersion
from openecs.store.base import Kind

SECRETS: Kind[Secret] = Kind(
    name="secret",
    type=Secret,
    key=lambda secret: secret.name,
    scope=lambda secret: secret.scope,
    # What is to be removed once it can no longer be restored.
    global_indexes={"deleted": lambda secret: () if secret.gone_at else None},
)

SECRET_VERSIONS: Kind[SecretVersion] = Kind(
    name="secret-version",
    type=SecretVersion,
    key=lambda version: version_key(version.secret, version.id),
    scope=lambda version: version.scope,
    sealed=True,
)

KINDS = (SECRETS, SECRET_VERSIONS)


def version_key(secret: str, version: str) -> str:
    """The key of a version; names of secrets have no ``|``."""
    return f"{secret}|{version}"
