"""The tasks of a deployment that shifts traffic: the new ones beside those of its source.

Both are kept at the desired count until the traffic has moved; then all but the newest go.
Developer Guide, "Amazon ECS blue/green deployments": both run during the bake time.
"""

from __future__ import annotations

from openecs.decide.services import traffic
from openecs.decide.services.bounds import bounds
from openecs.decide.services.health import Member, Survey, narrowed
from openecs.decide.services.rollout import Moves, balance, roll
from openecs.decide.services.state import Forwards, Start
from openecs.model.services import LifecycleStage, Service, TrafficShift


def moves(
    service: Service,
    shift: TrafficShift,
    seen: Survey,
    forwards: Forwards,
    allowed: tuple[int, int],
) -> Moves:
    """The next moves; ``allowed`` limits the starts of the new deployment and of its source."""
    primary, source = service.primary, traffic.source(service)
    own, others = allowed
    news = Moves()
    if traffic.has_begun(shift, LifecycleStage.SCALE_UP):
        news = roll(service, narrowed(seen, primary), own)
    olds = Moves()
    if source is not None and shift.stage is not LifecycleStage.CLEAN_UP:
        limits = bounds(service.desired_count, service.deployment_configuration)
        olds = balance(service, seen.of(source), service.desired_count, limits, others)
    gone = _outdated(service, shift, seen, forwards)
    starts: tuple[Start, ...] = ()
    if olds.starts and source is not None:
        starts = (
            Start(
                deployment=source.id,
                count=olds.starts,
                replaces_unhealthy=olds.replaces_unhealthy,
            ),
        )
    return Moves(
        stops=(*news.stops, *olds.stops, *gone),
        starts=news.starts,
        of_source=starts,
        replaces_unhealthy=news.replaces_unhealthy,
        told=(*news.told, *olds.told),
        is_kept=news.is_kept or olds.is_kept,
        is_held=news.is_held or olds.is_held,
    )


def _outdated(
    service: Service, shift: TrafficShift, seen: Survey, forwards: Forwards
) -> tuple[Member, ...]:
    """Tasks without traffic that nobody goes back to; the rules have to know it already."""
    is_over = shift.stage is LifecycleStage.CLEAN_UP
    if traffic.unwritten(service, forwards) or not (is_over or _is_alone(shift)):
        return ()
    kept = [service.primary, *([] if is_over else [traffic.source(service)])]
    names = {deployment.id for deployment in kept if deployment}
    return tuple(m for m in seen.members if m.task.started_by not in names and not m.is_kept)


def _is_alone(shift: TrafficShift) -> bool:
    """Whether the source has all traffic: others than it and the newest are not needed then."""
    return shift.stage is LifecycleStage.RECONCILE_SERVICE and not shift.production_weight
