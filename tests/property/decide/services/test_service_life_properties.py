"""What the scheduler of services keeps to, whatever becomes of its tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from openecs.decide.services.bounds import bounds
from openecs.decide.services.health import Survey, survey
from openecs.decide.services.rollout import is_rolling
from openecs.decide.services.state import SchedulerSettings, ServicePlan
from openecs.model.deployment_failures import CircuitBreaker
from openecs.model.services import (
    DeploymentConfiguration,
    RolloutState,
    SchedulingStrategy,
    Service,
)
from openecs.model.tasks import HealthStatus, StopCode, TaskProtection, TaskStatus
from openecs.testing.service_world import ServiceWorld, a_service

PERCENTS = st.tuples(
    st.sampled_from([0, 25, 50, 75, 100]), st.sampled_from([100, 125, 150, 200])
).filter(lambda p: p[0] < p[1])
CONFIGURATIONS = st.builds(
    lambda percents, enable, rollback: DeploymentConfiguration(
        minimum_healthy_percent=percents[0],
        maximum_percent=percents[1],
        deployment_circuit_breaker=CircuitBreaker(enable=enable, rollback=rollback),
    ),
    PERCENTS,
    st.booleans(),
    st.booleans(),
)
PLACES = ("i1", "i2", "i3", "i4")
STRATEGIES = st.sampled_from(SchedulingStrategy)


def occupied(world: ServiceWorld) -> int:
    return len(world.live()) + len(world.stopping())


def healthy(seen: Survey) -> set[str]:
    return {m.task.id for m in seen.members if m.is_healthy}


def has_moves(plan: ServicePlan) -> bool:
    return bool(plan.starts or plan.stops or plan.accounted)


class ServiceLife(RuleBasedStateMachine):
    """Tasks live and die at random; after each step the plan is judged, then carried out."""

    @initialize(
        desired=st.integers(0, 5),
        configuration=CONFIGURATIONS,
        checked=st.booleans(),
        strategy=STRATEGIES,
    )
    def begin(self, desired, configuration, checked, strategy):
        service = a_service(
            desired_count=desired,
            deployment_configuration=configuration,
            scheduling_strategy=strategy,
        )
        self.world = ServiceWorld(service=service, eligible=PLACES[:desired])
        self.world.checked = frozenset({f"web:{n}" for n in range(1, 60)} if checked else ())

    @rule(times=st.integers(1, 3))
    def goes_well(self, times):
        for _ in range(times):
            self.world.finish_stops()
            self.world.run_pending(HealthStatus.HEALTHY)
            self.world.later(41)
            self.step()

    @rule()
    def is_deployed_in_peace(self):
        self.goes_well(3)
        self.world.deploy()
        self.goes_well(1)

    @rule(seconds=st.sampled_from([0, 0, 1, 20]))
    def step(self, seconds=0):
        self.world.later(seconds)
        world = self.world
        seen = survey(world.state(), world.settings, world.now)
        before = world.service
        plan = world.decide()
        assert plan == world.decide(), "the same state gives the same plan"
        self._judge_stops(seen, plan)
        self._judge_starts(seen, before, plan)
        world.apply(plan)
        again = world.decide()
        assert not has_moves(again)
        assert again.service == world.service or plan.stops

    def _judge_stops(self, seen: Survey, plan: ServicePlan) -> None:
        stopped = {s.task for s in plan.stops}
        assert len(stopped) == len(plan.stops)
        assert not any(m.task.id in stopped for m in seen.members if m.is_kept)
        good = healthy(seen)
        if not good & stopped or self._is_excess(plan.service):
            return
        floor = bounds(plan.service.desired_count, plan.service.deployment_configuration).floor
        displaced = {
            m.task.id
            for m in seen.members
            if plan.service.scheduling_strategy is SchedulingStrategy.DAEMON
            and m.task.container_instance not in self.world.eligible
        }
        if good & stopped - displaced:
            assert len(good - (stopped - displaced)) >= floor

    def _is_excess(self, service: Service) -> bool:
        primary = service.primary
        return primary is not None and primary.rollout_state is RolloutState.FAILED

    def _judge_starts(self, seen: Survey, before: Service, plan: ServicePlan) -> None:
        count = sum(s.count for s in plan.starts)
        if not count:
            return
        primary = plan.service.primary
        assert primary
        assert primary.rollout_state is not RolloutState.FAILED
        assert primary.start_after is None or primary.start_after <= self.world.now
        limits = bounds(plan.service.desired_count, plan.service.deployment_configuration)
        rolling = primary.rollout_state is RolloutState.IN_PROGRESS
        if rolling and is_rolling(replace(before, deployments=plan.service.deployments), seen):
            assert occupied(self.world) + count <= limits.ceiling
        else:
            most = max(limits.ceiling, plan.service.desired_count)
            assert len(self.world.live()) - len(plan.stops) + count <= most

    @rule(data=st.data(), healthy=st.booleans())
    @precondition(lambda self: self._pending())
    def runs(self, data, healthy):
        task = data.draw(st.sampled_from(self._pending()))
        self.world.run(task, HealthStatus.HEALTHY if healthy else HealthStatus.UNKNOWN)

    @rule(data=st.data())
    @precondition(lambda self: self.world.live())
    def crashes(self, data):
        self.world.crash(data.draw(st.sampled_from(self.world.live())))

    @rule(data=st.data(), status=st.sampled_from(HealthStatus))
    @precondition(lambda self: self._running())
    def is_checked(self, data, status):
        self.world.change(data.draw(st.sampled_from(self._running())), health_status=status)

    @rule(data=st.data())
    @precondition(lambda self: self.world.live())
    def is_stopped_by_the_user(self, data):
        self.world.change(
            data.draw(st.sampled_from(self.world.live())),
            desired_status=TaskStatus.STOPPED,
            stop_code=StopCode.USER_INITIATED,
        )

    @rule(data=st.data())
    @precondition(lambda self: self.world.live())
    def is_protected(self, data):
        protection = TaskProtection(expires_at=self.world.now + timedelta(minutes=2))
        self.world.change(data.draw(st.sampled_from(self.world.live())), protection=protection)

    @rule(data=st.data(), status=st.sampled_from([TaskStatus.STOPPING, TaskStatus.STOPPED]))
    @precondition(lambda self: self.world.stopping())
    def gets_on_with_stopping(self, data, status):
        self.world.change(data.draw(st.sampled_from(self.world.stopping())), last_status=status)

    @rule(seconds=st.sampled_from([1, 15, 40, 300]))
    def time_passes(self, seconds):
        self.world.later(seconds)

    @rule()
    def is_deployed(self):
        self.world.deploy()

    @rule(desired=st.integers(0, 6))
    def is_scaled(self, desired):
        if self.world.service.scheduling_strategy is SchedulingStrategy.REPLICA:
            self.world.scale(desired)
        else:
            self.world.eligible = PLACES[: desired % 5]

    @rule(places=st.frozensets(st.sampled_from(["i1", "i2"]), max_size=1))
    def instances_drain(self, places):
        if self.world.service.scheduling_strategy is SchedulingStrategy.REPLICA:
            self.world.draining = places

    @invariant()
    def every_end_is_accounted_for_once(self):
        accounted = self.world.accounted
        assert len(accounted) == len(set(accounted))

    @invariant()
    def there_is_one_primary_and_it_is_the_first(self):
        statuses = [d.status.value for d in self.world.service.deployments]
        assert statuses == ["PRIMARY"] + ["ACTIVE"] * (len(statuses) - 1)

    def teardown(self):
        """When nothing fails any more, a new deployment that has room becomes steady."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.draining = frozenset()
        configuration = replace(world.service.deployment_configuration, maximum_percent=200)
        world.service = replace(world.service, deployment_configuration=configuration)
        world.later(3600)
        for task in world.live():
            world.change(task, health_status=HealthStatus.HEALTHY)
        world.deploy()
        for _ in range(40):
            world.step()
            world.finish_stops()
            world.run_pending(HealthStatus.HEALTHY)
            world.later(60)
        assert world.service.steady_at
        assert len(world.service.deployments) == 1
        assert len(world.live()) == world.service.desired_count

    def _pending(self):
        return [t for t in self.world.live() if t.started_at is None]

    def _running(self):
        return [t for t in self.world.live() if t.started_at is not None]


