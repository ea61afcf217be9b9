"""Trust stores: the authorities whose certificates clients of listeners may show.

User Guide for Application Load Balancers, "Mutual authentication with TLS".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope
from openecs.model.load_balancing import SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A file of lists of what authorities have revoked, as it was when it was read."""

    #: 1, 2, 3 ... in the trust store; none is used twice.
    id: int
    #: One PEM text each.
    lists: tuple[str, ...]
    #: How many certificates they revoke.
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustStore:
    """The certificates of some authorities, as they were in the bundle when it was read."""

    scope: Scope
    name: str
    #: 16 hexadecimal digits.
    id: str
    #: One PEM text each.
    ca_certificates: tuple[str, ...]
    created_at: datetime
    revocations: tuple[Revocation, ...] = ()
    #: The last id that one of them got.
    revocations_made: int = 0
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``NAME/ID``: its key."""
        return f"{self.name}/{self.id}"

    @property
    def revoked_entries(self) -> int:
        """How many certificates are revoked in all."""
        return sum(each.entries for each in self.revocations)

    @property
    def arn(self) -> str:
        """``arn:aws:elasticloadbalancing:R:A:truststore/NAME/ID``."""
        return self.scope.arn(SERVICE, f"truststore/{self.path}")
