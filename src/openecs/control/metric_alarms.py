"""The loop that judges metric alarms by the clock, whoever looks.

The picture of all alarms is kept up to date by the feed; a tick reads the datapoints of those that
are due in few reads, and writes the ones that come to another state. Nothing is lost by a crash:
the next tick looks at the same range of periods.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.decide import alarm_values, alarms
from openecs.decide.alarm_transitions import News, transition
from openecs.model.alarms import MetricAlarm
from openecs.model.identity import Ids, Scope
from openecs.model.metrics import Datapoint, Metric
from openecs.store.alarms import ALARM_HISTORY, DUE_ACTIONS, METRIC_ALARMS
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.metrics import MetricStore, Span

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)
#: How often alarms of high resolution are judged; all are judged at a multiple of it.
_STEP = 10
#: How many alarms are judged, and written, at once: bounds how long others wait.
_BATCH = 250

Where = tuple[Scope, str]


class MetricAlarms:
    """Keeps the state of every metric alarm. One process at a time runs it.

    ``publishes``: the events of alarms are delivered somewhere.
    """

    def __init__(
        self,
        *,
        store: Store,
        metrics: MetricStore,
        clock: Callable[[], datetime],
        ids: Ids,
        publishes: bool,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._ids = ids
        self._publishes = publishes
        self._guard = guard
        self._alarms: dict[Where, MetricAlarm] = {}
        #: Alarms that were put since, and are judged before their time.
        self._fresh: set[Where] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._judge_by_the_clock())

    async def observe(self) -> Revision:
        """Learn all alarms anew."""
        revision, found = await self._store.read(
            lambda view: (view.revision, view.find(METRIC_ALARMS, None, "present", ()))
        )
        self._alarms = {(alarm.scope, alarm.name): alarm for alarm in found}
        return revision

    async def judge(self, due: Sequence[MetricAlarm], now: datetime) -> None:
        """Judge some alarms and write those that come to another state."""
        for first in range(0, len(due), _BATCH):
            news = await self._news(due[first : first + _BATCH], now)
            if news:
                await self._store.write(partial(self._write, news, now))
            await asyncio.sleep(0)

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self.observe()):
                    await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every alarm")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _absorb(self, batch: Sequence[Change]) -> None:
        changed = {(c.scope, c.key) for c in batch if c.kind == METRIC_ALARMS.name}
        if not changed:
            return
        for where, alarm in (await self._store.read(partial(_found, changed))).items():
            known = self._alarms.pop(where, None)
            if alarm is None:
                continue
            self._alarms[where] = alarm
            if known is None or known.configured_at != alarm.configured_at:
                self._fresh.add(where)
                self._wake.set()

    async def _judge_by_the_clock(self) -> None:
        last = self._clock()
        while True:
            await self._sleep_until(_after(last))
            now, fresh = self._clock(), self._fresh
            self._fresh = set()
            due = [
                alarm
                for where, alarm in self._alarms.items()
                if where in fresh or alarms.next_evaluation(alarm, last) <= now
            ]
            try:
                await self.judge(due, now)
            except StoreError as error:
                log.warning("alarms wait", reason=str(error))
                self._fresh |= fresh
                await asyncio.sleep(RETRY.total_seconds())
            else:
                last = now

    async def _sleep_until(self, when: datetime) -> None:
        """Sleep until then, or until an alarm was put."""
        try:
            async with asyncio.timeout(max((when - self._clock()).total_seconds(), 0)):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    async def _news(self, due: Iterable[MetricAlarm], now: datetime) -> list[_Judged]:
        """The alarms that are to come to another state."""
        asked = [(alarm, _spans(alarm, now)) for alarm in due]
        spans = list(dict.fromkeys(span for _, each in asked for span in each.values()))
        read = dict(zip(spans, await self._metrics.read(spans), strict=True))
        found = ((alarm, _news_of(alarm, _by_id(each, read), now)) for alarm, each in asked)
        return [_Judged(alarm, news, self._ids.uuid()) for alarm, news in found if news]

    def _write(self, judged: Sequence[_Judged], now: datetime, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)
        for each in judged:
            alarm = tx.get(METRIC_ALARMS, each.alarm.scope, each.alarm.name)
            if alarm is None or alarm.configured_at != each.alarm.configured_at:
                continue
            made = transition(alarm, each.news, each.fresh, now, publishes=self._publishes)
            if made.alarm.state is alarm.state:
                continue
            tx.put(METRIC_ALARMS, made.alarm)
            for item in made.items:
                tx.add(ALARM_HISTORY, item)
            for due in made.due:
                tx.add(DUE_ACTIONS, due)


@dataclass(frozen=True, slots=True)
class _Judged:
    """An alarm as it was judged, and what it is told to be; ``fresh`` is an id for its history."""

    alarm: MetricAlarm
    news: News
    fresh: str


def _news_of(
    alarm: MetricAlarm, read: Mapping[str, Sequence[Datapoint]], now: datetime
) -> News | None:
    """The state an alarm is to come to; None where it stays in its own."""
    try:
        told = alarms.evaluate(alarm, alarm_values.points(alarm, read, now), now)
    except Exception:  # whatever one alarm does, the others are judged
        log.exception("alarm not judged", alarm=alarm.arn)
        return None
    if told is None or told.state is alarm.state:
        return None
    return News(told.state, told.reason, told.reason_data)


def _after(moment: datetime) -> datetime:
    """The next time that alarms are judged at."""
    seconds = (int(moment.timestamp()) // _STEP + 1) * _STEP
    return datetime.fromtimestamp(seconds, moment.tzinfo)


def _spans(alarm: MetricAlarm, now: datetime) -> dict[str, Span]:
    looked_at = alarms.evaluation_range(alarm, now)
    return {
        name: Span(
            metric=Metric(alarm.scope, stat.namespace, stat.name, stat.dimensions),
            start=looked_at.start,
            end=looked_at.end,
            period=stat.period,
            unit=stat.unit,
        )
        for name, stat in alarm_values.stats_of(alarm).items()
    }


def _by_id(
    spans: Mapping[str, Span], read: Mapping[Span, Sequence[Datapoint]]
) -> dict[str, Sequence[Datapoint]]:
    return {name: read[span] for name, span in spans.items()}


def _found(named: Iterable[Where], view: View) -> dict[Where, MetricAlarm | None]:
    return {where: view.get(METRIC_ALARMS, *where) for where in named}
