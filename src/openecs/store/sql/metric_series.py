"""Which metric has which number in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from openecs.model.metrics import Metric
from openecs.store.metrics import MetricFilter
from openecs.store.sql.driver import rows_of, run_many
from openecs.store.sql.metric_tables import blocks, generation, series

#: No block is longer.
_DAY = 24 * 60 * 60

_NAMES = ("account", "region", "namespace", "name", "dimensions")
_FIND = select(series.c.id).where(*(series.c[name] == bindparam(name) for name in _NAMES))
_GENERATION = select(generation.c.number)
#: Whoever puts holds it until the commit: until then no series goes.
_HELD_GENERATION = _GENERATION.with_for_update(read=True)
_ADD_HERE, _ADD_SHARED = (
    dialect.insert(series)
    .values({name: bindparam(name) for name in _NAMES})
    .on_conflict_do_nothing()
    for dialect in (sqlite, postgresql)
)


class SeriesIds:
    """Ids as they are known to one thread, for as long as no series has gone."""

    def __init__(self) -> None:
        self._ids: dict[Metric, int] = {}
        self._generation = -1

    def forget(self) -> None:
        """What is known was never committed."""
        self._ids.clear()

    def found(self, connection: Connection, metrics: Collection[Metric]) -> Mapping[Metric, int]:
        """The ids of those metrics that are there."""
        self._look(connection, is_held=False)
        return self._with(connection, metrics)

    def ensured(self, connection: Connection, metrics: Collection[Metric]) -> Mapping[Metric, int]:
        """The ids of all metrics, until the commit; they are new where nobody has put them yet."""
        self._look(connection, is_held=True)
        # In one order: two that add the same wait for each other in a row, not in a ring.
        missing = sorted({metric for metric in metrics if metric not in self._ids})
        if missing:
            is_here = connection.dialect.name == "sqlite"
            add = _ADD_HERE if is_here else _ADD_SHARED
            run_many(connection, add, [_identity(metric) for metric in missing])
        return self._with(connection, missing)

    def _with(self, connection: Connection, metrics: Collection[Metric]) -> Mapping[Metric, int]:
        for metric in metrics:
            if metric not in self._ids and (known := _find(connection, metric)) is not None:
                self._ids[metric] = known
        return self._ids

    def _look(self, connection: Connection, *, is_held: bool) -> None:
        query = _HELD_GENERATION if is_held else _GENERATION
        ((number,),) = rows_of(connection, query, {})
        if number != self._generation:
            self._ids.clear()
            self._generation = number


def advance(connection: Connection) -> None:
    """Series go: waits for those who put, and makes others wait until the commit."""
    connection.execute(update(generation).values(number=generation.c.number + 1))


def listed(
    connection: Connection, wanted: MetricFilter, recent: Collection[int]
) -> Sequence[Metric]:
    """The metrics there are; ``recent`` are those with samples that are in no block yet."""
    columns = [series.c.id, series.c.namespace, series.c.name, series.c.dimensions]
    query = select(*columns).where(
        series.c.account == wanted.scope.account, series.c.region == wanted.scope.region
    )
    if wanted.namespace is not None:
        query = query.where(series.c.namespace == wanted.namespace)
    if wanted.name is not None:
        query = query.where(series.c.name == wanted.name)
    active: set[int] | None = None
    if wanted.active_since is not None:
        since = int(wanted.active_since.timestamp())
        has_block = exists().where(
            blocks.c.series == series.c.id, blocks.c.begin > since - _DAY, blocks.c.last >= since
        )
        ids = query.with_only_columns(series.c.id).where(has_block)
        active = {*recent, *connection.execute(ids).scalars()}
    found = []
    for number, namespace, name, dimensions in connection.execute(query):
        pairs = tuple((each[0], each[1]) for each in msgspec.json.decode(dimensions))
        if (active is None or number in active) and _has(dict(pairs), wanted):
            found.append(Metric(wanted.scope, namespace, name, pairs))
    return found


def _has(dimensions: Mapping[str, str], wanted: MetricFilter) -> bool:
    return all(
        name in dimensions and value in {None, dimensions[name]}
        for name, value in wanted.dimensions
    )


def _find(connection: Connection, metric: Metric) -> int | None:
    found = rows_of(connection, _FIND, _identity(metric))
    return int(found[0][0]) if found else None


def _identity(metric: Metric) -> dict[str, str]:
    return {
        "account": metric.scope.account,
        "region": metric.scope.region,
        "namespace": metric.namespace,
        "name": metric.name,
        "dimensions": msgspec.json.encode(metric.dimensions).decode(),
    }
