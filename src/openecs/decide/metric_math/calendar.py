"""What the functions of time say of a moment, which is seconds since the epoch, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def minute(at: int) -> int:
    """0 to 59."""
    return at // 60 % 60


def hour(at: int) -> int:
    """0 to 23."""
    return at // 3600 % 24


def day(at: int) -> int:
    """Of the week: 1 is Monday."""
    return datetime.fromtimestamp(at, UTC).isoweekday()


def date(at: int) -> int:
    """Of the month."""
    return datetime.fromtimestamp(at, UTC).day


def month(at: int) -> int:
    """1 to 12."""
    return datetime.fromtimestamp(at, UTC).month


def year(at: int) -> int:
    """In full."""
    return datetime.fromtimestamp(at, UTC).year
