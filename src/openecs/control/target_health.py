"""The loop that checks targets: each in its interval, at once when it is new.

What is counted between two checks is kept in memory: after a restart a target is what it was found
to be last, and its checks are counted anew. Draining targets are not checked, but forgotten when
their time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from openecs.control.target_probes import Address, probe
from openecs.decide import target_health
from openecs.decide.forwarding import forwarded_groups
from openecs.decide.target_health import NEW, Outcome, Standing, Verdict
from openecs.loops.controller import Again, Controller
from openecs.model.identity import Scope
from openecs.model.load_balancing import (
    Target,
    TargetGroup,
    TargetHealth,
    TargetHealthCheck,
    TargetState,
)
from openecs.store.base import Change, FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import LISTENERS, RULES, TARGET_GROUPS, TARGET_HEALTH, TARGETS

log = structlog.get_logger(__name__)

TRAFFIC_PORT = "traffic-port"

#: How long a store that is away is left alone.
RETRY = timedelta(seconds=1)

#: What decides which targets are checked, and how.
_SETTINGS = frozenset(kind.name for kind in (LISTENERS, RULES, TARGET_GROUPS))

Where = tuple[Scope, str]
Probe = Callable[[Address, TargetHealthCheck], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class _Seen:
    """A target as it is stored."""

    target: Target | None
    group: TargetGroup | None
    health: TargetHealth | None


@dataclass(slots=True)
class _Watched:
    """A registration under watch: how it stands, and when it is checked next."""

    registered_at: datetime
    standing: Standing
    due: datetime


class TargetHealthWatch:
    """Keeps the health of every target that a load balancer uses. One process at a time runs it."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        guard: Callable[[Transaction], None] | None = None,
        probe: Probe = probe,
    ) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard
        self._probe = probe
        self._used: set[str] = set()
        self._watched: dict[Where, _Watched] = {}
        self._controller: Controller[Where] = Controller("targets", self._reconcile, clock=clock)

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
                log.warning("changes were missed, looking at every target")
            except StoreError as error:
                log.warning("changes cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _absorb(self, batch: Sequence[Change]) -> None:
        if any(change.kind in _SETTINGS for change in batch):
            await self._observe()
        for change in batch:
            if change.kind == TARGETS.name:
                self._controller.add((change.scope, change.key))

    async def _observe(self) -> Revision:
        """Learn which target groups are used, and look at every target and every finding."""
        revision, used, keys = await self._store.read(_everything)
        self._used = used
        for where in keys:
            self._controller.add(where)
        return revision

    async def _reconcile(self, where: Where) -> datetime | None:
        try:
            return await self._look(where)
        except StoreError as error:
            log.info("target waits", target=where[1], reason=str(error))
            raise Again from error

    async def _look(self, where: Where) -> datetime | None:
        seen, now = await self._store.read(partial(_see, where)), self._clock()
        target, group = seen.target, seen.group
        if target is None or group is None:
            await self._forget(where, seen)
            return None
        if target.drained_at is not None:
            self._watched.pop(where, None)
            return await self._drain(where, target, now)
        if group.arn not in self._used or not group.health_check.enabled:
            self._watched.pop(where, None)
            return None
        return await self._check(where, target, group, seen.health)

    async def _check(
        self, where: Where, target: Target, group: TargetGroup, health: TargetHealth | None
    ) -> datetime:
        watched = self._watched.get(where)
        if watched is None or watched.registered_at != target.registered_at:
            watched = _Watched(target.registered_at, _standing(target, health), self._clock())
            self._watched[where] = watched
            await self._record(target, watched.standing.verdict, health)
        begun = self._clock()
        if begun < watched.due:
            return watched.due
        watched.due = begun + timedelta(seconds=group.health_check.interval)
        outcome = await self._probe(_address(target, group.health_check), group.health_check)
        after = target_health.after(watched.standing, outcome, group)
        if after.verdict != watched.standing.verdict:
            await self._record(target, after.verdict, health)
        watched.standing = after
        return watched.due

    async def _record(self, target: Target, verdict: Verdict, known: TargetHealth | None) -> None:
        health = TargetHealth(
            scope=target.scope,
            target_group=target.target_group,
            id=target.id,
            port=target.port,
            state=verdict.state,
            reason=verdict.reason,
            description=verdict.description,
            registered_at=target.registered_at,
        )
        if health == known:
            return

        def work(tx: Transaction) -> None:
            self._guarded(tx)
            # It may have gone, or come anew, while it was checked.
            current = tx.get(TARGETS, target.scope, target.key)
            if current is not None and current.registered_at == target.registered_at:
                tx.put(TARGET_HEALTH, health)

        await self._store.write(work)

    async def _drain(self, where: Where, target: Target, now: datetime) -> datetime | None:
        if target.drained_at is not None and now < target.drained_at:
            return target.drained_at

        def work(tx: Transaction) -> None:
            self._guarded(tx)
            if tx.get(TARGETS, *where) == target:
                tx.delete(TARGETS, *where)
                tx.delete(TARGET_HEALTH, *where)

        await self._store.write(work)
        return None

    async def _forget(self, where: Where, seen: _Seen) -> None:
        """A target, or its whole group, is gone."""
        self._watched.pop(where, None)
        if seen.target is None and seen.health is None:
            return

        def work(tx: Transaction) -> None:
            self._guarded(tx)
            now = _see(where, tx)
            if now.target is None or now.group is None:
                tx.delete(TARGETS, *where)
                tx.delete(TARGET_HEALTH, *where)

        await self._store.write(work)

    def _guarded(self, tx: Transaction) -> None:
        if self._guard is not None:
            self._guard(tx)


def _everything(view: View) -> tuple[Revision, set[str], list[Where]]:
    used = forwarded_groups(view.scan(LISTENERS, None), view.scan(RULES, None))
    keys: dict[Where, None] = {(t.scope, t.key): None for t in view.scan(TARGETS, None)}
    for health in view.scan(TARGET_HEALTH, None):
        keys[health.scope, TARGET_HEALTH.key(health)] = None
    return view.revision, used, list(keys)


def _see(where: Where, view: View) -> _Seen:
    scope, key = where
    group = view.get(TARGET_GROUPS, scope, key.rpartition("/")[0])
    return _Seen(view.get(TARGETS, scope, key), group, view.get(TARGET_HEALTH, scope, key))


def _standing(target: Target, health: TargetHealth | None) -> Standing:
    """How a registration stood when it was recorded last; a new one is new."""
    is_known = health is not None and health.registered_at == target.registered_at
    if health is None or not is_known or health.state is TargetState.INITIAL:
        return NEW
    verdict = Verdict(state=health.state, reason=health.reason, description=health.description)
    return Standing(verdict=verdict)


def _address(target: Target, check: TargetHealthCheck) -> Address:
    port = target.port if check.port == TRAFFIC_PORT else int(check.port)
    return Address(target.address, port)
