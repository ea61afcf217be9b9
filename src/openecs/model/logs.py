"""Logs: groups of streams of events. Times are milliseconds since the epoch, as in the API.

CloudWatch Logs User Guide, "Amazon CloudWatch Logs concepts".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from openecs.model.identity import Scope

SERVICE = "logs"
#: The log driver.
AWSLOGS = "awslogs"
DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """A log group. ``id`` is its own: a later group of the same name has another."""

    scope: Scope
    name: str
    id: int
    created: int
    #: Days that events are kept; None: for ever.
    retention: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    log_class: str = "STANDARD"

    @property
    def arn(self) -> str:
        """Its ARN, without the ``:*`` that stands for its streams."""
        return self.scope.arn(SERVICE, f"log-group:{self.name}")

    def stream_arn(self, stream: str) -> str:
        """The ARN of a stream of it."""
        return f"{self.arn}:log-stream:{stream}"

    def oldest(self, now: int) -> int:
        """Events from before are expired."""
        return 0 if self.retention is None else now - self.retention * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStream:
    """A stream, and the times of what is in it; None: it is empty."""

    name: str
    created: int
    first_event: int | None = None
    last_event: int | None = None
    last_ingestion: int | None = None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """What somebody logged, and when."""

    timestamp: int
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where an event stands among others: by its time, then by when it was kept."""

    timestamp: int
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event as it was kept; ``id`` is unlike any other's, and grows."""

    id: int
    stream: str
    timestamp: int
    ingested: int
    message: str

    @property
    def position(self) -> Position:
        """Where it stands."""
        return Position(self.timestamp, self.id)


@dataclass(frozen=True, slots=True)
class Piece:
    """What the engine kept at once: of one of the outputs, a line or (not ``ends``) a part of it.

    ``at``: nanoseconds since the epoch.
    """

    at: int
    output: int
    text: bytes
    ends: bool = True


def milliseconds(moment: datetime) -> int:
    """A moment as the API of logs tells it."""
    return int(moment.timestamp() * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTransformation:
    """What a match is measured as: a number, or ``$.selector`` and ``$field`` of the event."""

    name: str
    namespace: str
    value: str
    default: float | None = None
    unit: str = "None"
    dimensions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMetricFilter:
    """Measures the events of a group that match a pattern, from when it was ``created`` on."""

    scope: Scope
    group: str
    name: str
    pattern: str
    transformation: MetricTransformation
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSubscriptionFilter:
    """Sends the events of a group that match a pattern, from when it was ``created`` on."""

    scope: Scope
    group: str
    name: str
    pattern: str
    destination: str
    created: int
    role: str | None = None
    distribution: str = "ByLogStream"
