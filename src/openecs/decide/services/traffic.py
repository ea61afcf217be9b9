"""Deployments that shift traffic: which stage comes when, and whose share of the traffic is what.

The tasks of the new deployment come to stand beside those of its source, in the other target group
of each pair; then the weights of the listener rules move. Developer Guide, "Amazon ECS blue/green
deployments" (workflow and lifecycle stages), "linear deployments" and "canary deployments".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from openecs.decide.services import hooks
from openecs.decide.services.bounds import bounds
from openecs.decide.services.circuit_breaker import is_going_back
from openecs.decide.services.health import Member, Survey
from openecs.decide.services.state import Forwards
from openecs.model.services import (
    CanaryConfiguration,
    Deployment,
    DeploymentConfiguration,
    DeploymentStrategy,
    LifecycleStage,
    LinearConfiguration,
    RolloutState,
    Service,
    ServiceLoadBalancer,
    ServiceRevision,
    TrafficShift,
)
from openecs.model.tasks import TaskStatus

Stage = LifecycleStage
_ORDER = tuple(Stage)

#: A stage may take so long, unless it is only a wait.
STAGE_LIMIT = timedelta(hours=24)
WHOLE = 100.0

_BAKES = frozenset({Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.BAKE_TIME})
_SHIFTS = frozenset({Stage.TEST_TRAFFIC_SHIFT, Stage.PRODUCTION_TRAFFIC_SHIFT})
_STEPS_BACK = (Stage.SCALE_UP, Stage.PRODUCTION_TRAFFIC_SHIFT, Stage.CLEAN_UP)


def current(service: Service) -> TrafficShift | None:
    """The shift of the deployment in progress, if it is one that shifts traffic."""
    primary = service.primary
    if primary is None or primary.rollout_state is not RolloutState.IN_PROGRESS:
        return None
    return primary.shift


def has_begun(shift: TrafficShift, stage: LifecycleStage) -> bool:
    """Whether the deployment stands at that stage, or behind it."""
    return _ORDER.index(shift.stage) >= _ORDER.index(stage)


def source(service: Service) -> Deployment | None:
    """The deployment that the PRIMARY takes the traffic from.

    What completed last; while that is being gone back to: it, then; else the oldest.

    None where there is nothing yet, and for a rollback: that takes it back from all others.
    """
    primary = service.primary
    if primary is None or is_going_back(primary):
        return None
    return _serving(service.deployments[1:], service.completed_revision)


def begin(
    service: Service,
    revision: ServiceRevision,
    configuration: DeploymentConfiguration,
    fresh: str,
    now: datetime,
) -> TrafficShift | None:
    """The shift of a new deployment of a service, not yet its PRIMARY; None for ROLLING.

    ``fresh`` makes the ids of hooks unique.
    """
    if configuration.strategy is DeploymentStrategy.ROLLING:
        return None
    several = len(service.deployments) > 1
    stage = Stage.RECONCILE_SERVICE if several else Stage.PRE_SCALE_UP
    shift = TrafficShift(
        configuration=configuration,
        stage=stage,
        stage_at=now,
        production_weight=_share(service, revision),
    )
    return hooks.begun(shift, [stage], fresh, now)


def is_on_alternate(
    service: Service, revision: ServiceRevision, configuration: DeploymentConfiguration
) -> bool:
    """Whether a new revision's tasks are to serve the alternate target groups.

    Where traffic is to be shifted, that is the other ones of what serves now; else the same.
    """
    serving = _serving(service.deployments, service.completed_revision)
    if serving is None or _pairs(serving.revision) != _pairs(revision):
        return False
    shifts = configuration.strategy is not DeploymentStrategy.ROLLING
    return serving.revision.on_alternate is not shifts


def advance(
    service: Service, seen: Survey, forwards: Forwards, fresh: str, now: datetime
) -> Service:
    """The service with its shift as far as it can go now: at most one move of traffic at a time."""
    primary, before = service.primary, current(service)
    if primary is None or before is None:
        return service
    shift, after = hooks.expired(before, now), service
    while _shares(shift) == _shares(before) and _is_done(after, shift, seen, forwards, now):
        shift = _entered(after, shift, fresh, now)
        after = _with(after, shift, now)
    return service if shift == before else _with(after, shift, now)


def wanted(service: Service) -> Forwards:
    """The weights of target groups that the rules of the deployment in progress are to have."""
    primary, shift = service.primary, current(service)
    if primary is None or shift is None or _waits_to_go_back(primary, shift):
        return {}
    revision, found = primary.revision, {}
    source_of_all = source(service)
    shares = source_of_all is not None and _pairs(source_of_all.revision) == _pairs(revision)
    for each in revision.load_balancers:
        for rule, share in _rules(each, shift):
            if share or shares:
                found[rule] = _split(each, share, on_alternate=revision.on_alternate)
    return found


def unwritten(service: Service, forwards: Forwards) -> Forwards:
    """What has to be written so that the rules there are have the weights wanted."""
    return {
        rule: weights
        for rule, weights in wanted(service).items()
        if rule in forwards and _at_work(forwards[rule]) != _at_work(weights)
    }


def problem(service: Service, forwards: Forwards, now: datetime) -> str | None:
    """Why the deployment in progress cannot go on, or None; a rollback always goes on."""
    primary, shift = service.primary, current(service)
    if primary is None or shift is None or is_going_back(primary):
        return None
    shift = hooks.expired(shift, now)
    late = None
    if shift.stage not in {*_BAKES, Stage.CLEAN_UP} and now >= shift.stage_at + STAGE_LIMIT:
        late = f"the {shift.stage} stage took longer than 24 hours"
    return hooks.problem(shift) or late or _network_problem(primary.revision, shift, forwards)


def changes_at(service: Service) -> Iterator[datetime]:
    """When time alone may move the deployment in progress on."""
    shift = current(service)
    if shift is None:
        return
    yield _baked_at(service, shift)
    yield shift.stage_at + STAGE_LIMIT
    yield from (run.expires_at for run in shift.hooks if hooks.is_waiting(run))


def shares(service: Service) -> Mapping[str, tuple[float, float]]:
    """By service revision: percent of the test and of the production traffic it is to get.

    Empty where the newest deployment does not shift traffic.
    """
    primary = service.primary
    if primary is None or primary.shift is None:
        return {}
    test, production = _shares(primary.shift)
    found = {d.revision.id: (0.0, 0.0) for d in service.deployments}
    other = _serving(service.deployments[1:], service.completed_revision)
    if other is not None:
        found[other.revision.id] = (WHOLE - test, WHOLE - production)
    found[primary.revision.id] = (test, production)
    return found


def _with(service: Service, shift: TrafficShift, now: datetime) -> Service:
    primary, *older = service.deployments
    return replace(service, deployments=(replace(primary, shift=shift, updated_at=now), *older))


def _serving(
    deployments: tuple[Deployment, ...], completed: ServiceRevision | None
) -> Deployment | None:
    """Which of the deployments is to be relied on: what completed, what is gone back to."""
    known = (d for d in deployments if completed and d.revision.id == completed.id)
    gone_back_to = (d for d in deployments if is_going_back(d))
    return next(chain(known, gone_back_to, reversed(deployments)), None)


def _share(service: Service, revision: ServiceRevision) -> float:
    """Percent of the production traffic that goes to the revision's target groups already."""
    primary = service.primary
    if primary is None or _pairs(primary.revision) != _pairs(revision):
        return 0.0
    share = primary.shift.production_weight if primary.shift else WHOLE
    same = primary.revision.on_alternate is revision.on_alternate
    return share if same else WHOLE - share


