"""Log groups as they are stored, and the contract of the place where their events are.

Groups are resources. Streams and events are bulk data, outside of resources and feed, that know
their group by its id; those of a group that was deleted are dropped later, by whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from openecs.model.log_queries import Answer, LogQuery, QueryDefinition, Question
from openecs.model.logs import (
    KeptEvent,
    LogEvent,
    LogGroup,
    LogMetricFilter,
    LogStream,
    LogSubscriptionFilter,
    Position,
)
from openecs.store.base import Kind

LOG_GROUPS: Kind[LogGroup] = Kind(
    name="log-group",
    type=LogGroup,
    key=lambda group: group.name,
    scope=lambda group: group.scope,
    global_indexes={"present": lambda _: ()},
)

LOG_METRIC_FILTERS: Kind[LogMetricFilter] = Kind(
    name="log-metric-filter",
    type=LogMetricFilter,
    key=lambda each: filter_key(each.group, each.name),
    scope=lambda each: each.scope,
    indexes={"group": lambda each: (each.group,)},
    global_indexes={"present": lambda _: ()},
)

LOG_SUBSCRIPTION_FILTERS: Kind[LogSubscriptionFilter] = Kind(
    name="log-subscription-filter",
    type=LogSubscriptionFilter,
    key=lambda each: filter_key(each.group, each.name),
    scope=lambda each: each.scope,
    indexes={"group": lambda each: (each.group,)},
    global_indexes={"present": lambda _: ()},
)

LOG_QUERIES: Kind[LogQuery] = Kind(
    name="log-query",
    type=LogQuery,
    key=lambda each: each.id,
    scope=lambda each: each.scope,
    global_indexes={"present": lambda _: ()},
)

LOG_QUERY_DEFINITIONS: Kind[QueryDefinition] = Kind(
    name="log-query-definition",
    type=QueryDefinition,
    key=lambda each: each.id,
    scope=lambda each: each.scope,
    indexes={"present": lambda _: ()},
)

KINDS = (
    LOG_GROUPS,
    LOG_METRIC_FILTERS,
    LOG_SUBSCRIPTION_FILTERS,
    LOG_QUERIES,
    LOG_QUERY_DEFINITIONS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRange:
    """Which events of a group are meant, of some streams or (None) of all.

    From ``start`` on, before ``end``; strictly behind ``after`` and before ``before``.
    """

    group: int
    streams: tuple[str, ...] | None = None
    start: int | None = None
    end: int | None = None
    after: Position | None = None
    before: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFilter:
    """Which streams of a group, in which order, behind which: by name, or by the last event.

    ``after`` is the name of a stream and, by the last event, the time of its last event then.
    """

    group: int
    prefix: str = ""
    by_last_event: bool = False
    descending: bool = False
    after: tuple[int, str] | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far somebody has read a source of events, kept with what was read."""

    source: str
    position: str


class LogStore(Protocol):
    """A place for logs. Open it once, close it once. Methods raise ``StoreUnavailable``."""

    async def open(self) -> None:
        """Connect, and bring the schema up to date."""
        ...

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        ...

    async def create_stream(self, group: int, name: str, now: int) -> bool:
        """Make a stream; False: there was one of that name."""
        ...

    async def delete_stream(self, group: int, name: str) -> bool:
        """Drop a stream and its events; False: there was none."""
        ...

    async def stream(self, group: int, name: str) -> LogStream | None:
        """A stream."""
        ...

    async def streams(self, wanted: StreamFilter) -> Sequence[LogStream]:
        """The streams that are wanted, in their order."""
        ...

    async def append(
        self,
        group: int,
        stream: str,
        events: Sequence[LogEvent],
        now: int,
        cursor: Cursor | None = None,
    ) -> bool:
        """Keep all events, and the cursor, or nothing; on return they are durable.

        False: there is no such stream.
        """
        ...

    async def read(
        self, wanted: EventRange, limit: int, *, descending: bool = False
    ) -> Sequence[KeptEvent]:
        """The first events that are wanted, in their order; descending: the last, last first."""
        ...

    async def newer(
        self, after: int, limit: int, group: int | None = None
    ) -> Sequence[tuple[int, KeptEvent]]:
        """Events behind an id, with their group, in the order they were kept in; None: of all.

        Once one is told, none with a smaller id comes any more.
        """
        ...

    async def ask(self, question: Question, is_over: Callable[[], bool]) -> Answer:
        """The answer to a question; ``is_over`` is asked now and then, by another thread.

        Raises ``QuestionStopped`` and ``QuestionFailed``.
        """
        ...

    async def newest(self) -> int:
        """The id of the last event that was kept; 0: there is none."""
        ...

    async def put_cursor(self, cursor: Cursor) -> None:
        """Keep how far a source was read."""
        ...

    async def cursor(self, source: str) -> str | None:
        """How far a source was read."""
        ...

    async def sources(self, prefix: str) -> Sequence[str]:
        """The sources that cursors are kept of, of those that start so."""
        ...

    async def forget_cursor(self, source: str) -> None:
        """A source has gone."""
        ...

    async def sizes(self, groups: Sequence[int]) -> Mapping[int, int]:
        """The bytes of the events of groups."""
        ...

    async def groups(self) -> Sequence[int]:
        """The groups that have streams."""
        ...

    async def trim(self, group: int, before: int) -> None:
        """Drop the events of a group from before a time."""
        ...

    async def shrink(self, most: int) -> int:
        """Drop what was kept first until all events have at most so many bytes; what went."""
        ...

    async def drop(self, group: int) -> None:
        """Drop all streams of a group."""
        ...

    async def clear(self) -> None:
        """Forget everything."""
        ...


def filter_key(group: str, name: str) -> str:
    """The key of a filter; those of one group are next to each other."""
    return f"{group}:{name}"


def size_of(message: str) -> int:
    """What CloudWatch counts for an event: its message in UTF-8 and 26 bytes."""
    return len(message.encode()) + 26
