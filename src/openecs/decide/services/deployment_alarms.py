"""The CloudWatch alarms that fail a deployment.

Developer Guide, "How CloudWatch alarms detect Amazon ECS deployment failures".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from openecs.model.deployment_failures import AlarmWatch
from openecs.model.services import Deployment, RolloutState, Service


def begin(service: Service, ringing: Collection[str], bake: timedelta) -> Service:
    """The service with the watch of its newest deployment begun, where that is due.

    ``ringing`` are its alarms in ALARM. Where there is one already, none is watched: the deployment
    may be what mends it. ``bake`` is how long they are watched once all else is done.
    """
    primary = service.primary
    if primary is None or primary.rollout_state is not RolloutState.IN_PROGRESS:
        return service
    if primary.alarm_watch is not None or not is_asked_for(service):
        return service
    return _with(service, AlarmWatch(is_watching=not ringing, bake=int(bake.total_seconds())))


def is_asked_for(service: Service) -> bool:
    """Whether alarms are to fail the service's deployments."""
    alarms = service.deployment_configuration.alarms
    return alarms is not None and alarms.enable


def triggered(service: Service, ringing: Collection[str]) -> Service:
    """The service with the alarms noted that fail its newest deployment."""
    if not is_failing(service, ringing) or service.primary is None:
        return service
    watch = service.primary.alarm_watch or AlarmWatch(is_watching=True)
    return _with(service, replace(watch, triggered=tuple(sorted(ringing))))


def is_failing(service: Service, ringing: Collection[str]) -> bool:
    """Whether an alarm that is watched is in ALARM while the newest deployment is in progress."""
    primary = service.primary
    if primary is None or primary.alarm_watch is None or not is_asked_for(service):
        return False
    in_progress = primary.rollout_state is RolloutState.IN_PROGRESS
    return in_progress and primary.alarm_watch.is_watching and bool(ringing)


def baking(service: Service, now: datetime) -> Service | None:
    """The service while its deployment, done otherwise, waits for alarms; None once it has.

    A deployment that shifts traffic has a bake time of its own.
    """
    primary = service.primary
    watch = primary.alarm_watch if primary else None
    if primary is None or watch is None or not watch.is_watching or not is_asked_for(service):
        return None
    if primary.shift is not None or not watch.bake:
        return None
    if watch.baked_at is None:
        until = now + timedelta(seconds=watch.bake)
        return _with(service, replace(watch, baked_at=until))
    return service if now < watch.baked_at else None


def status(deployment: Deployment | None) -> str:
    """What the watch of a deployment has come to, as DescribeServiceDeployments says it."""
    watch = deployment.alarm_watch if deployment else None
    if deployment is None or watch is None or not watch.is_watching:
        return "DISABLED"
    if watch.triggered:
        return "TRIGGERED"
    in_progress = deployment.rollout_state is RolloutState.IN_PROGRESS
    return "MONITORING" if in_progress else "MONITORING_COMPLETE"


def _with(service: Service, watch: AlarmWatch) -> Service:
    primary, *older = service.deployments
    return replace(service, deployments=(replace(primary, alarm_watch=watch), *older))
