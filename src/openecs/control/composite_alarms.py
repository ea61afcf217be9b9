"""The loop that judges composite alarms whenever an alarm they look at changes.

Their actions are done, or held back, here too; those of metric alarms go with their states.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.decide import composite_alarms, composite_steps
from openecs.decide.composite_steps import Surroundings
from openecs.loops.controller import Again, Controller
from openecs.model.alarm_rules import Rule, RuleProblem
from openecs.model.alarms import AlarmState, CompositeAlarm, MetricAlarm
from openecs.model.identity import Ids, Scope
from openecs.store.alarms import ALARM_HISTORY, COMPOSITE_ALARMS, DUE_ACTIONS, METRIC_ALARMS
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View

log = structlog.get_logger(__name__)

RETRY = timedelta(seconds=1)
_KINDS = {METRIC_ALARMS.name, COMPOSITE_ALARMS.name}

Where = tuple[Scope, str]
Alarm = MetricAlarm | CompositeAlarm


@dataclass(frozen=True, slots=True)
class _Known:
    """What of a composite alarm matters to the loop."""

    configured_at: datetime
    looks_at: frozenset[str]


class CompositeAlarms:
    """Keeps the state of every composite alarm. One process at a time runs it."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        ids: Ids,
        publishes: bool,
        guard: Callable[[Transaction], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._publishes = publishes
        self._guard = guard
        self._known: dict[Where, _Known] = {}
        self._states: dict[Where, AlarmState] = {}
        #: Alarms whose rule is to be judged, not only their actions.
        self._stale: set[Where] = set()
        self._controller: Controller[Where] = Controller("alarms", self._reconcile, clock=clock)

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._controller.run())

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self._observe()):
                    await self._absorb(batch)
            except FeedTruncated:
                log.warning("changes were missed, looking at every composite alarm")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _observe(self) -> Revision:
        revision, composite, metric = await self._store.read(
            lambda view: (
                view.revision,
                view.find(COMPOSITE_ALARMS, None, "present", ()),
                view.find(METRIC_ALARMS, None, "present", ()),
            )
        )
        alarms: list[Alarm] = [*composite, *metric]
        self._states = {(alarm.scope, alarm.name): alarm.state for alarm in alarms}
        self._known = {(alarm.scope, alarm.name): _known(alarm) for alarm in composite}
        for where in self._known:
            self._judge(where)
        return revision

    async def _absorb(self, batch: Sequence[Change]) -> None:
        changed = {(c.scope, c.key) for c in batch if c.kind in _KINDS}
        if not changed:
            return
        for where, alarm in (await self._store.read(partial(_found, changed))).items():
            state = alarm.state if alarm else None
            if self._states.get(where) is not state:
                self._wake_parents(where)
            if state is None:
                self._states.pop(where, None)
            else:
                self._states[where] = state
            if isinstance(alarm, CompositeAlarm):
                self._note(where, _known(alarm))
            else:
                self._known.pop(where, None)

    def _note(self, where: Where, known: _Known) -> None:
        if self._known.get(where) != known:
            self._stale.add(where)
        self._known[where] = known
        self._controller.add(where)

    def _wake_parents(self, child: Where) -> None:
        scope, name = child
        for where, known in self._known.items():
            if where[0] == scope and name in known.looks_at:
                self._judge(where)

    def _judge(self, where: Where) -> None:
        self._stale.add(where)
        self._controller.add(where)

    async def _reconcile(self, where: Where) -> datetime | None:
        is_stale = where in self._stale
        self._stale.discard(where)
        work = partial(self._step, where, self._ids.uuid(), self._clock(), is_stale=is_stale)
        try:
            return await self._store.write(work)
        except StoreError as error:
            if is_stale:
                self._stale.add(where)
            raise Again from error

    def _step(
        self, where: Where, fresh: str, now: datetime, tx: Transaction, *, is_stale: bool
    ) -> datetime | None:
        """Take the alarm's next step; when to look again."""
        if self._guard is not None:
            self._guard(tx)
        alarm = tx.get(COMPOSITE_ALARMS, *where)
        rule = composite_alarms.parse(alarm.rule) if alarm else None
        if alarm is None or rule is None or isinstance(rule, RuleProblem):
            return None
        around = _surroundings(tx, alarm, rule)
        news = composite_steps.judged(rule, around) if is_stale else None
        step = composite_steps.step(alarm, news, around, fresh, now, publishes=self._publishes)
        tx.put(COMPOSITE_ALARMS, step.alarm)
        for item in step.items:
            tx.add(ALARM_HISTORY, item)
        for due in step.due:
            tx.add(DUE_ACTIONS, due)
        return step.wake


def _known(alarm: CompositeAlarm) -> _Known:
    rule = composite_alarms.parse(alarm.rule)
    looks_at = (
        frozenset[str]() if isinstance(rule, RuleProblem) else composite_alarms.children(rule)
    )
    if alarm.suppressor:
        looks_at |= {composite_alarms.alarm_name(alarm.suppressor)}
    return _Known(alarm.configured_at, looks_at)


def _surroundings(view: View, alarm: CompositeAlarm, rule: Rule) -> Surroundings:
    found = {name: _alarm(view, (alarm.scope, name)) for name in composite_alarms.children(rule)}
    suppressor = composite_alarms.alarm_name(alarm.suppressor) if alarm.suppressor else None
    return Surroundings(
        children={name: child for name, child in found.items() if child is not None},
        suppressor=_alarm(view, (alarm.scope, suppressor)) if suppressor else None,
    )


def _alarm(view: View, where: Where) -> Alarm | None:
    return view.get(METRIC_ALARMS, *where) or view.get(COMPOSITE_ALARMS, *where)


def _found(named: Iterable[Where], view: View) -> dict[Where, Alarm | None]:
    return {where: _alarm(view, where) for where in named}
