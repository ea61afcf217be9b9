"""Short ways to say what a system test does to services, and to see what the engine did."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from openecs_server import docker, eventually
from tasks import DEFAULTS, Tasks

#: Ends at once on SIGTERM, and costs nothing until then.
RUNS = {"command": ["sleep", "3600"], "linuxParameters": {"initProcessEnabled": True}, "memory": 16}
NEVER_STARTS = {"command": ["/nonexistent"], "memory": 16}
#: Healthy as long as /ok is there.
CHECKED = {
    "command": ["sh", "-c", "touch /ok; exec sleep 3600"],
    "linuxParameters": {"initProcessEnabled": True},
    "memory": 16,
    "healthCheck": {
        "command": ["CMD-SHELL", "test -f /ok"],
        "interval": 5,
        "retries": 1,
        "timeout": 2,
    },
}
SUBNET = {
    "awsvpcConfiguration": {"subnets": ["subnet-237866da2d7a564b6"], "assignPublicIp": "ENABLED"}
}


class Services(Tasks):
    """Services of one cluster of a server; every test has a cluster of its own."""

    def define(self, family: str, *containers: dict, **members) -> str:
        """A revision of a family, its containers made complete; ``FAMILY:REVISION``."""
        made = self.ecs.register_task_definition(
            family=self.family(family),
            containerDefinitions=[DEFAULTS | c for c in containers or (RUNS,)],
            **members,
        )["taskDefinition"]
        return f"{made['family']}:{made['revision']}"

    def family(self, name: str) -> str:
        return f"{name}-{self.cluster}"

    def create(self, name: str, definition: str, count: int | None = 1, **members) -> dict:
        counted = {} if count is None else {"desiredCount": count}
        return self.ecs.create_service(
            cluster=self.cluster, serviceName=name, taskDefinition=definition, **counted, **members
        )["service"]

    def update(self, name: str, **members) -> dict:
        return self.ecs.update_service(cluster=self.cluster, service=name, **members)["service"]

    def delete(self, name: str, **members) -> dict:
        return self.ecs.delete_service(cluster=self.cluster, service=name, **members)["service"]

    def show(self, name: str, **members) -> dict:
        found = self.ecs.describe_services(cluster=self.cluster, services=[name], **members)
        return found["services"][0]

    def stable(self, name: str, within: float = 60.0) -> dict:
        """The service once a ``services-stable`` waiter would pass and its deployment is done."""

        def look() -> dict | None:
            service = self.show(name)
            rollouts = [d["rolloutState"] for d in service["deployments"]]
            is_full = service["runningCount"] == service["desiredCount"]
            return service if rollouts == ["COMPLETED"] and is_full else None

        return eventually(look, within)

    def started(self, name: str, definition: str, count: int = 1, **members) -> dict:
        """A new service, stable."""
        self.create(name, definition, count, **members)
        return self.stable(name)

    def messages(self, name: str) -> list[str]:
        """What the service said, oldest first."""
        return [event["message"] for event in reversed(self.show(name)["events"])]

    def said(self, name: str, part: str, within: float = 60.0) -> str:
        """The first message with ``part`` in it, once there is one."""
        return eventually(lambda: next((m for m in self.messages(name) if part in m), ""), within)

    def task_arns(self, name: str, status: str = "RUNNING") -> list[str]:
        found = self.ecs.list_tasks(cluster=self.cluster, serviceName=name, desiredStatus=status)
        return found["taskArns"]

    def tasks_of(self, name: str) -> list[dict]:
        """The service's tasks that are wanted to run, oldest first."""
        if not (arns := self.task_arns(name)):
            return []
        found = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"]
        return sorted(found, key=lambda task: task["createdAt"])

    def stopped_of(self, name: str) -> list[dict]:
        arns = self.task_arns(name, "STOPPED")
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=arns)["tasks"] if arns else []

    def running_of(self, name: str, count: int, within: float = 60.0) -> list[dict]:
        """The service's tasks once exactly ``count`` are there and RUNNING."""

        def look() -> list[dict] | None:
            found = self.tasks_of(name)
            all_run = all(task["lastStatus"] == "RUNNING" for task in found)
            return found if all_run and len(found) == count else None

        return eventually(look, within) or []

    def containers(self, *more: str, host: str = "") -> list[str]:
        """The engine's ids of all running containers of the cluster; ``more`` are its filters."""
        where = ["-H", host] if host else []
        filters = [f"--filter={each}" for each in (self.label, *more)]
        return docker(*where, "ps", "-q", "--no-trunc", *filters).split()

    @property
    def label(self) -> str:
        return f"label=com.amazonaws.ecs.cluster={self.cluster}"

    def clear(self) -> None:
        """Delete all services: what they leave to run would take room from others."""
        ecs = self.ecs
        with suppress(ecs.exceptions.ClusterNotFoundException):
            for arn in ecs.list_services(cluster=self.cluster)["serviceArns"]:
                ecs.delete_service(cluster=self.cluster, service=arn, force=True)

    def agrees_with_the_engine(self, name: str, count: int, host: str = "") -> bool:
        """Whether ``count`` tasks are RUNNING, and the engine runs their containers and no more."""
        tasks = self.tasks_of(name)
        told = {c["runtimeId"] for t in tasks for c in t["containers"] if "runtimeId" in c}
        all_run = all(t["lastStatus"] == "RUNNING" for t in tasks)
        return len(tasks) == count and all_run and told == set(self.containers(host=host))


class Moment(NamedTuple):
    """An event of the engine: a container of a task starts or dies."""

    at: int
    action: str
    task: str
    revision: str
    container: str


class Watch:
    """What the engine says of a cluster's containers, as it says it."""

    def __init__(self, log: Path, since: float) -> None:
        self.log = log
        self.since = int(since * 1e9)

    def moments(self) -> list[Moment]:
        """The starts and ends of containers so far, in the engine's order."""
        events = [json.loads(line) for line in self.log.read_text().splitlines()]
        return sorted(m for m in map(_moment, events) if m.at >= self.since)

    def started(self) -> list[Moment]:
        return [m for m in self.moments() if m.action == "start"]

    def died(self) -> list[Moment]:
        return [m for m in self.moments() if m.action == "die"]

    def counts(self, before: int) -> list[int]:
        """How many containers ran, from the beginning on: after each of the moments."""
        counts = [before]
        for moment in self.moments():
            counts.append(counts[-1] + (1 if moment.action == "start" else -1))
        return counts


@contextmanager
def watch(services: Services) -> Iterator[Watch]:
    """Watch the cluster's containers in the engine."""
    since = time.time()
    command = ["docker", "events", "--format", "{{json .}}", f"--since={since:.6f}"]
    filters = [f"--filter={each}" for each in (services.label, "event=start", "event=die")]
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "events")
        with path.open("wb") as log:
            process = subprocess.Popen([*command, *filters], stdout=log)
        try:
            yield Watch(path, since)
        finally:
            process.kill()
            process.wait()


def _moment(event: dict) -> Moment:
    attributes = event["Actor"]["Attributes"]
    return Moment(
        at=event["timeNano"],
        action=event["Action"],
        task=attributes["com.amazonaws.ecs.task-arn"],
        revision=attributes["com.amazonaws.ecs.task-definition-version"],
        container=event["id"],
    )


def short(task: dict | str) -> str:
    """A task's id."""
    arn = task if isinstance(task, str) else task["taskArn"]
    return arn.rpartition("/")[2]


def runtime_id(task: dict) -> str:
    """The engine's id of a task's first container."""
    return task["containers"][0]["runtimeId"]
