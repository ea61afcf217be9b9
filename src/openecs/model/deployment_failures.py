"""What fails deployments of services: tasks that fail, and CloudWatch alarms.

API Reference, ``DeploymentCircuitBreaker``, ``DeploymentAlarms``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitBreaker:
    """Whether a deployment whose tasks keep failing is given up, and then rolled back."""

    enable: bool = False
    rollback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentAlarms:
    """The CloudWatch alarms that fail a deployment."""

    alarm_names: tuple[str, ...]
    enable: bool
    rollback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmWatch:
    """How a deployment fares with the alarms that may fail it."""

    #: Whether they are watched: not where one was in ALARM when it began, nor in a rollback.
    is_watching: bool
    #: Seconds that they are watched once all else is done, and when these are over.
    bake: int = 0
    baked_at: datetime | None = None
    #: Those that failed it.
    triggered: tuple[str, ...] = ()
