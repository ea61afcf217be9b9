"""``SqlLogStore``: streams and events in a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from openecs.model.log_queries import Answer, Question
from openecs.model.logs import KeptEvent, LogEvent, LogStream
from openecs.store.logs import Cursor, EventRange, StreamFilter, size_of
from openecs.store.sql import log_answers
from openecs.store.sql.bulk import BulkDatabase
from openecs.store.sql.driver import fetched, run_many
from openecs.store.sql.tables import TEXT

metadata = MetaData()

_ID = BigInteger().with_variant(Integer, "sqlite")

streams = Table(
    "log_streams",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("group_id", BigInteger, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("first_event", BigInteger),
    #: 0: it is empty, which comes first in the order of last events.
    Column("last_event", BigInteger, nullable=False, default=0),
    Column("last_ingestion", BigInteger),
    Column("bytes", BigInteger, nullable=False, default=0),
    UniqueConstraint("group_id", "name"),
    Index("log_streams_by_last_event", "group_id", "last_event", "name"),
)

events = Table(
    "log_events",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("group_id", BigInteger, nullable=False),
    Column("stream", BigInteger, nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("ingested", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
    Index("log_events_of_stream", "stream", "moment", "id"),
    Index("log_events_of_group", "group_id", "moment", "id"),
    # An id is never given twice, not even that of the last event after it has gone.
    sqlite_autoincrement=True,
)

cursors = Table(
    "log_cursors",
    metadata,
    Column("source", TEXT, primary_key=True),
    Column("position", TEXT, nullable=False),
)

#: How many rows are dropped in one transaction: bounds how long others wait.
_BATCH = 20_000

#: The lock that lasts until the transaction ends; the number is any that is used for nothing else.
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(0x6C6F6773))

_FIND = select(streams).where(
    streams.c.group_id == bindparam("group"), streams.c.name == bindparam("stream")
)
_ADD = insert(events).values(
    {name: bindparam(name) for name in ("group_id", "stream", "moment", "ingested", "message")}
)


class SqlLogStore:
    """A ``LogStore`` in the database of a URL: a SQLite file of its own, or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._database = BulkDatabase(url, metadata.create_all, "logs")

    async def open(self) -> None:
        """Connect, and make the tables."""
        await self._database.open()

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        await self._database.close()

    async def create_stream(self, group: int, name: str, now: int) -> bool:
        """Make a stream; False: there was one of that name."""
        values = {"group_id": group, "name": name, "created": now}
        return await self._database.written(partial(_create_stream, values=values))

    async def delete_stream(self, group: int, name: str) -> bool:
        """Drop a stream and its events; False: there was none."""
        known = await self._database.asked(lambda c: _find(c, group, name))
        if known is None:
            return False
        await self._drop(events.c.stream == known.id, streams.c.id == known.id)
        return True

    async def stream(self, group: int, name: str) -> LogStream | None:
        """A stream."""
        found = await self._database.asked(lambda c: _find(c, group, name))
        return None if found is None else _stream(found)

    async def streams(self, wanted: StreamFilter) -> Sequence[LogStream]:
        """The streams that are wanted, in their order."""
        query = _streams_query(wanted)
        rows = await self._database.asked(lambda c: c.execute(query).all())
        return [_stream(row) for row in rows]

    async def append(
        self,
        group: int,
        stream: str,
        events: Sequence[LogEvent],
        now: int,
        cursor: Cursor | None = None,
    ) -> bool:
        """Keep all events, and the cursor, or nothing."""

        def work(connection: Connection) -> bool:
            known = _find(connection, group, stream)
            if known is None:
                return False
            if events:
                _add(connection, known, events, now)
            if cursor is not None:
                _put_cursor(connection, cursor)
            return True

        return await self._database.written(work)

    async def read(
        self, wanted: EventRange, limit: int, *, descending: bool = False
    ) -> Sequence[KeptEvent]:
        """The first events that are wanted; descending: the last, last first."""

        def work(connection: Connection) -> list[KeptEvent]:
            named = _named(connection, wanted)
            if wanted.streams is not None and not named:
                return []
            query = _events_query(wanted, list(named) if wanted.streams is not None else None)
            moment, id_ = events.c.moment, events.c.id
            order = (moment.desc(), id_.desc()) if descending else (moment, id_)
            rows = fetched(connection, query.order_by(*order).limit(limit))
            if wanted.streams is None:
                named = _names(connection, {row[2] for row in rows})
            return [_event(row, named[row[2]]) for row in rows if row[2] in named]

        return await self._database.asked(work)

    async def newer(
        self, after: int, limit: int, group: int | None = None
    ) -> Sequence[tuple[int, KeptEvent]]:
        """Events behind an id, in its order."""
        query = select(events).where(events.c.id > after).order_by(events.c.id).limit(limit)
        if group is not None:
            # The sum keeps to the order of ids: the index of the group has another one.
            query = query.where(events.c.group_id + 0 == group)

        def work(connection: Connection) -> list[tuple[int, KeptEvent]]:
            rows = fetched(connection, query)
            named = _names(connection, {row[2] for row in rows})
            return [(row[1], _event(row, named.get(row[2], ""))) for row in rows]

        return await self._database.asked(work)

    async def ask(self, question: Question, is_over: Callable[[], bool]) -> Answer:
        """SQLite answers where its file is; of PostgreSQL's it gets what is meant."""
        return await self._database.asked(lambda c: log_answers.ask(c, question, is_over))

    async def newest(self) -> int:
        """The id of the last event."""
        query = select(func.coalesce(func.max(events.c.id), 0))
        return await self._database.asked(lambda c: int(c.execute(query).scalar_one()))

    async def put_cursor(self, cursor: Cursor) -> None:
        """Keep how far a source was read."""
        await self._database.written(lambda c: _put_cursor(c, cursor))

    async def cursor(self, source: str) -> str | None:
        """How far a source was read."""
        query = select(cursors.c.position).where(cursors.c.source == source)
        return await self._database.asked(lambda c: c.execute(query).scalar())

    async def sources(self, prefix: str) -> Sequence[str]:
        """The sources that cursors are kept of."""
        query = select(cursors.c.source).where(cursors.c.source.startswith(prefix, autoescape=True))
        rows = await self._database.asked(lambda c: c.execute(query).scalars().all())
        return sorted(rows)

    async def forget_cursor(self, source: str) -> None:
        """A source has gone."""
        gone = delete(cursors).where(cursors.c.source == source)
        await self._database.written(lambda c: c.execute(gone))

    async def sizes(self, groups: Sequence[int]) -> Mapping[int, int]:
        """What was counted when it was kept."""
        query = (
            select(streams.c.group_id, func.sum(streams.c.bytes))
            .where(streams.c.group_id.in_(groups))
            .group_by(streams.c.group_id)
        )
        rows = await self._database.asked(lambda c: c.execute(query).all())
        return {**dict.fromkeys(groups, 0), **{group: int(size) for group, size in rows}}

    async def groups(self) -> Sequence[int]:
        """The groups that have streams."""
        of_streams = select(streams.c.group_id).distinct()
        rows = await self._database.asked(lambda c: c.execute(of_streams).scalars().all())
        return sorted(rows)

    async def trim(self, group: int, before: int) -> None:
        """Drop the events of a group from before a time, a little at a time."""
        old = (events.c.group_id == group) & (events.c.moment < before)
        await self._drop_events(old)

    async def shrink(self, most: int) -> int:
        """Drop what was kept first, a little at a time."""
        total = 0
        while dropped := await self._database.written(partial(_shrink_some, most=most)):
            total += dropped
        return total

    async def drop(self, group: int) -> None:
        """Drop all streams of a group; last of all that it is known."""
        await self._drop(events.c.group_id == group, streams.c.group_id == group)

    async def clear(self) -> None:
        """Forget everything."""

        def work(connection: Connection) -> None:
            for table in (events, streams, cursors):
                connection.execute(delete(table))

        await self._database.written(work)

    async def _drop(self, which: Any, of: Any) -> None:
        """Streams with their events, which may come in until the end."""
        await self._drop_events(which)

        def work(connection: Connection) -> None:
            connection.execute(delete(events).where(which))
            connection.execute(delete(streams).where(of))

        await self._database.written(work)

    async def _drop_events(self, which: Any) -> None:
        while await self._database.written(partial(_drop_some, which=which)):
            pass


