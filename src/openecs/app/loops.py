"""What goes on without anyone asking, on one process at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from openecs.app.identity import SystemIds, installation, now
from openecs.control.alarms import Alarms
from openecs.control.certificates import Certificates
from openecs.control.daemons import Daemons
from openecs.control.express_gateways import ExpressGateways
from openecs.control.insight_counts import InsightCounts
from openecs.control.lease import Leader
from openecs.control.lifecycle_hooks import LifecycleHooks
from openecs.control.log_filters import LogFilters
from openecs.control.log_queries import LogQueries
from openecs.control.log_retention import LogRetention
from openecs.control.log_subscriptions import LogSubscriptions
from openecs.control.machines import MachineWatch
from openecs.control.metric_retention import MetricRetention
from openecs.control.retention import Retention
from openecs.control.scaling import Scaling
from openecs.control.services import Services
from openecs.control.target_health import TargetHealthChecks
from openecs.decide.log_subscriptions import Destinations
from openecs.decide.services.state import SchedulerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from openecs.app.stores import Stores
    from openecs.authority import LocalAuthority
    from openecs.config import Settings

    Loop = Callable[[], Coroutine[None, None, None]]


class ControlPlane:
    """The control loops, until they are told to rest: then nothing is replaced any more."""

    def __init__(self, settings: Settings, stores: Stores, authority: LocalAuthority) -> None:
        self._settings, self._stores, self._authority = settings, stores, authority
        self._leader = Leader(store=stores.resources, clock=now, holder=installation(settings))
        self._guard = self._leader.guard if settings.shares_database else None
        self._services = Services(
            store=stores.resources,
            clock=now,
            ids=SystemIds(),
            settings=_scheduler_settings(settings),
            guard=self._guard,
        )
        self._log_retention = LogRetention(
            store=stores.resources,
            logs=stores.logs,
            clock=now,
            most=settings.log_max_mib * 1024 * 1024,
        )
        self._working: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Work until cancelled, or told to rest."""
        async with asyncio.TaskGroup() as group:
            self._working = group.create_task(self._work())
        await asyncio.Event().wait()

    def notices(self) -> list[str]:
        """What somebody should know."""
        return self._log_retention.notices()

    def rest(self) -> None:
        """End the loops; the next start of the process begins them anew."""
        if self._working is not None:
            self._working.cancel()

    async def observe(self) -> None:
        """Have the scheduler read the store anew, after it was emptied."""
        await self._services.observe()

    async def _work(self) -> None:
        loops = [self._services.run, *self._of_resources(), *self._of_measures()]
        if not self._settings.shares_database:
            await _together([run() for run in loops])
            return
        machines = MachineWatch(store=self._stores.resources, clock=now, guard=self._leader.guard)
        await self._leader.run(lambda: [run() for run in (*loops, machines.run)])

    def _of_resources(self) -> list[Loop]:
        store, guard, settings = self._stores.resources, self._guard, self._settings
        daemons = Daemons(
            store=store,
            clock=now,
            ids=SystemIds(),
            settings=_scheduler_settings(settings),
            guard=guard,
        )
        kept = timedelta(seconds=settings.stopped_task_retention)
        return [
            daemons.run,
            Retention(store=store, clock=now, stopped_tasks=kept).run,
            Certificates(store=store, clock=now, authority=self._authority, guard=guard).run,
            TargetHealthChecks(
                store=store, clock=now, guard=guard, lambda_url=settings.lambda_url
            ).run,
            LifecycleHooks(store=store, clock=now, url=settings.lambda_url, guard=guard).run,
            ExpressGateways(store=store, clock=now, ids=SystemIds(), guard=guard).run,
        ]

    def _of_measures(self) -> list[Loop]:
        store, metrics, guard = self._stores.resources, self._stores.metrics, self._guard
        alarms = Alarms(
            store=store,
            metrics=metrics,
            clock=now,
            ids=SystemIds(),
            url=self._settings.alarm_webhook_url,
            guard=guard,
        )
        scaling = Scaling(store=store, metrics=metrics, clock=now, ids=SystemIds(), guard=guard)
        return [
            alarms.run,
            scaling.run,
            InsightCounts(store=store, metrics=metrics, clock=now).run,
            MetricRetention(metrics=metrics, clock=now).run,
            LogFilters(store=store, logs=self._stores.logs, metrics=metrics).run,
            LogSubscriptions(
                store=store, logs=self._stores.logs, clock=now, destinations=self._destinations()
            ).run,
            LogQueries(store=store, logs=self._stores.logs, clock=now, guard=guard).run,
            self._log_retention.run,
        ]

    def _destinations(self) -> Destinations:
        return Destinations(self._settings.log_destinations, self._settings.lambda_url)


def _scheduler_settings(settings: Settings) -> SchedulerSettings:
    return SchedulerSettings(healthy_after=timedelta(seconds=settings.deployment_healthy_after))


async def _together(loops: Sequence[Coroutine[None, None, None]]) -> None:
    async with asyncio.TaskGroup() as group:
        for loop in loops:
            group.create_task(loop)
