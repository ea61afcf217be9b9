"""What queries of logs tell, as texts.

CloudWatch Logs API Reference, GetQueryResults.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from openecs.model.log_queries import Compiled

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = tuple[tuple[str, str], ...]


def told(query: Compiled, rows: Iterable[Sequence[Any]]) -> tuple[Row, ...]:
    """Each row's fields and their values; those that are nothing are left out."""
    return tuple(
        tuple(
            (name, _text(value, is_time=name in query.times))
            for name, value in zip(query.columns, row, strict=True)
            if value is not None
        )
        for row in rows
    )


def _text(value: Any, *, is_time: bool) -> str:
    if is_time and isinstance(value, int | float):
        return _moment(int(value))
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return str(value)


def _moment(milliseconds: int) -> str:
    try:
        at = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return str(milliseconds)
    return f"{at:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"