def _find(connection: Connection, group: int, name: str) -> Row[Any] | None:
    return connection.execute(_FIND, {"group": group, "stream": name}).first()


def _create_stream(connection: Connection, *, values: Mapping[str, Any]) -> bool:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    new = dialect.insert(streams).values(**values).on_conflict_do_nothing()
    return connection.execute(new.returning(streams.c.id)).first() is not None


def _add(connection: Connection, stream: Row[Any], added: Sequence[LogEvent], now: int) -> None:
    if connection.dialect.name != "sqlite":
        # One process at a time: events become visible in the order of their ids.
        connection.execute(_ONE_AT_A_TIME)
    rows = [
        {
            "group_id": stream.group_id,
            "stream": stream.id,
            "moment": event.timestamp,
            "ingested": now,
            "message": event.message,
        }
        for event in added
    ]
    run_many(connection, _ADD, rows)
    times = [event.timestamp for event in added]
    first, last = min(times), max(times)
    table = streams.c
    connection.execute(
        update(streams)
        .where(table.id == stream.id)
        .values(
            first_event=first if stream.first_event is None else min(first, stream.first_event),
            last_event=max(last, stream.last_event),
            last_ingestion=now,
            bytes=table.bytes + sum(size_of(event.message) for event in added),
        )
    )