def _pairs(revision: ServiceRevision) -> frozenset[tuple[str, str]]:
    return frozenset(
        (each.group(alternate=False), each.group(alternate=True))
        for each in revision.load_balancers
    )


def _waits_to_go_back(primary: Deployment, shift: TrafficShift) -> bool:
    return is_going_back(primary) and shift.stage is Stage.SCALE_UP


def _shares(shift: TrafficShift) -> tuple[float, float]:
    return shift.test_weight, shift.production_weight


def _rules(each: ServiceLoadBalancer, shift: TrafficShift) -> Iterator[tuple[str, float]]:
    """The rules of a pair of target groups, and the new deployment's share of what each has."""
    advanced = each.advanced_configuration
    if advanced is None:
        return
    if advanced.test_listener_rule:
        yield advanced.test_listener_rule, shift.test_weight
    yield advanced.production_listener_rule, shift.production_weight


def _split(each: ServiceLoadBalancer, share: float, *, on_alternate: bool) -> dict[str, int]:
    """The weights of a pair of target groups: whole percents, or tenths where it takes them.

    Weights are 0 to 999: API Reference, ``TargetGroupTuple``.
    """
    scale = 1 if share == int(share) else 10
    own = round(share * scale)
    return {
        each.group(alternate=on_alternate): own,
        each.group(alternate=not on_alternate): int(WHOLE) * scale - own,
    }