ServiceLife.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
test_service_life = ServiceLife.TestCase


@given(
    desired=st.integers(1, 8),
    enable=st.booleans(),
    runs=st.booleans(),
    strategy=STRATEGIES,
)
@settings(max_examples=25, deadline=None)
def test_a_crash_loop_never_spins_hot(desired, enable, runs, strategy):
    configuration = DeploymentConfiguration(
        deployment_circuit_breaker=CircuitBreaker(enable=enable)
    )
    service = a_service(
        desired_count=desired,
        deployment_configuration=configuration,
        scheduling_strategy=strategy,
    )
    names = tuple(f"i{n}" for n in range(desired))
    world = ServiceWorld(service=service, eligible=names)
    end = world.now + timedelta(hours=1)
    passes = 0
    while world.now < end:
        for task in world.live():
            has_run = runs and task.started_at is None
            world.crash(world.run(task) if has_run else task)
        world.later(0.1)
        plan = world.step()
        passes += 1
        if not world.live():
            world.now = max(world.now, plan.wake or end)
    assert world.started <= 20 * desired + 60
    assert passes < 200


@given(rounds=st.lists(st.integers(0, 3), max_size=12))
@settings(max_examples=25, deadline=None)
def test_good_starts_between_failures_keep_the_wait_short(rounds):
    world = ServiceWorld(service=a_service(), settings=SchedulerSettings())
    for failures in rounds:
        for _ in range(failures):
            plan = world.step()
            for task in world.live():
                world.crash(task)
            plan = world.step()
            assert plan.wake
            assert plan.wake - world.now <= timedelta(seconds=8)
            world.now = plan.wake
        world.step()
        world.run_pending()
        world.later(60)
        world.step()
        world.crash(world.live()[0])
        assert world.step().starts
