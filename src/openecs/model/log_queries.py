"""Queries of logs, and what they have come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openecs.model.identity import Scope


class QueryStatus(StrEnum):
    """How far a query is, as in the API."""

    SCHEDULED = "Scheduled"
    COMPLETE = "Complete"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    TIMEOUT = "Timeout"


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query as SQL of SQLite's over ``source``: named steps, and the one that is told.

    ``times``: the columns that are milliseconds since the epoch.
    """

    steps: str
    final: str
    parameters: Mapping[str, Any]
    columns: tuple[str, ...]
    times: frozenset[str]


@dataclass(frozen=True, slots=True)
class Question:
    """A query, of which events: of groups, by their ids, with their names; times inclusive."""

    query: Compiled
    groups: Mapping[int, str]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows, and what was looked at."""

    rows: Sequence[tuple[Any, ...]]
    scanned: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuery:
    """A query that somebody started. ``rows`` are (field, value) as they are told."""

    scope: Scope
    id: str
    text: str
    groups: tuple[str, ...]
    start: int
    end: int
    limit: int
    created: int
    caller: str
    status: QueryStatus = QueryStatus.SCHEDULED
    rows: tuple[tuple[tuple[str, str], ...], ...] = field(default=())
    scanned: int = 0
    size: int = 0
    #: Milliseconds it took.
    took: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryDefinition:
    """A query that is kept under a name."""

    scope: Scope
    id: str
    name: str
    text: str
    groups: tuple[str, ...]
    modified: int