def _at_work(weights: Mapping[str, int]) -> Mapping[str, float]:
    """The shares of the target groups that get traffic."""
    total = sum(weights.values())
    return {group: weight / total for group, weight in weights.items() if weight}


def _is_done(
    service: Service, shift: TrafficShift, seen: Survey, forwards: Forwards, now: datetime
) -> bool:
    if any(map(hooks.is_waiting, shift.hooks)):
        return False
    match shift.stage:
        case Stage.RECONCILE_SERVICE:
            return _is_reconciled(service, shift, seen)
        case Stage.SCALE_UP | Stage.PRE_PRODUCTION_TRAFFIC_SHIFT:
            return _is_scaled_up(service, seen)
        case Stage.CLEAN_UP:
            return False
        case _:
            is_settled = shift.stage not in _SHIFTS or not unwritten(service, forwards)
            return is_settled and now >= _baked_at(service, shift)


def _entered(service: Service, shift: TrafficShift, fresh: str, now: datetime) -> TrafficShift:
    """The shift at its next stage."""
    primary = service.primary
    if primary is not None and is_going_back(primary):
        stage = _STEPS_BACK[_STEPS_BACK.index(shift.stage) + 1]
        back = replace(shift, stage=stage, stage_at=now, production_weight=WHOLE, test_weight=WHOLE)
        return hooks.begun(back, _SHIFTS if stage in _SHIFTS else (), fresh, now)
    if shift.stage is Stage.RECONCILE_SERVICE and shift.production_weight:
        return replace(shift, production_weight=0.0)
    stage = _following(shift)
    moved = replace(shift, stage=stage, stage_at=now)
    if stage is Stage.TEST_TRAFFIC_SHIFT:
        moved = replace(moved, test_weight=WHOLE)
    if stage is Stage.PRODUCTION_TRAFFIC_SHIFT:
        moved = replace(moved, production_weight=_step(service, shift))
    return hooks.begun(moved, [stage], fresh, now)


def _following(shift: TrafficShift) -> LifecycleStage:
    if shift.stage is Stage.PRODUCTION_TRAFFIC_SHIFT and shift.production_weight < WHOLE:
        return Stage.PRE_PRODUCTION_TRAFFIC_SHIFT
    return _ORDER[_ORDER.index(shift.stage) + 1]


def _step(service: Service, shift: TrafficShift) -> float:
    """The share of the production traffic that comes next."""
    configuration, share = shift.configuration, shift.production_weight
    if source(service) is None:
        return WHOLE
    match configuration.strategy:
        case DeploymentStrategy.LINEAR:
            linear = configuration.linear_configuration or LinearConfiguration()
            return min(WHOLE, round(share + linear.step_percent, 1))
        case DeploymentStrategy.CANARY if share == 0:
            return (configuration.canary_configuration or CanaryConfiguration()).canary_percent
        case _:
            return WHOLE


