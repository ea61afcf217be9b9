"""When to look at a service again though nothing happens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from openecs.decide.services import traffic
from openecs.decide.services.health import Survey
from openecs.decide.services.state import SchedulerSettings
from openecs.model.services import Service


def wake_at(
    service: Service,
    seen: Survey,
    held_until: Iterable[datetime | None],
    settings: SchedulerSettings,
    now: datetime,
) -> datetime | None:
    """The first moment at which time alone changes what is to be done, or None.

    ``held_until``: when starts that are due may be tried.
    """
    times = [*held_until, *traffic.changes_at(service), *(m.changes_at for m in seen.members)]
    if service.primary and service.primary.alarm_watch:
        times.append(service.primary.alarm_watch.baked_at)
    if service.steady_at:
        times.append(service.steady_at + settings.steady_again)
    else:
        times.extend(m.protected_until for m in seen.members)
    return min((t for t in times if t and t > now), default=None)