def _put_cursor(connection: Connection, cursor: Cursor) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    values = {"source": cursor.source, "position": cursor.position}
    new = dialect.insert(cursors).values(**values)
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["source"], set_={"position": new.excluded.position}
        )
    )


def _streams_query(wanted: StreamFilter) -> Select[Any]:
    table = streams.c
    query = select(streams).where(table.group_id == wanted.group)
    if wanted.prefix:
        behind = wanted.prefix[:-1] + chr(ord(wanted.prefix[-1]) + 1)
        query = query.where(table.name >= wanted.prefix, table.name < behind)
    columns = (table.last_event, table.name) if wanted.by_last_event else (table.name,)
    if wanted.after is not None:
        known = wanted.after if wanted.by_last_event else wanted.after[1:]
        here, there = tuple_(*columns), tuple_(*(literal(word) for word in known))
        query = query.where(here < there if wanted.descending else here > there)
    order = [column.desc() if wanted.descending else column for column in columns]
    return query.order_by(*order).limit(wanted.limit)


def _named(connection: Connection, wanted: EventRange) -> Mapping[int, str]:
    """The names of the streams that are asked for, by their ids."""
    if wanted.streams is None:
        return {}
    query = select(streams.c.id, streams.c.name).where(
        streams.c.group_id == wanted.group, streams.c.name.in_(wanted.streams)
    )
    return {row.id: row.name for row in connection.execute(query)}


def _names(connection: Connection, ids: set[int]) -> Mapping[int, str]:
    query = select(streams.c.id, streams.c.name).where(streams.c.id.in_(ids))
    return {row.id: row.name for row in connection.execute(query)}


def _events_query(wanted: EventRange, of: Sequence[int] | None) -> Select[Any]:
    table = events.c
    query = select(events)
    if of is not None and len(of) == 1:
        query = query.where(table.stream == of[0])
    else:
        query = query.where(table.group_id == wanted.group)
    if of is not None and len(of) > 1:
        # Of several streams the index of the group has the order; the sum keeps to it.
        query = query.where((table.stream + 0).in_(of))
    first = wanted.start if wanted.after is None else max(wanted.start or 0, wanted.after.timestamp)
    if first is not None:
        query = query.where(table.moment >= first)
    if wanted.end is not None:
        query = query.where(table.moment < wanted.end)
    here = tuple_(table.moment, table.id)
    if (after := wanted.after) is not None:
        query = query.where(here > tuple_(literal(after.timestamp), literal(after.id)))
    if (before := wanted.before) is not None:
        query = query.where(here < tuple_(literal(before.timestamp), literal(before.id)))
    return query


def _stream(row: Row[Any]) -> LogStream:
    return LogStream(
        name=row.name,
        created=row.created,
        first_event=row.first_event,
        last_event=row.last_event if row.first_event is not None else None,
        last_ingestion=row.last_ingestion,
    )


def _event(row: Sequence[Any], stream: str) -> KeptEvent:
    """Of a row in the order of the table's columns."""
    id_, _, _, moment, ingested, message = row
    return KeptEvent(id=id_, stream=stream, timestamp=moment, ingested=ingested, message=message)


def _drop_some(connection: Connection, *, which: Any) -> bool:
    """Drop a batch of events, and count off their bytes; whether there may be more."""
    query = select(events.c.id, events.c.stream, events.c.message).where(which).limit(_BATCH)
    rows = connection.execute(query).all()
    if not rows:
        return False
    _drop_rows(connection, rows)
    return len(rows) == _BATCH


def _shrink_some(connection: Connection, *, most: int) -> int:
    """Drop a batch of what was kept first, as far as there is too much; the bytes that went."""
    size = connection.execute(select(func.coalesce(func.sum(streams.c.bytes), 0))).scalar_one()
    excess = int(size) - most
    if excess <= 0:
        return 0
    query = select(events.c.id, events.c.stream, events.c.message).order_by(events.c.id)
    rows: list[Any] = []
    dropped = 0
    for row in connection.execute(query.limit(_BATCH)):
        if dropped >= excess:
            break
        rows.append(row)
        dropped += size_of(row.message)
    _drop_rows(connection, rows)
    return dropped


def _drop_rows(connection: Connection, rows: Iterable[Any]) -> None:
    """Drop events, and count off their bytes."""
    sizes: dict[int, int] = {}
    for _, stream, message in rows:
        sizes[stream] = sizes.get(stream, 0) + size_of(message)
    gone = delete(events).where(events.c.id == bindparam("gone"))
    run_many(connection, gone, [{"gone": row.id} for row in rows])
    for stream, size in sizes.items():
        smaller = update(streams).where(streams.c.id == stream)
        connection.execute(smaller.values(bytes=streams.c.bytes - size))
