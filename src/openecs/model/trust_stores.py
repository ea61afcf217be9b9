"""Trust stores: the authorities whose certificates clients of listeners may show.

User Guide for Application Load Balancers, "Mutual authentication with TLS".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope
from openecs.model.load_balancing import SERVICE


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
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """``NAME/ID``: its key."""
        return f"{self.name}/{self.id}"

    @property
    def arn(self) -> str:
        """``arn:aws:elasticloadbalancing:R:A:truststore/NAME/ID``."""
        return self.scope.arn(SERVICE, f"truststore/{self.path}")
