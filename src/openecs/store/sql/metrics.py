"""``SqlMetricStore``: metrics in a database.

Samples are rows that are only ever added, so that several processes may put at once and nothing is
read to write; what falls into one period is put together when it is read, and for good when it is
rolled up. Everything that waits for the disk is committed at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from openecs.model.metrics import Datapoint, Metric, Sample, Statistics, condensed, merged, of_value
from openecs.store.metrics import MetricFilter, Span
from openecs.store.sql.bulk import BulkDatabase
from openecs.store.sql.tables import TEXT

metadata = MetaData()

_ID = BigInteger().with_variant(Integer, "sqlite")

series = Table(
    "metric_series",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("account", TEXT, nullable=False),
    Column("region", TEXT, nullable=False),
    Column("namespace", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    #: JSON: pairs of names and values, by name.
    Column("dimensions", TEXT, nullable=False),
    UniqueConstraint("account", "region", "namespace", "name", "dimensions"),
)

#: ``moment``: seconds since the epoch, a multiple of ``resolution``.
points = Table(
    "metric_points",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("series", _ID, nullable=False),
    Column("moment", BigInteger, nullable=False),
    Column("resolution", Integer, nullable=False),
    Column("unit", TEXT, nullable=False),
    Column("statistics", LargeBinary, nullable=False),
    Index("metric_points_by_time", "series", "moment"),
    Index("metric_points_by_age", "resolution", "moment"),
)

#: Seconds of a tier's periods, how long it is kept, and those of the next one; None: gone for good.
_TIERS = (
    (1, timedelta(hours=3), 60),
    (60, timedelta(days=15), 300),
    (300, timedelta(days=63), 3600),
    (3600, timedelta(days=455), None),
)
#: How many rows are rolled up in one transaction: bounds how long others wait.
_BATCH = 5_000


class SqlMetricStore:
    """A ``MetricStore`` in the database of a URL: a SQLite file of its own, or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._ids: dict[Metric, int] = {}
        self._database = BulkDatabase(url, metadata, "metrics", undone=self._ids.clear)

    async def open(self) -> None:
        """Connect, and make the tables. Raises ``StoreUnavailable``."""
        await self._database.open()

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        await self._database.close()

    async def put(self, samples: Sequence[Sample]) -> None:
        """Add them all, or none."""
        if samples:
            await self._database.written(lambda connection: self._add(connection, samples))

    async def read(self, spans: Sequence[Span]) -> Sequence[Sequence[Datapoint]]:
        """What falls into each period, put together."""
        return await self._database.asked(lambda c: [self._datapoints(c, span) for span in spans])

    async def metrics(
        self, wanted: MetricFilter, *, after: Metric | None = None, limit: int | None = None
    ) -> Sequence[Metric]:
        """The metrics there are, in order."""
        found = await self._database.asked(lambda connection: _metrics(connection, wanted))
        kept = sorted(metric for metric in found if after is None or metric > after)
        return kept[:limit]

    async def trim(self, now: datetime) -> None:
        """Roll up and forget, a little at a time."""
        for seconds, kept, coarser in _TIERS:
            until = int((now - kept).timestamp()) // (coarser or seconds) * (coarser or seconds)
            work = partial(_roll_up, seconds=seconds, until=until, coarser=coarser)
            while await self._database.written(work):
                pass
        await self._database.written(self._forget_series)

    async def clear(self) -> None:
        """Forget everything."""

        def work(connection: Connection) -> None:
            self._ids.clear()
            connection.execute(delete(points))
            connection.execute(delete(series))

        await self._database.written(work)

    def _add(self, connection: Connection, samples: Sequence[Sample]) -> None:
        rows = [
            {
                "series": self._series(connection, sample.metric),
                "moment": int(sample.timestamp.timestamp() // sample.resolution)
                * sample.resolution,
                "resolution": sample.resolution,
                "unit": sample.unit,
                "statistics": _encoded(sample.statistics),
            }
            for sample in samples
        ]
        connection.execute(insert(points), rows)

    def _series(self, connection: Connection, metric: Metric) -> int:
        known = self._ids.get(metric)
        if known is None:
            known = self._ids[metric] = _ensured(connection, metric)
        return known

    def _datapoints(self, connection: Connection, span: Span) -> list[Datapoint]:
        found = connection.execute(_FIND, _identity(span.metric)).scalar()
        if found is None:
            return []
        first, end = _up(span.start, span.period), _up(span.end, span.period)
        query = (
            select(points.c.moment, points.c.unit, points.c.statistics)
            .where(points.c.series == found, points.c.moment >= first, points.c.moment < end)
            .order_by(points.c.moment)
        )
        if span.unit is not None:
            query = query.where(points.c.unit == span.unit)
        periods: defaultdict[tuple[int, str], list[Statistics]] = defaultdict(list)
        for moment, unit, statistics in connection.execute(query):
            periods[moment // span.period * span.period, unit].append(_decoded(statistics))
        return [
            Datapoint(datetime.fromtimestamp(begin, UTC), unit, merged(parts))
            for (begin, unit), parts in sorted(periods.items())
        ]

    def _forget_series(self, connection: Connection) -> None:
        self._ids.clear()
        used = exists().where(points.c.series == series.c.id)
        connection.execute(delete(series).where(~used))


_FIND = select(series.c.id).where(
    *(series.c[name] == bindparam(name) for name in series.columns.keys()[1:])
)


def _identity(metric: Metric) -> dict[str, str]:
    return {
        "account": metric.scope.account,
        "region": metric.scope.region,
        "namespace": metric.namespace,
        "name": metric.name,
        "dimensions": msgspec.json.encode(metric.dimensions).decode(),
    }


def _ensured(connection: Connection, metric: Metric) -> int:
    """The id of a metric, which is new if nobody has put it yet."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(series).values(_identity(metric)).on_conflict_do_nothing())
    found: int = connection.execute(_FIND, _identity(metric)).scalar_one()
    return found


def _metrics(connection: Connection, wanted: MetricFilter) -> list[Metric]:
    query = select(series.c.namespace, series.c.name, series.c.dimensions).where(
        series.c.account == wanted.scope.account, series.c.region == wanted.scope.region
    )
    if wanted.namespace is not None:
        query = query.where(series.c.namespace == wanted.namespace)
    if wanted.name is not None:
        query = query.where(series.c.name == wanted.name)
    if wanted.active_since is not None:
        since = int(wanted.active_since.timestamp())
        recent = exists().where(points.c.series == series.c.id, points.c.moment >= since)
        query = query.where(recent)
    found = []
    for namespace, name, dimensions in connection.execute(query):
        pairs = tuple((each[0], each[1]) for each in msgspec.json.decode(dimensions))
        if _has(dict(pairs), wanted):
            found.append(Metric(wanted.scope, namespace, name, pairs))
    return found


def _has(dimensions: Mapping[str, str], wanted: MetricFilter) -> bool:
    return all(
        name in dimensions and value in {None, dimensions[name]}
        for name, value in wanted.dimensions
    )


def _roll_up(connection: Connection, *, seconds: int, until: int, coarser: int | None) -> bool:
    """Put a batch of old rows together in longer periods; whether there are more."""
    old = (points.c.resolution == seconds, points.c.moment < until)
    first = connection.execute(select(func.min(points.c.series)).where(*old)).scalar()
    if first is None:
        return False
    query = (
        select(points.c.id, points.c.moment, points.c.unit, points.c.statistics)
        .where(*old, points.c.series == first)
        .order_by(points.c.moment)
        .limit(_BATCH)
    )
    rows = connection.execute(query).all()
    parts: defaultdict[tuple[int, str], list[Statistics]] = defaultdict(list)
    for _, moment, unit, statistics in rows if coarser else ():
        parts[moment // (coarser or 1) * (coarser or 1), unit].append(_decoded(statistics))
    connection.execute(
        delete(points).where(points.c.id == bindparam("gone")), [{"gone": row.id} for row in rows]
    )
    if parts:
        connection.execute(
            insert(points),
            [
                {
                    "series": first,
                    "moment": moment,
                    "resolution": coarser,
                    "unit": unit,
                    "statistics": _encoded(condensed(merged(known))),
                }
                for (moment, unit), known in parts.items()
            ],
        )
    return True


def _up(moment: datetime, period: int) -> int:
    """The first multiple of the period at or after a moment."""
    return -int(-moment.timestamp() // period) * period


def _encoded(statistics: Statistics) -> bytes:
    """One value that came once is a number; all else a list."""
    if statistics == of_value(statistics.minimum):
        return msgspec.msgpack.encode(statistics.minimum)
    flat = [number for pair in statistics.values for number in pair]
    known = [statistics.count, statistics.sum, statistics.minimum, statistics.maximum, *flat]
    return msgspec.msgpack.encode(known)


def _decoded(stored: bytes) -> Statistics:
    read: Any = msgspec.msgpack.decode(stored)
    if not isinstance(read, list):
        return of_value(read)
    count, total, minimum, maximum, *flat = read
    pairs = tuple(zip(flat[::2], flat[1::2], strict=True))
    return Statistics(count, total, minimum, maximum, pairs)
