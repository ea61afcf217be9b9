"""Short ways to say what a system test does to tasks."""

from __future__ import annotations

import uuid

from openecs_server import OpenEcs, eventually


class Tasks:
    """Tasks of one cluster of a server; every test has a cluster of its own."""

    def __init__(self, server: OpenEcs) -> None:
        self.server = server
        self.cluster = f"c-{uuid.uuid4().hex[:8]}"
        self.ecs.create_cluster(clusterName=self.cluster)

    @property
    def ecs(self):
        return self.server.client("ecs")

    def register(self, *containers: dict, **members) -> str:
        family = f"f-{uuid.uuid4().hex[:8]}"
        made = self.ecs.register_task_definition(
            family=family, containerDefinitions=[DEFAULTS | c for c in containers], **members
        )
        return made["taskDefinition"]["taskDefinitionArn"]

    def start(self, definition: str, **members) -> str:
        return self.run(definition, **members)["tasks"][0]["taskArn"]

    def run(self, definition: str, **members) -> dict:
        started = self.ecs.run_task(cluster=self.cluster, taskDefinition=definition, **members)
        assert started["failures"] == [] or not started["tasks"]
        return started

    def launch(self, *containers: dict, overrides: dict | None = None, **members) -> str:
        """Register and start; the task's ARN."""
        extra = {"overrides": overrides} if overrides else {}
        return self.start(self.register(*containers, **members), **extra)

    def describe(self, arn: str) -> dict:
        return self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0]

    def when(self, arn: str, status: str, within: float = 60.0) -> dict:
        """The task once it has the status."""

        def look() -> dict | None:
            task = self.describe(arn)
            return task if task["lastStatus"] == status else None

        return eventually(look, within)

    def running(self, arn: str) -> dict:
        return self.when(arn, "RUNNING")

    def stopped(self, arn: str) -> dict:
        return self.when(arn, "STOPPED")

    def stop(self, arn: str) -> None:
        self.ecs.stop_task(cluster=self.cluster, task=arn)


DEFAULTS = {"name": "app", "image": "busybox", "memory": 64}

#: Ends within a moment of SIGTERM, and runs until then.
WAITS = {"command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]}


def container(task: dict, name: str = "app") -> dict:
    return next(c for c in task["containers"] if c["name"] == name)
