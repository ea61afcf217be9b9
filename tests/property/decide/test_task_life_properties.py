"""A task's whole life against a small world: whatever the engine does, the rules hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.decide import dependencies, lifecycle, task_plan
from openecs.decide.lifecycle import ORDER, Sighting
from openecs.decide.task_plan import Launch, Restart, SetUp, Stop, TearDown
from openecs.model.containers import ContainerObservation, ContainerState, Health
from openecs.model.identity import Scope
from openecs.model.task_definitions import (
    ContainerDefinition,
    ContainerDependency,
    DependencyCondition,
    HealthCheck,
    RestartPolicy,
    TaskDefinition,
    TaskDefinitionStatus,
)
from openecs.model.tasks import (
    Container,
    ContainerStatus,
    LaunchType,
    StopCode,
    Task,
    TaskStatus,
)

SCOPE = Scope("000000000000", "us-east-1")
T0 = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = ("a", "b", "c", "d")


@st.composite
def definitions(draw) -> TaskDefinition:
    count = draw(st.integers(1, 4))
    containers = []
    for index, name in enumerate(NAMES[:count]):
        before = st.sampled_from(NAMES[:index]) if index else st.nothing()
        depends = draw(
            st.lists(
                st.builds(
                    ContainerDependency,
                    container_name=before,
                    condition=st.sampled_from(DependencyCondition),
                ),
                max_size=2 if index else 0,
            )
        )
        containers.append(
            ContainerDefinition(
                name=name,
                image="i",
                essential=draw(st.booleans()) or index == count - 1,
                depends_on=tuple(depends),
                start_timeout=draw(st.none() | st.integers(1, 5)),
                health_check=draw(st.none() | st.just(HealthCheck(command=("CMD", "x")))),
                restart_policy=draw(
                    st.none() | st.just(RestartPolicy(enabled=True, restart_attempt_period=60))
                ),
            )
        )
    return TaskDefinition(
        scope=SCOPE,
        family="f",
        revision=1,
        status=TaskDefinitionStatus.ACTIVE,
        container_definitions=tuple(containers),
        registered_at=T0,
        registered_by="me",
    )


def new_task(definition: TaskDefinition) -> Task:
    return Task(
        scope=SCOPE,
        cluster="c",
        id="0" * 32,
        family="f",
        revision=1,
        launch_type=LaunchType.EC2,
        machine="m",
        last_status=TaskStatus.PENDING,
        containers=tuple(
            Container(id=c.name, name=c.name, image="i") for c in definition.container_definitions
        ),
        cpu=0,
        memory=0,
        group="family:f",
        created_at=T0,
    )


class World:
    """An engine in a dictionary, a record, and a clock that moves one second a round."""

    def __init__(self, definition: TaskDefinition) -> None:
        self.definition = definition
        self.task = new_task(definition)
        self.containers: dict[str, ContainerObservation] = {}
        self.failures: dict[str, str] = {}
        self.is_set_up = False
        self.second = 0
        self.started_in_order: list[str] = []

    @property
    def now(self) -> datetime:
        return T0 + timedelta(seconds=self.second)

    def sighting(self) -> Sighting:
        return Sighting(seen=dict(self.containers), failures=dict(self.failures))

    def round(self, data) -> None:
        self.second += 1
        self.mishap(data)
        before = self.task
        self.task = lifecycle.absorb(before, self.definition, self.sighting(), self.now)
        check_step(before, self.task)
        plan = task_plan.plan(
            self.task,
            self.definition,
            self.sighting(),
            is_set_up=self.is_set_up,
            now=self.now,
            stop_timeout=timedelta(seconds=30),
        )
        self.failures |= plan.failures
        for step in plan.steps:
            self.take(step, data)

    def mishap(self, data) -> None:
        if not self.containers:
            return
        name = data.draw(st.sampled_from(sorted(self.containers)))
        kind = data.draw(st.sampled_from(["none", "exit", "fail", "remove", "healthy", "forget"]))
        observed = self.containers[name]
        running = observed.state is ContainerState.RUNNING
        if kind in {"exit", "fail"} and running:
            self.exit(name, 0 if kind == "exit" else 1)
        elif kind == "remove":
            del self.containers[name]
        elif kind == "healthy" and running:
            self.containers[name] = replace(observed, health=Health.HEALTHY)
        elif kind == "forget":
            self.is_set_up = False

    def take(self, step, data) -> None:
        match step:
            case SetUp():
                self.is_set_up = True
            case Launch(name=name):
                self.launch(name, data)
            case Restart(name=name):
                self.containers[name] = replace(
                    self.containers[name], state=ContainerState.RUNNING, finished_at=None
                )
            case Stop(name=name):
                self.check_stop(name)
                self.exit(name, 143)
            case TearDown():
                assert all(c.state is not ContainerState.RUNNING for c in self.containers.values())
                self.task = lifecycle.finish(self.task, self.now)

    def launch(self, name: str, data) -> None:
        assert self.task.desired_status is TaskStatus.RUNNING
        verdict = dependencies.may_start(
            self.definition.container(name), self.definition, self.task, self.now
        )
        assert verdict == dependencies.Ready()
        match data.draw(st.sampled_from(["up", "up", "up", "created", "fails"])):
            case "fails":
                self.failures[name] = "CannotStartContainerError: no"
            case "created":
                self.containers[name] = self.observation(name, ContainerState.CREATED)
            case _:
                self.containers[name] = self.observation(name, ContainerState.RUNNING)

    def observation(self, name: str, state: ContainerState) -> ContainerObservation:
        started = None if state is ContainerState.CREATED else self.now
        return ContainerObservation(id=name, name=name, labels={}, state=state, started_at=started)

    def exit(self, name: str, code: int) -> None:
        self.containers[name] = replace(
            self.containers[name],
            state=ContainerState.EXITED,
            exit_code=code,
            finished_at=self.now,
        )

    def check_stop(self, name: str) -> None:
        for definition in self.definition.container_definitions:
            needed = {d.container_name for d in dependencies.dependencies(definition)}
            if name in needed:
                dependent = self.task.container(definition.name)
                assert dependent.last_status is ContainerStatus.STOPPED


def check_step(before: Task, after: Task) -> None:
    assert ORDER.index(after.last_status) >= ORDER.index(before.last_status)
    assert after.version == before.version + (after != before)
    if before.desired_status is TaskStatus.STOPPED:
        assert after.desired_status is TaskStatus.STOPPED
        assert after.stopped_reason == before.stopped_reason
    for old, new in zip(before.containers, after.containers, strict=True):
        if old.last_status is ContainerStatus.STOPPED:
            assert new.last_status is ContainerStatus.STOPPED
            assert new.exit_code == old.exit_code
    if after.last_status is TaskStatus.RUNNING and after.desired_status is TaskStatus.RUNNING:
        assert after.started_at is not None


@settings(max_examples=150, deadline=None)
@given(definitions(), st.data())
def test_a_task_only_moves_forward_and_ends_when_told(definition, data):
    world = World(definition)
    for _ in range(data.draw(st.integers(0, 12))):
        world.round(data)
    world.task = lifecycle.request_stop(
        world.task, StopCode.USER_INITIATED, "Task stopped by user", world.now
    )
    for _ in range(20):
        world.round(data)
    assert world.task.last_status is TaskStatus.STOPPED
    assert world.task.stopping_at is not None
    assert world.task.stopped_at is not None
    assert world.task.stop_code is not None
    assert all(c.last_status is ContainerStatus.STOPPED for c in world.task.containers)


@settings(max_examples=100, deadline=None)
@given(definitions(), st.data())
def test_looking_twice_is_looking_once(definition, data):
    world = World(definition)
    for _ in range(data.draw(st.integers(0, 8))):
        world.round(data)
    once = lifecycle.absorb(world.task, definition, world.sighting(), world.now)
    assert lifecycle.absorb(once, definition, world.sighting(), world.now) == once


@given(definitions())
def test_generated_definitions_have_no_cycle(definition):
    assert dependencies.find_cycle(dependencies.edges(definition.container_definitions)) == ()


def test_a_cycle_is_found_by_its_names():
    def needs(name: str, other: str) -> ContainerDefinition:
        wants = ContainerDependency(container_name=other, condition=DependencyCondition.START)
        return ContainerDefinition(name=name, image="i", depends_on=(wants,))

    cycle = dependencies.find_cycle(
        dependencies.edges([needs("a", "b"), needs("b", "c"), needs("c", "b")])
    )
    assert set(cycle) == {"b", "c"}
