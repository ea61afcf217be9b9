"""Leases: that one of several processes does something, or lives, until a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """``holder`` has it until ``expires_at``, unless it is renewed before."""

    name: str
    holder: str
    expires_at: datetime
