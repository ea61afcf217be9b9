"""The health of targets: every one that takes part in load balancing is checked, for ever.

What the store says stands: after a restart a healthy target stays healthy until checks say
otherwise; only the row of equal outcomes that leads to the next state is in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from zlib import crc32

import structlog

from openecs.control import function_checks
from openecs.control.target_checks import Check, perform
from openecs.control.target_picture import Picture, Where, matters, news_of
from openecs.decide import target_health
from openecs.decide.target_health import INITIAL, UNAVAILABLE, Health, Outcome
from openecs.model.load_balancing import (
    Target,
    TargetGroup,
    TargetHealth,
    TargetState,
    TargetType,
)
from openecs.store.base import FeedTruncated, Revision, Store, StoreError, Transaction, View
from openecs.store.kinds import TARGET_HEALTH, TARGETS

log = structlog.get_logger(__name__)

#: How long a store that is away is left alone.
RETRY = timedelta(seconds=1)

#: Between two removals of targets that have drained.
PAUSE = timedelta(milliseconds=100)

_DEFAULT_PATHS = {"GRPC": "/AWS.ALB/healthcheck"}


@dataclass(slots=True, eq=False)
class _Watch:
    """A target that is checked, what is known of it and what of that is in the store."""

    group: TargetGroup
    target: Target
    health: Health
    #: How long until the first check, in seconds.
    wait: float
    told: TargetHealth | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def is_about(self, group: TargetGroup, target: Target) -> bool:
        """Whether it checks this target as this group asks for."""
        return target == self.target and _terms(group) == _terms(self.group)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    """What is to begin and to end."""

    begun: dict[Where, _Watch]
    #: Targets of which nothing is to be said any more.
    gone: tuple[Where, ...]


class TargetHealthChecks:
    """Checks targets, writes what it finds, and removes those that have drained.

    Functions are invoked at ``lambda_url``. One process at a time runs it; ``guard`` is called
    first in every transaction and raises where this process is not that one.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Callable[[], datetime],
        guard: Callable[[Transaction], None] | None = None,
        lambda_url: str = "",
    ) -> None:
        self._store = store
        self._clock = clock
        self._guard = guard or (lambda _: None)
        self._lambda_url = lambda_url
        self._picture = Picture()
        self._watches: dict[Where, _Watch] = {}
        self._drains = asyncio.Event()

    async def run(self) -> None:
        """Work until cancelled."""
        self._watches.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._remove_drained())
            await self._follow(group)

    async def _follow(self, group: asyncio.TaskGroup) -> None:
        while True:
            try:
                async for batch in self._store.follow(await self._observe(group)):
                    if matters(batch):
                        news = await self._store.read(partial(news_of, batch))
                        await self._settle(group, self._picture.absorb(news), {})
            except FeedTruncated:
                log.warning("changes were missed, looking at every target")
            except StoreError as error:
                log.warning("targets cannot be followed", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())

    async def _observe(self, group: asyncio.TaskGroup) -> Revision:
        """Learn the whole picture and settle every target there is or was."""
        revision, self._picture, records = await self._store.read(_everything)
        known = {*self._picture.targets, *self._watches, *records}
        await self._settle(group, known, records)
        return revision

    async def _settle(
        self, group: asyncio.TaskGroup, touched: set[Where], records: Mapping[Where, TargetHealth]
    ) -> None:
        """Begin and end checks so that what is touched is checked as it should be."""
        changes = self._changes(touched, records)
        if changes.begun or changes.gone:
            await self._store.write(partial(self._write_changes, changes))
        for where, watch in changes.begun.items():
            watch.told = _record(watch)
            self._watches[where] = watch
            if watch.group.health_check.enabled:
                watch.task = group.create_task(self._check(watch))
        if any(_is_draining(self._picture.targets.get(where)) for where in touched):
            self._drains.set()

    def _changes(self, touched: set[Where], records: Mapping[Where, TargetHealth]) -> _Changes:
        begun: dict[Where, _Watch] = {}
        gone = []
        for where in touched:
            wanted = self._picture.checked(where)
            watch = self._watches.get(where)
            if watch and wanted and watch.is_about(*wanted):
                continue
            known = self._end(where) or records.get(where)
            if wanted:
                begun[where] = _begin(*wanted, known)
            elif not _is_draining(self._picture.targets.get(where)):
                gone.append(where)
        return _Changes(begun=begun, gone=tuple(gone))

    def _end(self, where: Where) -> TargetHealth | None:
        """No longer check a target; what was found of it."""
        watch = self._watches.pop(where, None)
        if watch is None:
            return None
        if watch.task is not None:
            watch.task.cancel()
        return _record(watch)

    def _write_changes(self, changes: _Changes, tx: Transaction) -> None:
        self._guard(tx)
        for scope, key in changes.gone:
            tx.delete(TARGET_HEALTH, scope, key)
        for watch in changes.begun.values():
            _write(_record(watch), tx)

    async def _check(self, watch: _Watch) -> None:
        """Check one target for ever."""
        loop = asyncio.get_running_loop()
        wanted = target_health.criteria(watch.group)
        check = self._check_of(watch.group, watch.target)
        phase, interval = _phase(watch.target), watch.group.health_check.interval
        checks = 0
        await asyncio.sleep(watch.wait)
        while True:
            started = loop.time()
            outcome = await check()
            watch.health = target_health.next_health(watch.health, outcome, wanted)
            await self._tell(watch)
            checks += 1
            due = started + target_health.delay_after(checks, interval, phase)
            await asyncio.sleep(max(due - loop.time(), 0.0))

    def _check_of(self, group: TargetGroup, target: Target) -> Callable[[], Awaitable[Outcome]]:
        if group.target_type is TargetType.LAMBDA:
            return partial(function_checks.perform, group, target, self._lambda_url)
        return partial(perform, _check_of(group, target))

    async def _tell(self, watch: _Watch) -> None:
        """Write what was found, where that is news; a store that is away is waited for."""
        record = _record(watch)
        while record != watch.told:
            try:
                await self._store.write(partial(self._write_one, record))
            except StoreError as error:
                log.warning("health of a target not written", reason=str(error))
                await asyncio.sleep(RETRY.total_seconds())
            else:
                watch.told = record

    def _write_one(self, record: TargetHealth, tx: Transaction) -> None:
        self._guard(tx)
        _write(record, tx)

    async def _remove_drained(self) -> None:
        """Remove targets when their delay is over."""
        while True:
            self._drains.clear()
            try:
                async with asyncio.timeout(self._until_drained()):
                    await self._drains.wait()
            except TimeoutError:
                await self._remove()

    async def _remove(self) -> None:
        try:
            await self._store.write(partial(self._write_removal, self._clock()))
        except StoreError as error:
            log.warning("drained targets not removed", reason=str(error))
            await asyncio.sleep(RETRY.total_seconds())

    def _until_drained(self) -> float | None:
        """Seconds until the next target has drained; None while none drains."""
        ends = [t.drained_at for t in self._picture.targets.values() if t.drained_at]
        if not ends:
            return None
        return max(min(ends) - self._clock(), PAUSE).total_seconds()

    def _write_removal(self, now: datetime, tx: Transaction) -> None:
        self._guard(tx)
        for target in tx.find(TARGETS, None, "draining", ()):
            if target.drained_at is not None and target.drained_at <= now:
                tx.delete(TARGETS, target.scope, target.key)
                tx.delete(TARGET_HEALTH, target.scope, target.key)


