from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from openecs.decide import lifecycle
from openecs.decide.lifecycle import Sighting
from openecs.model.containers import PAUSE, ContainerObservation, ContainerState, Health
from openecs.model.identity import Scope
from openecs.model.task_definitions import (
    ContainerDefinition,
    HealthCheck,
    NetworkMode,
    RestartPolicy,
    TaskDefinition,
    TaskDefinitionStatus,
)
from openecs.model.tasks import (
    Attachment,
    Container,
    ContainerStatus,
    HealthStatus,
    LaunchType,
    StopCode,
    Task,
    TaskStatus,
)

SCOPE = Scope("000000000000", "us-east-1")
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def a_definition(*containers: ContainerDefinition, **members) -> TaskDefinition:
    return TaskDefinition(
        scope=SCOPE,
        family="web",
        revision=1,
        status=TaskDefinitionStatus.ACTIVE,
        container_definitions=containers or (ContainerDefinition(name="app", image="nginx"),),
        registered_at=T0,
        registered_by="me",
        **members,
    )


def a_task(definition: TaskDefinition, **members) -> Task:
    values = {
        "scope": SCOPE,
        "cluster": "default",
        "id": "0" * 32,
        "family": "web",
        "revision": 1,
        "launch_type": LaunchType.EC2,
        "machine": "m",
        "last_status": TaskStatus.PENDING,
        "containers": tuple(
            Container(id=c.name, name=c.name, image=c.image)
            for c in definition.container_definitions
        ),
        "cpu": 0,
        "memory": 128,
        "group": "family:web",
        "created_at": T0,
    }
    return Task(**(values | members))


def seen(name: str = "app", state=ContainerState.RUNNING, **members) -> ContainerObservation:
    values = {
        "id": f"id-{name}",
        "name": f"ecs-{name}",
        "labels": {},
        "state": state,
        "started_at": None if state is ContainerState.CREATED else at(1),
    }
    if state is ContainerState.EXITED:
        values |= {"finished_at": at(2), "exit_code": 0}
    return ContainerObservation(**(values | members))


def look(task, definition, *observed, now=5.0, **members) -> Task:
    sighting = Sighting(seen={o.name.removeprefix("ecs-"): o for o in observed}, **members)
    return lifecycle.absorb(task, definition, sighting, at(now))


def test_a_task_is_running_once_every_container_is():
    definition = a_definition(
        ContainerDefinition(name="app", image="a"), ContainerDefinition(name="side", image="b")
    )
    task = look(a_task(definition), definition, seen("app"))
    assert task.last_status is TaskStatus.PENDING
    assert task.container("app").last_status is ContainerStatus.RUNNING
    task = look(task, definition, seen("app"), seen("side"), now=6)
    assert (task.last_status, task.started_at) == (TaskStatus.RUNNING, at(6))
    assert task.container("app").runtime_id == "id-app"


def test_nothing_new_changes_nothing():
    definition = a_definition()
    task = look(a_task(definition), definition, seen())
    assert look(task, definition, seen(), now=99) == task


def test_an_essential_container_that_exits_stops_the_task():
    definition = a_definition(
        ContainerDefinition(name="app", image="a"),
        ContainerDefinition(name="side", image="b", essential=False),
    )
    task = look(a_task(definition), definition, seen("app"), seen("side"))
    task = look(
        task, definition, seen("app", ContainerState.EXITED, exit_code=3), seen("side"), now=7
    )
    assert task.desired_status is TaskStatus.STOPPED
    assert task.stop_code is StopCode.ESSENTIAL_CONTAINER_EXITED
    assert task.stopped_reason == "Essential container in task exited"
    assert task.execution_stopped_at == at(7)
    assert task.last_status is TaskStatus.RUNNING
    app = task.container("app")
    assert (app.exit_code, app.reason) == (3, None)
    assert not lifecycle.is_over(task)


def test_a_container_that_is_not_essential_may_exit():
    definition = a_definition(
        ContainerDefinition(name="app", image="a"),
        ContainerDefinition(name="init", image="b", essential=False),
    )
    task = look(a_task(definition), definition, seen("app"), seen("init", ContainerState.EXITED))
    assert (task.last_status, task.desired_status) == (TaskStatus.RUNNING, TaskStatus.RUNNING)


def test_a_container_that_cannot_start_fails_the_task_with_its_reason():
    definition = a_definition()
    reason = "CannotPullContainerError: no such image"
    task = look(a_task(definition), definition, failures={"app": reason})
    assert task.stop_code is StopCode.TASK_FAILED_TO_START
    assert task.stopped_reason == reason
    assert task.container("app").reason == reason
    assert task.container("app").exit_code is None
    assert lifecycle.is_over(task)
    stopped = lifecycle.finish(task, at(9))
    assert (stopped.last_status, stopped.stopped_at) == (TaskStatus.STOPPED, at(9))
    assert stopped.started_at is None


