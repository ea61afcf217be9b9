"""How the tasks of older deployments give way to those of the newest, within the bounds.

Developer Guide, "Deploy Amazon ECS services by replacing tasks". Starts keep the tasks that run,
will run or are still being stopped below the ceiling, so that the engine never has more; stops keep
the healthy ones above the floor. Tasks on DRAINING instances give way under the same bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openecs.decide.services.bounds import Bounds, bounds
from openecs.decide.services.health import Condition, Member, Survey
from openecs.decide.services.state import Start
from openecs.decide.services.victims import in_order, victims
from openecs.model.services import Deployment, RolloutState, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What to stop and start now, and what stands in the way."""

    stops: tuple[Member, ...] = ()
    starts: int = 0
    #: Of a DAEMON: where each start is to be.
    instances: tuple[str, ...] = ()
    replaces_unhealthy: int = 0
    #: The unhealthy tasks that are replaced now.
    told: tuple[Member, ...] = ()
    #: Neither a start nor a stop is possible within the bounds, and nothing is under way.
    is_stuck: bool = False
    #: More tasks are protected than are wanted.
    is_kept: bool = False
    #: A start is due that has to wait.
    is_held: bool = False
    #: Starts of the deployment whose traffic is being taken over.
    of_source: tuple[Start, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is stopped or started."""
        return not self.starts and not self.stops and not self.of_source


def moves(service: Service, seen: Survey, allowed: int) -> Moves:
    """The next moves of a service of the REPLICA strategy; ``allowed`` limits the starts."""
    primary = service.primary
    if primary is None:
        return Moves()
    if primary.rollout_state is RolloutState.FAILED:
        return _after_failure(service, seen)
    if primary.rollout_state is RolloutState.IN_PROGRESS:
        return roll(service, seen, allowed)
    limits = bounds(service.desired_count, service.deployment_configuration)
    return balance(service, seen.members, service.desired_count, limits, allowed)


def is_rolling(service: Service, seen: Survey) -> bool:
    """Whether tasks of other deployments than the PRIMARY are still there, or being stopped."""
    newest = service.primary.id if service.primary else None
    tasks = (*(m.task for m in seen.members), *seen.stopping)
    return any(t.started_by != newest for t in tasks)


def balance(
    service: Service, members: Sequence[Member], desired: int, limits: Bounds, allowed: int
) -> Moves:
    """What keeps one deployment, or task set, at its count: no bounds but for replacements.

    An unhealthy task, or one on a DRAINING instance, is replaced before it is stopped as far as the
    ceiling permits, and else one by one.
    """
    sick = _oldest_first(m for m in members if m.is_unhealthy)
    leaving = [m for m in members if m.draining and not m.is_unhealthy]
    staying = [m for m in members if not m.draining and not m.is_unhealthy]
    surplus = victims(staying, len(staying) - desired, service)
    released = release(in_order(leaving, service), members, leaving, limits.floor)
    most = max(desired, limits.ceiling)
    must_stop_first = allowed > 0 and len(members) >= most
    cured = _cured(sick, staying, desired, must_stop_first=must_stop_first)
    stops = (*cured, *released, *surplus)
    missing = max(0, desired - len(staying))
    room = most - len(members) + len(stops)
    starts = max(0, min(missing, room, allowed))
    covered = max(0, len(members) - desired)
    replaced = max(0, min(starts - max(0, desired - len(members)), len(sick) - covered))
    return Moves(
        stops=stops,
        starts=starts,
        replaces_unhealthy=replaced,
        told=tuple(sick[covered : covered + replaced]),
        is_stuck=_is_stuck(members, leaving, missing, starts + len(stops), allowed),
        is_kept=_is_overprotected(staying, desired),
        is_held=missing > starts,
    )


def release(
    candidates: Iterable[Member], members: Iterable[Member], leaving: Iterable[Member], floor: int
) -> list[Member]:
    """The candidates, in their order, that may go without harm to the floor.

    What does not run, or is unhealthy, goes freely. Of those that leave, what runs but is not known
    to be healthy is still counted as serving: it may be all there is.
    """
    healthy = sum(m.is_healthy for m in members)
    serving = healthy + sum(m.condition in {Condition.UNPROVEN, Condition.YOUNG} for m in leaving)
    released = []
    for member in candidates:
        if member.is_kept or (_serves(member) and serving <= floor):
            continue
        if member.is_healthy and healthy <= floor:
            continue
        serving -= _serves(member)
        healthy -= member.is_healthy
        released.append(member)
    return released


def _serves(member: Member) -> bool:
    return member.condition >= Condition.UNPROVEN


def roll(service: Service, seen: Survey, allowed: int) -> Moves:
    """The next moves of a deployment in progress."""
    desired = service.desired_count
    limits = bounds(desired, service.deployment_configuration)
    news, olds = seen.of(service.primary), _others(service.primary, seen)
    sick = tuple(m for m in news if m.is_unhealthy)
    staying = [m for m in news if not m.is_unhealthy and not m.draining]
    leaving = [*olds, *(m for m in news if m.draining and not m.is_unhealthy)]
    surplus = victims(staying, len(staying) - desired, service)
    idle = tuple(m for m in surplus if not m.is_healthy)
    candidates = [*in_order(leaving, service), *(m for m in surplus if m.is_healthy)]
    stops = (*sick, *idle, *release(candidates, seen.members, leaving, limits.floor))
    missing = max(0, desired - len(staying))
    starts = max(0, min(missing, _room(service, seen, limits, len(stops)), allowed))
    moved = starts + len(stops) + len(seen.stopping)
    return Moves(
        stops=stops,
        starts=starts,
        replaces_unhealthy=min(len(sick), starts),
        told=tuple(m for m in stops if m.is_unhealthy),
        is_stuck=_is_stuck(seen.members, leaving, missing, moved, allowed),
        is_kept=_is_overprotected(staying, desired),
        is_held=missing > starts,
    )


def _room(service: Service, seen: Survey, limits: Bounds, stopped: int) -> int:
    """How many more tasks there may be.

    What is stopped now makes no room before it has stopped, but where no deployment is replaced.
    """
    if is_rolling(service, seen):
        return limits.ceiling - len(seen.members) - len(seen.stopping)
    return max(limits.ceiling, service.desired_count) - len(seen.members) + stopped


def _others(primary: Deployment | None, seen: Survey) -> list[Member]:
    newest = primary.id if primary else None
    return [m for m in seen.members if m.task.started_by != newest]


def _after_failure(service: Service, seen: Survey) -> Moves:
    """Nothing is started; the failed deployment loses what is of no use, others lose nothing.

    Only beyond the ceiling, which a lower desired count brings down, are tasks stopped.
    """
    limits = bounds(service.desired_count, service.deployment_configuration)
    useless = useless_of(service.primary, seen)
    gone = {m.task.id for m in useless}
    rest = [m for m in seen.members if m.task.id not in gone]
    surplus = victims(rest, len(rest) - limits.ceiling, service)
    return Moves(stops=(*useless, *surplus), told=tuple(m for m in useless if m.is_unhealthy))


def useless_of(failed: Deployment | None, seen: Survey) -> tuple[Member, ...]:
    """The tasks of a failed deployment that are unhealthy, or do not run yet."""
    return tuple(m for m in seen.of(failed) if m.condition <= Condition.UNHEALTHY)


def _cured(
    sick: Sequence[Member], staying: Sequence[Member], desired: int, *, must_stop_first: bool
) -> Sequence[Member]:
    """The unhealthy whose replacement is healthy; the first, where there is no room for one."""
    healthy = sum(m.is_healthy for m in staying)
    cured = len(sick) - max(0, desired - healthy)
    none_under_way = healthy == len(staying) < desired
    if cured <= 0 and must_stop_first and none_under_way:
        return sick[:1]
    return sick[: max(0, cured)]


def _is_stuck(
    members: Sequence[Member], leaving: Sequence[Member], missing: int, moved: int, allowed: int
) -> bool:
    """Whether the bounds are what holds it: not a wait, for health, for a start or protection."""
    waits = any(not m.is_healthy and not m.is_unhealthy for m in members)
    can_go = any(not m.is_kept for m in leaving)
    return bool(missing and can_go and allowed) and not moved and not waits


def _is_overprotected(staying: Sequence[Member], desired: int) -> bool:
    return sum(m.is_kept for m in staying) > desired


def _oldest_first(members: Iterable[Member]) -> list[Member]:
    return sorted(members, key=lambda m: (m.task.created_at, m.task.id))
