"""What the alarms of a deployment say, read with what else a pass looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from openecs.model.alarms import AlarmState, CompositeAlarm, MetricAlarm
from openecs.model.identity import Scope
from openecs.store.alarms import COMPOSITE_ALARMS, METRIC_ALARMS
from openecs.store.base import View


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAlarms:
    """The names of the alarms in ALARM, and the longest time that one of all looks back."""

    ringing: frozenset[str] = frozenset()
    bake: timedelta = timedelta(0)


def deployment_alarms(view: View, scope: Scope, names: Iterable[str]) -> SeenAlarms:
    """What alarms of these names say; those that do not exist say nothing."""
    found = [alarm for name in names if (alarm := _alarm(view, scope, name)) is not None]
    looks_back = (
        alarm.period * alarm.evaluation_periods for alarm in found if isinstance(alarm, MetricAlarm)
    )
    return SeenAlarms(
        ringing=frozenset(alarm.name for alarm in found if alarm.state is AlarmState.ALARM),
        bake=timedelta(seconds=max(looks_back, default=0)),
    )


def _alarm(view: View, scope: Scope, name: str) -> MetricAlarm | CompositeAlarm | None:
    return view.get(METRIC_ALARMS, scope, name) or view.get(COMPOSITE_ALARMS, scope, name)