def _baked_at(service: Service, shift: TrafficShift) -> datetime:
    """Until when the stage is watched. Without anything to go back to there is nothing to watch."""
    minutes = 0
    if shift.stage in _BAKES and source(service) is not None:
        minutes = _bake_minutes(shift)
    return shift.stage_at + timedelta(minutes=minutes)


def _bake_minutes(shift: TrafficShift) -> int:
    configuration = shift.configuration
    if shift.stage is Stage.BAKE_TIME:
        return configuration.bake_time_in_minutes
    if shift.production_weight >= WHOLE:
        return 0
    if configuration.strategy is DeploymentStrategy.LINEAR:
        linear = configuration.linear_configuration or LinearConfiguration()
        return linear.step_bake_time_in_minutes
    return (configuration.canary_configuration or CanaryConfiguration()).canary_bake_time_in_minutes


def _is_reconciled(service: Service, shift: TrafficShift, seen: Survey) -> bool:
    """Whether the source can take all traffic, or has it and is alone."""
    if shift.production_weight:
        return _can_serve(service, seen, source(service))
    kept = {d.id for d in (service.primary, source(service)) if d}
    running = (t for t in seen.stopping if t.last_status is TaskStatus.RUNNING)
    return all(t.started_by in kept for t in (*(m.task for m in seen.members), *running))


def _is_scaled_up(service: Service, seen: Survey) -> bool:
    primary = service.primary
    if primary is not None and is_going_back(primary):
        return _can_serve(service, seen, primary)
    members = seen.of(primary)
    return len(members) == service.desired_count and all(map(_is_well, members))


def _is_well(member: Member) -> bool:
    return member.is_healthy and not member.draining


def _can_serve(service: Service, seen: Survey, deployment: Deployment | None) -> bool:
    """Whether a deployment can take all traffic: it is up, or nobody else serves any better."""
    own = {m.task.id for m in seen.of(deployment)}
    healthy = [m.task.id in own for m in seen.members if m.is_healthy]
    floor = bounds(service.desired_count, service.deployment_configuration).floor
    return sum(healthy) >= max(1, floor) or all(healthy)


def _network_problem(
    revision: ServiceRevision, shift: TrafficShift, forwards: Forwards
) -> str | None:
    for each in revision.load_balancers:
        found = _pair_problem(each, shift, forwards)
        if found:
            return f"of invalid networking configuration. {found}"
    return None


def _pair_problem(each: ServiceLoadBalancer, shift: TrafficShift, forwards: Forwards) -> str | None:
    advanced = each.advanced_configuration
    if advanced is None:
        return None
    rules = [rule for rule, _ in _rules(each, shift)]
    if any(rule not in forwards for rule in rules):
        return "One or more rules not found"
    first, second = each.target_group_arn, advanced.alternate_target_group_arn
    rule = advanced.production_listener_rule
    for group in forwards[rule]:
        if group not in {first, second}:
            return (
                f"Production listener rule is forwarding traffic to unexpected target group "
                f"{group}. Expected traffic to be forwarded to either targetGroupArn: {first} or "
                f"alternateTargetGroupArn: {second}"
            )
    if not {first, second} <= {group for rule in rules for group in forwards[rule]}:
        return (
            "Both targetGroup and alternateTargetGroup must be associated with the "
            "productionListenerRule or testListenerRule."
        )
    serving = len(_at_work(forwards[rule]))
    if shift.stage is Stage.PRE_SCALE_UP and serving > 1:
        return (
            f"productionListenerRule {rule} should have exactly one target group serving traffic "
            f"but found {serving} target groups which are serving traffic"
        )
    return None
