"""What becomes of samples: the journal is folded into blocks, and blocks into coarser ones.

Each step is one transaction, and one at a time among all processes: what a block has taken in is
gone from where it came from, whatever happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, select, text
from sqlalchemy.dialects import postgresql, sqlite

from openecs.model.metrics import MANY_VALUES
from openecs.store.metric_blocks import Kept, Known, Period, block, periods, samples, together
from openecs.store.sql import metric_series
from openecs.store.sql.driver import run_many
from openecs.store.sql.metric_tables import blocks, journal, series

#: The key of the advisory lock: "metrics" in bytes.
_LOCK = text(f"SELECT pg_advisory_xact_lock({int.from_bytes(b'metrics')})")

_HOUR = 60 * 60
_DAY = 24 * _HOUR


class Tier(NamedTuple):
    """Periods of so many seconds, how long a block is, and how long it stays as it is."""

    seconds: int
    span: int
    kept: timedelta
    coarser: int | None


TIERS = (
    Tier(1, _HOUR, timedelta(hours=3), 60),
    Tier(60, _HOUR, timedelta(days=15), 300),
    Tier(300, _DAY, timedelta(days=63), _HOUR),
    Tier(_HOUR, _DAY, timedelta(days=455), None),
)
_SPANS = {tier.seconds: tier.span for tier in TIERS}

#: Rows and bytes of the journal that are folded in one transaction, and blocks that are rolled up:
#: they bound how long others wait.
_ROWS, _BYTES, _BLOCKS = 1_000, 3_000_000, 500
#: Pages given back at once.
_PAGES = 2_000
#: Values asked for by one statement.
_ASKED = 500
#: Values of a period that stay as they are when it is rolled up; beyond, they are buckets.
_FEW_VALUES = 4


class _Key(NamedTuple):
    """Which block."""

    series: int
    resolution: int
    begin: int


_Parts = defaultdict[_Key, defaultdict[Period, list[Known]]]

_DROP = delete(blocks).where(*(blocks.c[name] == bindparam(f"the_{name}") for name in _Key._fields))
_FOLDED = delete(journal).where(journal.c.id == bindparam("folded"))


def fold(connection: Connection) -> bool:
    """Bring a part of the journal into blocks; whether there may be more of it."""
    lock(connection)
    return _fold(connection)


def roll_up(connection: Connection, tier: Tier, now: datetime) -> bool:
    """Bring some blocks that are old into coarser ones, or drop them; whether there may be more."""
    lock(connection)
    until = int((now - tier.kept).timestamp()) - tier.span
    columns = (blocks.c.series, blocks.c.resolution, blocks.c.begin, blocks.c.periods)
    query = (
        select(*columns)
        .where(blocks.c.resolution == tier.seconds, blocks.c.begin <= until)
        .order_by(blocks.c.begin, blocks.c.series)
        .limit(_BLOCKS)
    )
    old = connection.execute(query).all()
    if not old:
        return False
    if tier.coarser is not None:
        rolled = _gathered(
            (number, moment, tier.coarser, unit, known)
            for number, resolution, begin, packed in old
            for moment, unit, known in periods(packed, begin, resolution)
        )
        _take_in(connection, rolled, _FEW_VALUES)
    gone = [{f"the_{name}": getattr(row, name) for name in _Key._fields} for row in old]
    run_many(connection, _DROP, gone)
    return len(old) == _BLOCKS


def forget_series(connection: Connection) -> None:
    """Forget the metrics that have no datapoint left."""
    lock(connection)
    is_empty = ~exists().where(blocks.c.series == series.c.id)
    if connection.execute(select(series.c.id).where(is_empty).limit(1)).first() is None:
        return
    metric_series.advance(connection)
    while _fold(connection):
        pass
    connection.execute(delete(series).where(is_empty))


def give_back(connection: Connection) -> None:
    """Let the file system have what is free: the journal may have been large."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        # It gives a page at each step: ``execute`` takes only the first.
        driver.executescript(f"PRAGMA incremental_vacuum({_PAGES})")


def clear(connection: Connection) -> None:
    """Forget everything."""
    lock(connection)
    metric_series.advance(connection)
    for table in (journal, blocks, series):
        connection.execute(delete(table))


def lock(connection: Connection) -> None:
    """Be the only one who changes blocks, of all processes, until the commit."""
    # Of SQLite there is only one that writes.
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def _fold(connection: Connection) -> bool:
    query = select(journal.c.id, journal.c.samples).order_by(journal.c.id).limit(_ROWS)
    rows: list[tuple[int, bytes]] = []
    size = 0
    with connection.execute(query) as found:
        for number, packed in found:
            rows.append((number, packed))
            size += len(packed)
            if size >= _BYTES:
                break
    if not rows:
        return False
    _take_in(connection, _gathered(each for _, packed in rows for each in samples(packed)))
    # Those that were seen, and no other: one with a lower id may be committed only now.
    run_many(connection, _FOLDED, [{"folded": number} for number, _ in rows])
    return size >= _BYTES or len(rows) == _ROWS


def _gathered(found: Iterable[Kept]) -> _Parts:
    """Samples by the block and the period that they belong to."""
    parts: _Parts = defaultdict(lambda: defaultdict(list))
    for number, moment, resolution, unit, known in found:
        span = _SPANS[resolution]
        key = _Key(number, resolution, moment // span * span)
        parts[key][moment // resolution * resolution, unit].append(known)
    return parts


def _take_in(connection: Connection, parts: _Parts, most: int = MANY_VALUES) -> None:
    """Put together what blocks have and what is new, and keep it."""
    for key, packed in _stored(connection, parts):
        known = parts[key]
        for moment, unit, before in periods(packed, key.begin, key.resolution):
            known[moment, unit].append(before)
    rows = [_row(key, found, most) for key, found in parts.items()]
    is_here = connection.dialect.name == "sqlite"
    run_many(connection, _KEEP_HERE if is_here else _KEEP_SHARED, rows)


def _stored(connection: Connection, keys: Collection[_Key]) -> Iterator[tuple[_Key, bytes]]:
    together: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for key in keys:
        together[key.resolution, key.begin].append(key.series)
    for (resolution, begin), numbers in together.items():
        query = select(blocks.c.series, blocks.c.periods).where(
            blocks.c.resolution == resolution, blocks.c.begin == begin
        )
        for some in _slices(sorted(numbers)):
            for number, packed in connection.execute(query.where(blocks.c.series.in_(some))):
                yield _Key(number, resolution, begin), packed


def _slices(numbers: Iterable[int]) -> Iterator[Sequence[int]]:
    left = iter(numbers)
    while some := list(islice(left, _ASKED)):
        yield some


def _row(key: _Key, found: Mapping[Period, Sequence[Known]], most: int) -> dict[str, Any]:
    known = {period: together(parts, most) for period, parts in found.items()}
    return {
        **key._asdict(),
        "last": max(moment for moment, _ in known),
        "periods": block(known, key.begin, key.resolution),
    }


def _keeping(dialect: Any) -> Any:
    """A block kept, in place of what it was before."""
    statement = dialect.insert(blocks).values(
        {column.name: bindparam(column.name) for column in blocks.columns}
    )
    changed = {name: statement.excluded[name] for name in ("last", "periods")}
    return statement.on_conflict_do_update(index_elements=_Key._fields, set_=changed)


_KEEP_HERE, _KEEP_SHARED = _keeping(sqlite), _keeping(postgresql)
