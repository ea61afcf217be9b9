"""What deployments that shift traffic keep to, whatever becomes of their tasks and users."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from openecs.decide.services import circuit_breaker, traffic
from openecs.decide.services.health import survey
from openecs.model.deployment_failures import CircuitBreaker
from openecs.model.services import (
    AdvancedConfiguration,
    CanaryConfiguration,
    DeploymentConfiguration,
    DeploymentStrategy,
    LinearConfiguration,
    RolloutState,
    ServiceLoadBalancer,
)
from openecs.model.tasks import HealthStatus
from openecs.testing.service_world import ServiceWorld, a_deployment, a_revision, a_service

A, B, PRODUCTION, TEST = "group-a", "group-b", "production", "test"
PAIR = ServiceLoadBalancer(
    target_group_arn=A,
    container_name="app",
    container_port=80,
    advanced_configuration=AdvancedConfiguration(
        alternate_target_group_arn=B,
        production_listener_rule=PRODUCTION,
        test_listener_rule=TEST,
        role_arn="role",
    ),
)
CONFIGURATIONS = st.builds(
    lambda strategy, bake, percent, minutes: DeploymentConfiguration(
        strategy=strategy,
        bake_time_in_minutes=bake,
        linear_configuration=LinearConfiguration(
            step_percent=max(percent, 3.0), step_bake_time_in_minutes=minutes
        ),
        canary_configuration=CanaryConfiguration(
            canary_percent=percent, canary_bake_time_in_minutes=minutes
        ),
        deployment_circuit_breaker=CircuitBreaker(enable=True, rollback=True),
    ),
    st.sampled_from([s for s in DeploymentStrategy if s is not DeploymentStrategy.ROLLING]),
    st.sampled_from([0, 5]),
    st.sampled_from([0.1, 12.5, 40.0, 100.0]),
    st.sampled_from([0, 1]),
)


class TrafficShifts(RuleBasedStateMachine):
    """Tasks fail, users deploy, scale and stop; each plan is judged, then carried out."""

    @initialize(desired=st.integers(1, 4), configuration=CONFIGURATIONS)
    def begin(self, desired, configuration):
        revision = replace(a_revision(), load_balancers=(PAIR,))
        service = a_service(
            desired_count=desired,
            deployment_configuration=configuration,
            revision=revision,
            deployments=(),
        )
        shift = traffic.begin(service, revision, configuration, "1", service.created_at)
        first = a_deployment(revision=revision, desired_count=desired, shift=shift)
        self.world = ServiceWorld(service=replace(service, deployments=(first,)))
        self.world.checked = frozenset(f"web:{n}" for n in range(1, 200))
        self.world.forwards = {PRODUCTION: {A: 100, B: 0}, TEST: {A: 100, B: 0}}
        #: Whether somebody else wrote the weights meanwhile.
        self.is_changed = False
        self.settle()

    def settle(self):
        for _ in range(80):
            self.world.finish_stops()
            self.world.run_pending(HealthStatus.HEALTHY)
            self.world.later(61)
            self.step()
            if self.world.service.steady_at:
                self.is_changed = False
                return
            if self.world.service.primary.rollout_state is RolloutState.FAILED:
                self.world.deploy()
        raise AssertionError("what goes well comes to an end")

    @rule(times=st.integers(1, 4))
    def goes_well(self, times):
        for _ in range(times):
            self.world.finish_stops()
            self.world.run_pending(HealthStatus.HEALTHY)
            self.world.later(20)
            self.step()

    @rule()
    def is_left_alone(self):
        self.settle()
        primary = self.world.service.primary
        assert primary
        assert primary.rollout_state is RolloutState.COMPLETED
        assert [t.started_by for t in self.world.live()] == (
            [primary.id] * self.world.service.desired_count
        )
        own = PAIR.group(alternate=primary.revision.on_alternate)
        assert {g for g, w in self.world.forwards[PRODUCTION].items() if w} == {own}

    @rule()
    def step(self):
        world = self.world
        plan = world.decide()
        assert plan == world.decide(), "the same state gives the same plan"
        self._judge_forwards(plan)
        self._judge_stops(plan)
        self._judge_starts(plan)
        world.apply(plan)

    def _judge_forwards(self, plan) -> None:
        """Nobody gets traffic who has no healthy task, while somebody else has one."""
        for weights in plan.forwards.values():
            assert set(weights) == {A, B}
            assert all(0 <= weight <= 999 for weight in weights.values())
        wanted = plan.forwards.get(PRODUCTION)
        if wanted is None or self.is_changed:
            return
        healthy = self._healthy(plan.service)
        before = self.world.forwards[PRODUCTION]
        for group in (A, B):
            if wanted[group] and not before[group] and any(healthy.values()):
                assert healthy[group]

    def _judge_stops(self, plan) -> None:
        """What gets traffic keeps its healthy tasks, but for those beyond the desired count."""
        stopped = {stop.task for stop in plan.stops}
        weights = self.world.forwards[PRODUCTION]
        for group, tasks in self._healthy(plan.service).items():
            if weights[group] and tasks & stopped:
                assert len(tasks - stopped) >= min(len(tasks), plan.service.desired_count)

    def _judge_starts(self, plan) -> None:
        primary = plan.service.primary
        known = {primary.id} if primary else set()
        source = traffic.source(plan.service)
        known |= {source.id} if source else set()
        assert {start.deployment for start in plan.starts} <= known

    def _healthy(self, service) -> dict[str, set[str]]:
        """Healthy tasks by the group they serve."""
        world, found = self.world, {A: set(), B: set()}
        groups = {d.id: PAIR.group(alternate=d.revision.on_alternate) for d in service.deployments}
        for member in survey(world.state(), world.settings, world.now).members:
            if member.is_healthy and member.task.started_by in groups:
                found[groups[member.task.started_by]].add(member.task.id)
        return found

    @rule(share=st.sampled_from([0, 40, 100]))
    @precondition(lambda self: traffic.current(self.world.service))
    def somebody_changes_the_weights(self, share):
        self.world.forwards[PRODUCTION] = {A: share, B: 100 - share}
        self.is_changed = True
        self.step()

    @rule()
    def is_deployed(self):
        self.world.deploy()
        self.step()

    @rule(desired=st.integers(1, 4))
    def is_scaled(self, desired):
        self.world.scale(desired)
        self.step()

    @rule(data=st.data())
    @precondition(lambda self: self.world.live())
    def a_task_ends(self, data):
        self.world.crash(data.draw(st.sampled_from(self.world.live())))
        self.step()

    @rule(data=st.data())
    @precondition(lambda self: self.world.live())
    def a_task_falls_ill(self, data):
        task = data.draw(st.sampled_from(self.world.live()))
        self.world.run(task, HealthStatus.UNHEALTHY)
        self.step()

    @rule()
    @precondition(lambda self: traffic.current(self.world.service))
    def is_stopped_by_its_user(self):
        service, now = self.world.service, self.world.now
        failed = circuit_breaker.give_up(service, "stopped", now)
        back = circuit_breaker.roll_back(
            failed, "ecs-svc/77777", "rolling back to deploymentId {id}", now
        )
        if back is not None:
            self.world.service = replace(back, steady_at=None)
        self.step()


TestTrafficShifts = TrafficShifts.TestCase
TestTrafficShifts.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