def test_a_container_removed_by_hand_has_vanished():
    definition = a_definition()
    task = look(a_task(definition), definition, seen())
    task = look(task, definition, now=8)
    assert task.container("app").reason == lifecycle.VANISHED
    assert task.stop_code is StopCode.ESSENTIAL_CONTAINER_EXITED


def test_a_container_on_its_way_has_not_vanished():
    definition = a_definition()
    task = look(a_task(definition), definition, launching=frozenset({"app"}))
    assert task.container("app").last_status is ContainerStatus.PENDING


def test_out_of_memory_is_named():
    definition = a_definition()
    task = look(
        a_task(definition),
        definition,
        seen("app", ContainerState.EXITED, exit_code=137, oom_killed=True),
    )
    app = task.container("app")
    assert (app.exit_code, app.reason) == (137, lifecycle.OUT_OF_MEMORY)


def test_a_task_stopped_before_its_containers_exist_is_over():
    definition = a_definition()
    task = lifecycle.request_stop(a_task(definition), StopCode.USER_INITIATED, "enough", at(3))
    on_its_way = look(task, definition, launching=frozenset({"app"}))
    assert not lifecycle.is_over(on_its_way)
    task = look(task, definition)
    assert lifecycle.is_over(task)
    assert task.last_status is TaskStatus.STOPPING
    assert (task.stop_code, task.stopped_reason) == (StopCode.USER_INITIATED, "enough")


def test_the_first_reason_to_stop_stays():
    definition = a_definition()
    task = lifecycle.request_stop(a_task(definition), StopCode.USER_INITIATED, "first", at(3))
    again = lifecycle.request_stop(task, StopCode.ESSENTIAL_CONTAINER_EXITED, "second", at(4))
    assert again == task


def test_a_restart_policy_restarts_in_place_after_its_period():
    policy = RestartPolicy(enabled=True, ignored_exit_codes=(0,), restart_attempt_period=60)
    definition = a_definition(ContainerDefinition(name="app", image="a", restart_policy=policy))
    task = look(a_task(definition), definition, seen())
    died = seen("app", ContainerState.EXITED, exit_code=1, finished_at=at(100))
    restarted = look(task, definition, died, now=101)
    assert restarted.container("app").last_status is ContainerStatus.RUNNING
    assert restarted.container("app").restart_count == 1
    assert look(restarted, definition, died, now=102) == restarted
    again = seen("app", ContainerState.EXITED, exit_code=1, finished_at=at(110))
    assert look(restarted, definition, again, now=111).desired_status is TaskStatus.STOPPED
    ignored = seen("app", ContainerState.EXITED, exit_code=0, finished_at=at(100))
    assert look(task, definition, ignored, now=101).desired_status is TaskStatus.STOPPED


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (Health.NONE, HealthStatus.UNKNOWN),
        (Health.STARTING, HealthStatus.UNKNOWN),
        (Health.HEALTHY, HealthStatus.HEALTHY),
        (Health.UNHEALTHY, HealthStatus.UNHEALTHY),
    ],
)
def test_health_is_the_essential_containers(observed, expected):
    definition = a_definition(
        ContainerDefinition(name="app", image="a", health_check=HealthCheck(command=("CMD", "x")))
    )
    task = look(a_task(definition), definition, seen("app", health=observed))
    assert task.health_status is expected


def test_health_without_a_check_in_the_definition_is_unknown():
    definition = a_definition()
    task = look(a_task(definition), definition, seen("app", health=Health.UNHEALTHY))
    assert task.health_status is HealthStatus.UNKNOWN


def test_an_awsvpc_task_is_pending_once_its_interface_is_attached():
    definition = a_definition(network_mode=NetworkMode.AWSVPC)
    eni = Attachment(id="eni", type="ElasticNetworkInterface", status="PRECREATED")
    task = a_task(definition, last_status=TaskStatus.PROVISIONING, attachments=(eni,))
    assert look(task, definition).last_status is TaskStatus.PROVISIONING
    pause = seen(PAUSE, ip_address="172.17.0.9", mac_address="02:42:ac:11:00:09")
    task = look(task, definition, pause)
    assert task.last_status is TaskStatus.PENDING
    assert task.attachments[0].status == "ATTACHED"
    assert task.containers[0].network_interfaces[0].private_ipv4_address == "172.17.0.9"
    task = look(task, definition, pause, seen())
    assert task.last_status is TaskStatus.RUNNING
    lost = look(task, definition, replace(pause, state=ContainerState.EXITED), seen())
    assert lost.desired_status is TaskStatus.STOPPED
    over = look(lost, definition, seen("app", ContainerState.EXITED))
    assert over.last_status is TaskStatus.DEPROVISIONING
    assert lifecycle.finish(over, at(9)).attachments[0].status == "DELETED"
