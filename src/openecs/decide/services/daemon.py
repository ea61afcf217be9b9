"""One task on each instance: what a service of the DAEMON strategy stops and starts.

Developer Guide, "Daemon scheduling strategy". A rollout stops first by default (0 and 100 percent);
a larger maximumPercent lets the new task start beside the old one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from openecs.decide.services.bounds import Bounds, bounds
from openecs.decide.services.health import Member, Survey
from openecs.decide.services.rollout import Moves, is_rolling, release, useless_of
from openecs.model.services import RolloutState, Service


def moves(service: Service, seen: Survey, eligible: Sequence[str], allowed: int) -> Moves:
    """The next moves towards one task of the PRIMARY on each eligible instance."""
    primary = service.primary
    if primary is None:
        return Moves()
    wanted = frozenset(eligible)
    misplaced = [m for m in seen.members if _place(m) not in wanted and not m.is_kept]
    if primary.rollout_state is RolloutState.FAILED:
        return _after_failure(service, seen, misplaced)
    limits = bounds(len(eligible), service.deployment_configuration)
    news, olds = _sides(service, seen, wanted)
    sick = [m for m in news if m.is_unhealthy]
    fit = _best_by_place(m for m in news if not m.is_unhealthy)
    spare = [m for m in news if fit.get(_place(m)) is not m and not m.is_unhealthy]
    candidates = sorted(olds, key=lambda m: _rank(m, fit))
    at_once = (*misplaced, *sick, *(m for m in spare if not m.is_kept))
    going = release(candidates, _without(seen.members, at_once), olds, limits.floor)
    stops = (*at_once, *going)
    vacant = [place for place in eligible if place not in fit]
    places = _places(service, seen, vacant, limits)[:allowed]
    cured = {_place(m) for m in sick}
    return Moves(
        stops=stops,
        starts=len(places),
        instances=tuple(places),
        replaces_unhealthy=sum(place in cured for place in places),
        told=tuple(m for m in stops if m.is_unhealthy),
        is_stuck=_is_stuck(seen, olds, len(places) + len(stops), allowed),
        is_held=len(places) < len(vacant),
    )


def _without(members: Iterable[Member], gone: Iterable[Member]) -> list[Member]:
    names = {m.task.id for m in gone}
    return [m for m in members if m.task.id not in names]


def _after_failure(service: Service, seen: Survey, misplaced: Sequence[Member]) -> Moves:
    useless = useless_of(service.primary, seen)
    stops = (*useless, *_without(misplaced, useless))
    return Moves(stops=stops, told=tuple(m for m in useless if m.is_unhealthy))


def _sides(
    service: Service, seen: Survey, wanted: frozenset[str]
) -> tuple[list[Member], list[Member]]:
    """The well placed tasks of the PRIMARY, and those of older deployments."""
    newest = service.primary.id if service.primary else None
    placed = [m for m in seen.members if _place(m) in wanted]
    news = [m for m in placed if m.task.started_by == newest]
    return news, [m for m in placed if m.task.started_by != newest]


def _best_by_place(members: Iterable[Member]) -> Mapping[str, Member]:
    """The healthiest, and oldest, of each instance."""
    best: dict[str, Member] = {}
    for member in sorted(members, key=lambda m: (-m.condition, m.task.created_at, m.task.id)):
        best.setdefault(_place(member), member)
    return best


def _rank(old: Member, fit: Mapping[str, Member]) -> tuple[bool, int, str]:
    """An old task whose successor is healthy goes first, then what is missed least."""
    successor = fit.get(_place(old))
    return not (successor and successor.is_healthy), old.condition, old.task.id


def _places(
    service: Service,
    seen: Survey,
    vacant: Sequence[str],
    limits: Bounds,
) -> list[str]:
    """The vacant instances on which a task may be started, those without any task first."""
    if not is_rolling(service, seen):
        return list(vacant)
    residents: dict[str, int] = defaultdict(int)
    for task in (*(m.task for m in seen.members), *seen.stopping):
        residents[task.container_instance or ""] += 1
    free = [place for place in vacant if not residents[place]]
    if limits.ceiling > service.desired_count:
        free += [place for place in vacant if residents[place] == 1]
    room = limits.ceiling - len(seen.members) - len(seen.stopping)
    return free[: max(0, room)]


def _is_stuck(seen: Survey, olds: Sequence[Member], moved: int, allowed: int) -> bool:
    """Whether the bounds are what holds it: nothing moves, and all there is is healthy."""
    can_go = any(not m.is_kept for m in olds)
    return can_go and allowed > 0 and not moved and not seen.stopping and _is_all_healthy(seen)


def _is_all_healthy(seen: Survey) -> bool:
    return all(m.is_healthy for m in seen.members)


def _place(member: Member) -> str:
    return member.task.container_instance or ""
