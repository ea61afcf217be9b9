"""``SqlMetricStore``: metrics in a database.

What is put is added to a journal, a row each time, so that several processes may put at once and
nothing is read to write. Now and then the journal is folded into blocks: some hundred bytes of one
series and some stretch of time. What is told comes from both, as one transaction sees them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from threading import Lock

import structlog
from sqlalchemy import Connection, bindparam, insert, literal, select, union_all

from openecs.model.metrics import Datapoint, Metric, Sample, merged
from openecs.store.base import StoreUnavailable
from openecs.store.metric_blocks import (
    Known,
    Period,
    batch,
    known_of,
    periods,
    statistics_of,
)
from openecs.store.metrics import MetricFilter, Span
from openecs.store.sql import metric_fold, metric_schema
from openecs.store.sql.bulk import BulkDatabase
from openecs.store.sql.driver import rows_of, run_many
from openecs.store.sql.metric_fold import TIERS
from openecs.store.sql.metric_series import SeriesIds, listed
from openecs.store.sql.metric_tables import blocks, journal
from openecs.store.sql.metric_tail import Found, Tail

log = structlog.get_logger(__name__)

#: The journal is folded when so much was put by this process.
_SAMPLES, _PUTS = 100_000, 1_000

_ADD = insert(journal).values(samples=bindparam("samples"))


class SqlMetricStore:
    """A ``MetricStore`` in the database of a URL: a SQLite file of its own, or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self._written = SeriesIds()
        self._database = BulkDatabase(
            url, metric_schema.prepare, "metrics", undone=self._written.forget
        )
        self._known = SeriesIds()
        self._tail = Tail()
        #: Held by those who use ``_known`` and ``_tail``: reads run in threads.
        self._looking = Lock()
        self._samples = self._puts = 0
        self._folding: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and migrate. Raises ``StoreUnavailable``."""
        await self._database.open()

    async def close(self) -> None:
        """Finish the writes under way and let go."""
        if self._folding is not None:
            await self._folding
        await self._database.close()

    async def put(self, samples: Sequence[Sample]) -> None:
        """Add them all, or none."""
        if not samples:
            return
        await self._database.written(lambda connection: self._add(connection, samples))
        self._samples += len(samples)
        self._puts += 1
        is_due = self._samples >= _SAMPLES or self._puts >= _PUTS
        if is_due and (self._folding is None or self._folding.done()):
            self._samples = self._puts = 0
            self._folding = asyncio.create_task(self._fold())

    async def read(self, spans: Sequence[Span]) -> Sequence[Sequence[Datapoint]]:
        """What falls into each period, put together."""
        return await self._database.asked(partial(self._read, spans=spans))

    async def metrics(
        self, wanted: MetricFilter, *, after: Metric | None = None, limit: int | None = None
    ) -> Sequence[Metric]:
        """The metrics there are, in order."""
        found = await self._database.asked(partial(self._listed, wanted=wanted))
        kept = sorted(metric for metric in found if after is None or metric > after)
        return kept[:limit]

    async def trim(self, now: datetime) -> None:
        """Fold, roll up and forget, a little at a time."""
        while await self._database.written(metric_fold.fold, alone=True):
            pass
        for tier in TIERS:
            work = partial(metric_fold.roll_up, tier=tier, now=now)
            while await self._database.written(work, alone=True):
                pass
        await self._database.written(metric_fold.forget_series, alone=True)
        await self._database.written(metric_fold.give_back, alone=True)

    async def clear(self) -> None:
        """Forget everything."""
        await self._database.written(metric_fold.clear, alone=True)

    async def _fold(self) -> None:
        try:
            while await self._database.written(metric_fold.fold, alone=True):
                pass
        except StoreUnavailable as error:
            log.warning("metrics are not folded", reason=str(error))

    def _add(self, connection: Connection, samples: Sequence[Sample]) -> None:
        ids = self._written.ensured(connection, [sample.metric for sample in samples])
        packed = batch(
            [
                (
                    ids[sample.metric],
                    int(sample.timestamp.timestamp()),
                    sample.resolution,
                    sample.unit,
                    known_of(sample.statistics),
                )
                for sample in samples
            ]
        )
        run_many(connection, _ADD, [{"samples": packed}])

    def _read(self, connection: Connection, spans: Sequence[Span]) -> list[list[Datapoint]]:
        with self._looking:
            self._tail.look(connection)
            ids = self._known.found(connection, [span.metric for span in spans])
            numbers = [ids.get(span.metric) for span in spans]
            tails = [tuple(self._tail.of(number)) if number else () for number in numbers]
        told = _Told()
        return [
            told.datapoints(span, _found(connection, number, tail, span)) if number else []
            for span, number, tail in zip(spans, numbers, tails, strict=True)
        ]

    def _listed(self, connection: Connection, wanted: MetricFilter) -> Sequence[Metric]:
        recent: set[int] = set()
        if wanted.active_since is not None:
            with self._looking:
                self._tail.look(connection)
                recent.update(self._tail.active(int(wanted.active_since.timestamp())))
        return listed(connection, wanted, recent)


_period = itemgetter(0)


class _Told:
    """Datapoints as they are told; equal moments are one object."""

    def __init__(self) -> None:
        self._moments: dict[int, datetime] = {}

    def datapoints(self, span: Span, found: Iterable[Found]) -> list[Datapoint]:
        """What was found within a span, the oldest first."""
        first, end, length = _up(span.start, span.period), _up(span.end, span.period), span.period
        wanted = span.unit
        parts: dict[Period, Known] = {}
        more: defaultdict[Period, list[Known]] = defaultdict(list)
        for moment, unit, known in found:
            if first <= moment < end and (wanted is None or unit == wanted):
                period = (moment - moment % length, unit)
                if period in parts:
                    more[period].append(known)
                else:
                    parts[period] = known
        for period, rest in more.items():
            parts[period] = merged([statistics_of(each) for each in (parts[period], *rest)])
        return [
            Datapoint(self._moment(begin), unit, statistics_of(known))
            for (begin, unit), known in sorted(parts.items(), key=_period)
        ]

    def _moment(self, seconds: int) -> datetime:
        known = self._moments.get(seconds)
        if known is None:
            known = self._moments[seconds] = datetime.fromtimestamp(seconds, UTC)
        return known


def _found(
    connection: Connection, series: int, tail: Sequence[Found], span: Span
) -> Iterator[Found]:
    first, end = int(span.start.timestamp()), int(span.end.timestamp()) + span.period
    for begin, resolution, packed in rows_of(
        connection, _BLOCKS, {"of": series, "end": end, **_begins(first)}
    ):
        yield from periods(packed, begin, resolution)
    yield from tail


def _begins(first: int) -> dict[str, int]:
    """From where on the blocks of each tier may have something since."""
    return {f"from_{tier.seconds}": first - tier.span for tier in TIERS}


_BLOCKS = union_all(
    *(
        select(blocks.c.begin, literal(tier.seconds).label("resolution"), blocks.c.periods).where(
            blocks.c.series == bindparam("of"),
            blocks.c.resolution == tier.seconds,
            blocks.c.begin > bindparam(f"from_{tier.seconds}"),
            blocks.c.begin < bindparam("end"),
        )
        for tier in TIERS
    )
)


def _up(moment: datetime, period: int) -> int:
    """The first multiple of the period at or after a moment."""
    return -int(-moment.timestamp() // period) * period
