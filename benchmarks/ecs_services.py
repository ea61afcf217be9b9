"""The same steps with the same client against whatever speaks the ECS API."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.engine_api import Engine
from benchmarks.engine_events import Event

CLUSTER = "bench"
#: Another name of busybox, in a registry that refuses at once. A peer asks the registry before it
#: starts a container of a service; how soon a real one answers is not what is measured.
IMAGE = "127.0.0.1:9/openecs-bench"
#: It sleeps, and ends when it is asked to.
COMMAND = ("sh", "-c", "trap 'exit 0' TERM; sleep 86400 & wait")
FAMILY_LABEL = "com.amazonaws.ecs.task-definition-family"
LOOK_EVERY = 0.02
WITHIN = 120.0


def label_of(family: str) -> str:
    """What the containers of a family are found by: the label the ECS agent sets."""
    return f"{FAMILY_LABEL}={family}"


def is_start(event: Event, label: str) -> bool:
    """Whether it is the start of a container with that label."""
    name, _, value = label.partition("=")
    return event.action == "start" and event.labels.get(name) == value


def register(ecs: Any, family: str, command: Sequence[str] = COMMAND) -> str:
    """Another revision of a family of one small container."""
    container = {
        "name": "app",
        "image": IMAGE,
        "memory": 16,
        "command": list(command),
        "stopTimeout": 2,
        # Otherwise the first task of a deployment may have to ask a registry before the others.
        "versionConsistency": "disabled",
    }
    made = ecs.register_task_definition(family=family, containerDefinitions=[container])
    arn: str = made["taskDefinition"]["taskDefinitionArn"]
    return arn


def create(ecs: Any, name: str, desired: int, deployment: Mapping[str, Any] | None = None) -> None:
    """A service of a family of its own name, wait until its tasks are RUNNING."""
    ecs.create_service(
        cluster=CLUSTER,
        serviceName=name,
        taskDefinition=name,
        desiredCount=desired,
        **({"deploymentConfiguration": deployment} if deployment else {}),
    )
    await_running(ecs, name, desired)


def scale(ecs: Any, name: str, desired: int) -> None:
    """Change the desired count."""
    ecs.update_service(cluster=CLUSTER, service=name, desiredCount=desired)


def await_running(ecs: Any, name: str, count: int) -> None:
    """Return once the service says that so many of its tasks run."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        (service,) = ecs.describe_services(cluster=CLUSTER, services=[name])["services"]
        if service["runningCount"] == count:
            return
        time.sleep(LOOK_EVERY)
    raise RuntimeError(f"service {name} has not {count} tasks running after {WITHIN:.0f} s")


def await_completed(ecs: Any, name: str) -> None:
    """Return once the newest deployment of a service has COMPLETED."""
    deadline = time.monotonic() + WITHIN
    while time.monotonic() < deadline:
        (service,) = ecs.describe_services(cluster=CLUSTER, services=[name])["services"]
        if service["deployments"][0]["rolloutState"] == "COMPLETED":
            return
        time.sleep(LOOK_EVERY)
    raise RuntimeError(f"the deployment of {name} has not completed after {WITHIN:.0f} s")


def delete(ecs: Any, name: str) -> None:
    """Delete a service and remove its containers without waiting for them to end."""
    ecs.delete_service(cluster=CLUSTER, service=name, force=True)
    _remove(label_of(name))


@contextmanager
def image() -> Iterator[None]:
    """The image is there."""
    Engine().tag("busybox", IMAGE)
    try:
        yield
    finally:
        Engine().untag(IMAGE)


@contextmanager
def cleared(*families: str) -> Iterator[None]:
    """Afterwards no container of the families is left: enter it before the server."""
    try:
        yield
    finally:
        for family in families:
            _remove(label_of(family))


def _remove(label: str) -> None:
    engine = Engine()
    engine.remove(engine.labelled(label))
