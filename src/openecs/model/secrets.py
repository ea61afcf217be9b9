"""Secrets of AWS Secrets Manager: names, and the versions of what they stand for.

User Guide, "What's in a Secrets Manager secret?".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope

SERVICE = "secretsmanager"
CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret without its values."""

    scope: Scope
    name: str
    #: Six letters and digits that tell its ARN from that of an earlier secret of its name.
    suffix: str
    description: str | None = None
    #: As it was given.
    kms_key_id: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    #: The document of its resource policy.
    policy: str | None = None
    #: Staging labels to the id of the version that has each.
    stages: dict[str, str] = field(default_factory=dict)
    created_at: datetime
    changed_at: datetime
    #: The day its value was last read.
    accessed_at: datetime | None = None
    #: When it was deleted, and when it is gone for good.
    deleted_at: datetime | None = None
    gone_at: datetime | None = None

    @property
    def arn(self) -> str:
        """``arn:aws:secretsmanager:R:A:secret:NAME-SUFFIX``."""
        return self.scope.arn(SERVICE, f"secret:{self.name}-{self.suffix}")

    def stages_of(self, version: str) -> list[str]:
        """The staging labels of a version."""
        return [stage for stage, holder in self.stages.items() if holder == version]


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """A value that a secret has or had: a text or bytes."""

    scope: Scope
    secret: str
    #: The client request token it was made with.
    id: str
    text: str | None = field(default=None, repr=False)
    binary: bytes | None = field(default=None, repr=False)
    created_at: datetime
    accessed_at: datetime | None = None