def _everything(view: View) -> tuple[Revision, Picture, dict[Where, TargetHealth]]:
    records: Iterable[TargetHealth] = view.scan(TARGET_HEALTH, None)
    return view.revision, Picture.of(view), {(r.scope, TARGET_HEALTH.key(r)): r for r in records}


def _begin(group: TargetGroup, target: Target, known: TargetHealth | None) -> _Watch:
    """Watch a target from what is known of this registration of it.

    One about which nothing is known is checked at once, others by and by.
    """
    health = _health(group, target, known)
    is_new = health.state is TargetState.INITIAL
    wait = 0.0 if is_new else _phase(target) * group.health_check.interval
    return _Watch(group=group, target=target, health=health, wait=wait)


def _health(group: TargetGroup, target: Target, known: TargetHealth | None) -> Health:
    if not group.health_check.enabled:
        return UNAVAILABLE
    if known is None or known.registered_at != target.registered_at:
        return INITIAL
    if known.state is TargetState.UNAVAILABLE:
        return INITIAL
    return replace(INITIAL, state=known.state, reason=known.reason, description=known.description)


def _record(watch: _Watch) -> TargetHealth:
    return TargetHealth(
        scope=watch.target.scope,
        target_group=watch.target.target_group,
        id=watch.target.id,
        port=watch.target.port,
        state=watch.health.state,
        reason=watch.health.reason,
        description=watch.health.description,
        registered_at=watch.target.registered_at,
    )


def _write(record: TargetHealth, tx: Transaction) -> None:
    """Write what was found, unless that registration is over."""
    target = tx.get(TARGETS, record.scope, TARGET_HEALTH.key(record))
    if target is None or target.draining_since or target.registered_at != record.registered_at:
        return
    tx.put(TARGET_HEALTH, record)


def _check_of(group: TargetGroup, target: Target) -> Check:
    given = group.health_check
    version = group.protocol_version or "HTTP1"
    return Check(
        address=target.address,
        port=target_health.check_port(given, target),
        protocol=given.protocol,
        version=version,
        path=given.path or _DEFAULT_PATHS.get(version, "/"),
        timeout=given.timeout,
    )


def _terms(group: TargetGroup) -> tuple[object, ...]:
    """What of a group decides how its targets are checked."""
    several = function_checks.has_several(group)
    return group.health_check, group.protocol, group.protocol_version, several


def _is_draining(target: Target | None) -> bool:
    return target is not None and target.draining_since is not None


def _phase(target: Target) -> float:
    """Where in the interval a target's checks fall: 0 to 1, the same after every restart."""
    return crc32(target.key.encode()) / 2**32
