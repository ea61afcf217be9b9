"""The time that a request asks of, as metrics are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from openecs.api.base import Call


def moment(given: datetime) -> datetime:
    """A time in UTC."""
    return given.astimezone(UTC)


def down(call: Call, start: datetime, period: int) -> datetime:
    """The begin of the period, of the coarser ones that are left of what is old."""
    age = call.now - start
    kept = 1 if period < 60 else 60
    if age > timedelta(days=63):
        kept = 3600
    elif age > timedelta(days=15):
        kept = 300
    step = max(period, kept)
    return datetime.fromtimestamp(start.timestamp() // step * step, UTC)


def up(end: datetime, period: int) -> datetime:
    """The end of the period, or of the minute of longer ones."""
    step = min(period, 60)
    return datetime.fromtimestamp(-(-end.timestamp() // step) * step, UTC)
