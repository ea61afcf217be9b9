"""Dashboards: what an account shows of its metrics. They are in no region.

CloudWatch User Guide, "Using Amazon CloudWatch dashboards".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard; ``body`` is JSON as it was given."""

    scope: Scope
    name: str
    body: str
    modified_at: datetime
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """``arn:aws:cloudwatch::A:dashboard/NAME``."""
        return self.scope.arn("cloudwatch", f"dashboard/{self.name}")
