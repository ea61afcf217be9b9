"""Logs in plain lists: for tests, simulation and ``--ephemeral``."""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count

from openecs.model.log_queries import Answer, Question
from openecs.model.logs import KeptEvent, LogEvent, LogStream, Position
from openecs.store.log_questions import answered_of
from openecs.store.logs import Cursor, EventRange, StreamFilter, size_of


class MemoryLogStore:
    """A ``LogStore`` that forgets with the process."""

    def __init__(self) -> None:
        self._streams: defaultdict[int, dict[str, LogStream]] = defaultdict(dict)
        self._events: defaultdict[int, list[KeptEvent]] = defaultdict(list)
        self._cursors: dict[str, str] = {}
        self._ids = count(1)

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to let go of."""

    async def create_stream(self, group: int, name: str, now: int) -> bool:
        """Make a stream; False: there was one of that name."""
        if name in self._streams[group]:
            return False
        self._streams[group][name] = LogStream(name=name, created=now)
        return True

    async def delete_stream(self, group: int, name: str) -> bool:
        """Drop a stream and its events; False: there was none."""
        self._events[group] = [each for each in self._events[group] if each.stream != name]
        return self._streams[group].pop(name, None) is not None

    async def stream(self, group: int, name: str) -> LogStream | None:
        """A stream."""
        return self._streams[group].get(name)

    async def streams(self, wanted: StreamFilter) -> Sequence[LogStream]:
        """Look at each."""

        def key(stream: LogStream) -> tuple[int, str]:
            return (stream.last_event or 0 if wanted.by_last_event else 0, stream.name)

        named = (s for n, s in self._streams[wanted.group].items() if n.startswith(wanted.prefix))
        found = sorted(named, key=key, reverse=wanted.descending)
        if (after := wanted.after) is not None:
            found = [s for s in found if (key(s) < after if wanted.descending else key(s) > after)]
        return found[: wanted.limit]

    async def append(
        self,
        group: int,
        stream: str,
        events: Sequence[LogEvent],
        now: int,
        cursor: Cursor | None = None,
    ) -> bool:
        """Keep each where it belongs."""
        known = self._streams[group].get(stream)
        if known is None:
            return False
        if cursor is not None:
            self._cursors[cursor.source] = cursor.position
        if not events:
            return True
        for event in events:
            kept = KeptEvent(
                id=next(self._ids),
                stream=stream,
                timestamp=event.timestamp,
                ingested=now,
                message=event.message,
            )
            insort(self._events[group], kept, key=lambda each: each.position)
        times = [event.timestamp for event in events]
        first, last = known.first_event, known.last_event
        self._streams[group][stream] = replace(
            known,
            first_event=min(times) if first is None else min(first, *times),
            last_event=max(times) if last is None else max(last, *times),
            last_ingestion=now,
        )
        return True

    async def read(
        self, wanted: EventRange, limit: int, *, descending: bool = False
    ) -> Sequence[KeptEvent]:
        """Look at each."""
        events = self._events[wanted.group]
        found = (each for each in (reversed(events) if descending else events))
        return [each for each in found if _is_meant(each, wanted)][:limit]

    async def newer(
        self, after: int, limit: int, group: int | None = None
    ) -> Sequence[tuple[int, KeptEvent]]:
        """Look at each."""
        found = [
            (each, event)
            for each, events in self._events.items()
            if group in {None, each}
            for event in events
            if event.id > after
        ]
        return sorted(found, key=lambda pair: pair[1].id)[:limit]

    async def ask(self, question: Question, is_over: Callable[[], bool]) -> Answer:
        """Load what is meant into SQLite."""
        rows = [
            (e.id, e.timestamp, e.ingested, e.message, e.stream, group)
            for group in question.groups
            for e in self._events[group]
            if question.start <= e.timestamp <= question.end
        ]
        return await asyncio.to_thread(answered_of, rows, question, is_over)

    async def newest(self) -> int:
        """The id of the last event."""
        return max((e.id for events in self._events.values() for e in events), default=0)

    async def put_cursor(self, cursor: Cursor) -> None:
        """Keep how far a source was read."""
        self._cursors[cursor.source] = cursor.position

    async def cursor(self, source: str) -> str | None:
        """How far a source was read."""
        return self._cursors.get(source)

    async def sources(self, prefix: str) -> Sequence[str]:
        """Look at each."""
        return sorted(source for source in self._cursors if source.startswith(prefix))

    async def forget_cursor(self, source: str) -> None:
        """A source has gone."""
        self._cursors.pop(source, None)

    async def sizes(self, groups: Sequence[int]) -> Mapping[int, int]:
        """Count."""
        return {group: sum(size_of(e.message) for e in self._events[group]) for group in groups}

    async def groups(self) -> Sequence[int]:
        """The groups that have streams."""
        return sorted(group for group, streams in self._streams.items() if streams)

    async def trim(self, group: int, before: int) -> None:
        """Drop what is older."""
        self._events[group] = [e for e in self._events[group] if e.timestamp >= before]

    async def shrink(self, most: int) -> int:
        """Drop what was kept first."""
        found = sorted((e.id, g, e) for g, events in self._events.items() for e in events)
        size, dropped = sum(size_of(e.message) for _, _, e in found), 0
        for _, group, event in found:
            if size - dropped <= most:
                break
            self._events[group].remove(event)
            dropped += size_of(event.message)
        return dropped

    async def drop(self, group: int) -> None:
        """Drop all streams of a group."""
        self._streams.pop(group, None)
        self._events.pop(group, None)

    async def clear(self) -> None:
        """Forget everything."""
        self._streams.clear()
        self._events.clear()
        self._cursors.clear()


def _is_meant(event: KeptEvent, wanted: EventRange) -> bool:
    first, last = Position(wanted.start or 0, 0), wanted.before
    return (
        (wanted.streams is None or event.stream in wanted.streams)
        and event.position >= first
        and (wanted.end is None or event.timestamp < wanted.end)
        and (wanted.after is None or event.position > wanted.after)
        and (last is None or event.position < last)
    )
