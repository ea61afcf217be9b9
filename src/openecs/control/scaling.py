"""The loop that scales services: by alarms, by the clock, and never twice for the same thing.

What an alarm or a schedule asks for, that it was done, and the new desired count are one
transaction: a crash leaves all of it or nothing, and then it is done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.control import scaling_writes
from openecs.control.scaling_writes import Look, Where
from openecs.decide import alarm_values, alarms
from openecs.decide.scaling.policies import next_due
from openecs.loops.controller import Again, Controller
from openecs.model.alarms import MetricAlarm
from openecs.model.identity import Ids, Scope
from openecs.model.metrics import Metric
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import SERVICES
from openecs.store.metrics import MetricStore, Span
from openecs.store.scaling import SCALABLE_TARGETS, SCALING_POLICIES, SCHEDULED_ACTIONS

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)
#: How often a service is looked at until it runs as many tasks as were set.
_FULFILLED_EVERY = timedelta(seconds=1)
#: When an alarm is looked at again whose metric has no datapoint.
_NO_VALUE = timedelta(seconds=10)
_POLICY = "resource/ecs/"


class Scaling:
    """Looks after scalable targets. One process at a time runs it."""

    def __init__(
        self,
        *,
        store: Store,
        metrics: MetricStore,
        clock: Callable[[], datetime],
        ids: Ids,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock
        self._ids = ids
        self._guard = guard
        #: The targets that an alarm has policies of, by the alarm.
        self._named: dict[tuple[Scope, str], frozenset[str]] = {}
        self._controller: Controller[Where] = Controller("scaling", self.reconcile, clock=clock)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._controller.run())

    async def observe(self) -> Revision:
        """Learn all alarms anew, and look at every target."""
        revision, found, targets = await self._store.read(
            lambda view: (
                view.revision,
                view.find(METRIC_ALARMS, None, "present", ()),
                view.find(SCALABLE_TARGETS, None, "present", ()),
            )
        )
        self._named = {(alarm.scope, alarm.name): _targets(alarm) for alarm in found}
        for target in targets:
            self._controller.add((target.scope, target.resource_id))
        return revision

    async def reconcile(self, key: Where) -> datetime | None:
        """Do what is due for a target; when something is due next."""
        try:
            seen = await self._store.read(partial(scaling_writes.look, key, self._alarms_of(key)))
            now = self._clock()
            if seen is None:
                return None
            values = await self._values(seen, now)
            if values or scaling_writes.is_due(seen, now):
                seen = await self._store.write(partial(self._act, key, values, now))
        except StoreError as error:
            raise Again from error
        return _wake(seen, now) if seen else None

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self.observe()):
                    await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every scalable target")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _absorb(self, batch: Sequence[Change]) -> None:
        changed = {(c.scope, c.key) for c in batch if c.kind == METRIC_ALARMS.name}
        if changed:
            await self._absorb_alarms(changed)
        for change in batch:
            if change.kind == SERVICES.name:
                self._controller.add((change.scope, f"service/{change.key}"))
            elif change.kind == SCALABLE_TARGETS.name:
                self._controller.add((change.scope, change.key))
            elif change.kind in {SCALING_POLICIES.name, SCHEDULED_ACTIONS.name}:
                self._controller.add((change.scope, change.key.partition("|")[0]))

    async def _absorb_alarms(self, changed: Iterable[tuple[Scope, str]]) -> None:
        for where, alarm in (await self._store.read(partial(_alarms, list(changed)))).items():
            self._named.pop(where, None)
            if alarm is not None and (targets := _targets(alarm)):
                self._named[where] = targets
                for target in targets:
                    self._controller.add((alarm.scope, target))

    def _alarms_of(self, key: Where) -> list[str]:
        scope, target = key
        return [
            name
            for (owner, name), targets in self._named.items()
            if owner == scope and target in targets
        ]

    async def _values(self, seen: Look, now: datetime) -> Mapping[str, float]:
        """The latest value of every alarm that is raised, if one of them is due."""
        if not any(next_due(policy, alarm, now) <= now for policy, alarm in seen.raised):
            return {}
        values = {}
        for alarm in {alarm.name: alarm for _, alarm in seen.raised}.values():
            value = await self._value(alarm, now)
            if value is not None:
                values[alarm.name] = value
        return values

    async def _value(self, alarm: MetricAlarm, now: datetime) -> float | None:
        within = alarms.evaluation_range(alarm, now)
        stats = alarm_values.stats_of(alarm)
        spans = [
            Span(
                metric=Metric(alarm.scope, stat.namespace, stat.name, stat.dimensions),
                start=within.start,
                end=within.end,
                period=stat.period,
                unit=stat.unit,
            )
            for stat in stats.values()
        ]
        read = dict(zip(stats, await self._metrics.read(spans), strict=True))
        points = alarm_values.points(alarm, read, now)
        return max(points, key=lambda point: point.timestamp).value if points else None

    def _act(
        self, key: Where, values: Mapping[str, float], now: datetime, tx: Transaction
    ) -> Look | None:
        if self._guard is not None:
            self._guard(tx)
        named = self._alarms_of(key)
        seen = scaling_writes.look(key, named, tx)
        if seen is None:
            return None
        scaling_writes.act(tx, seen, values, ids=self._ids, now=now)
        return scaling_writes.look(key, named, tx)


def _wake(seen: Look, now: datetime) -> datetime | None:
    times = [action.next_at for action in seen.schedule if action.next_at]
    for policy, alarm in seen.raised:
        due = next_due(policy, alarm, now)
        times.append(due if due > now else now + _NO_VALUE)
    if seen.open:
        times.append(now + _FULFILLED_EVERY)
    return min(times, default=None)


def _targets(alarm: MetricAlarm) -> frozenset[str]:
    """The resource ids of the targets whose policies an alarm has among its actions."""
    scaling = (arn for arn in alarm.actions.alarm if arn.startswith("arn:aws:autoscaling:"))
    return frozenset(
        arn.partition(_POLICY)[2].partition(":")[0] for arn in scaling if _POLICY in arn
    )


def _alarms(
    named: Iterable[tuple[Scope, str]], view: View
) -> dict[tuple[Scope, str], MetricAlarm | None]:
    return {where: view.get(METRIC_ALARMS, *where) for where in named}
