"""Managed daemons through boto3, on real containers."""

from __future__ import annotations

import pytest

from openecs_server import OpenEcs, containers_of, docker, eventually
from tasks import DEFAULTS, WAITS, Tasks

pytestmark = pytest.mark.system

PROVIDER = {
    "infrastructureRoleArn": "arn:aws:iam::000000000000:role/ecsInfrastructureRole",
    "instanceLaunchTemplate": {
        "ec2InstanceProfileArn": "arn:aws:iam::000000000000:instance-profile/ecsInstanceRole",
        "networkConfiguration": {"subnets": ["subnet-1"]},
    },
}
AGENT = {**DEFAULTS, **WAITS, "name": "agent"}


class Daemons:
    """A cluster with one Managed Instances provider, and the daemons on it."""

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        self.ecs = tasks.ecs
        self.provider = f"mi-{tasks.cluster}"
        self.ecs.create_capacity_provider(
            name=self.provider, cluster=tasks.cluster, managedInstancesProvider=PROVIDER
        )

    def register(self, **members) -> str:
        made = self.ecs.register_daemon_task_definition(
            family=f"agent-{self.tasks.cluster}", containerDefinitions=[{**AGENT, **members}]
        )
        return made["daemonTaskDefinitionArn"]

    def create(self, definition: str) -> dict:
        return self.ecs.create_daemon(
            daemonName="agent",
            clusterArn=self.tasks.cluster,
            daemonTaskDefinitionArn=definition,
            capacityProviderArns=[self.provider],
        )

    def update(self, arn: str, definition: str) -> dict:
        return self.ecs.update_daemon(
            daemonArn=arn,
            daemonTaskDefinitionArn=definition,
            capacityProviderArns=[self.provider],
        )

    def status(self, deployment: str) -> str:
        found = self.ecs.describe_daemon_deployments(daemonDeploymentArns=[deployment])
        return found["daemonDeployments"][0]["status"]

    def when(self, deployment: str, status: str) -> None:
        eventually(lambda: self.status(deployment) == status)

    def running(self) -> dict | None:
        """The only task of the cluster, once it runs."""
        arns = self.ecs.list_tasks(cluster=self.tasks.cluster)["taskArns"]
        task = self.tasks.describe(arns[0]) if len(arns) == 1 else None
        return task if task and task["lastStatus"] == "RUNNING" else None


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A server whose deployments do not wait long for tasks to prove themselves."""
    openecs = OpenEcs(tmp_path_factory.mktemp("daemons"), OPENECS_DEPLOYMENT_HEALTHY_AFTER="1")
    openecs.start()
    yield openecs
    openecs.clean()


@pytest.fixture
def daemons(quick) -> Daemons:
    return Daemons(Tasks(quick))


@pytest.mark.covers("ecs:CreateDaemon", "ecs:DescribeDaemon", "ecs:DescribeDaemonDeployments")
def test_a_daemon_runs_and_heals(daemons) -> None:
    made = daemons.create(daemons.register())
    daemons.ecs.get_waiter("daemon_active").wait(daemonArn=made["daemonArn"])
    daemons.when(made["deploymentArn"], "SUCCESSFUL")
    task = daemons.running()
    assert (task["launchType"], task["group"]) == ("MANAGED_INSTANCES", "daemon:agent")
    (container,) = containers_of(task["taskArn"])
    docker("rm", "-f", container)

    def healed() -> bool:
        new = daemons.running()
        return bool(new) and new["taskArn"] != task["taskArn"]

    eventually(healed)
    assert containers_of(task["taskArn"]) == []


@pytest.mark.covers("ecs:UpdateDaemon", "ecs:DeleteDaemon", "ecs:DeleteDaemonTaskDefinition")
def test_updated_then_deleted(daemons) -> None:
    first = daemons.register()
    made = daemons.create(first)
    daemons.when(made["deploymentArn"], "SUCCESSFUL")
    second = daemons.register(environment=[{"name": "A", "value": "1"}])
    updated = daemons.update(made["daemonArn"], second)
    daemons.when(updated["deploymentArn"], "SUCCESSFUL")
    assert daemons.running()["taskDefinitionArn"] == second
    for definition in (first, second):
        daemons.ecs.delete_daemon_task_definition(daemonTaskDefinition=definition)
    deleted = daemons.ecs.delete_daemon(daemonArn=made["daemonArn"])
    daemons.when(deleted["deploymentArn"], "SUCCESSFUL")
    assert daemons.running() is None
    for definition in (first, second):
        waiter = daemons.ecs.get_waiter("daemon_task_definition_deleted")
        waiter.wait(daemonTaskDefinition=definition, WaiterConfig={"Delay": 1})


@pytest.mark.covers("ecs:UpdateDaemon", "ecs:ListDaemonDeployments")
def test_what_does_not_start_is_rolled_back(daemons) -> None:
    first = daemons.register()
    made = daemons.create(first)
    daemons.when(made["deploymentArn"], "SUCCESSFUL")
    broken = daemons.register(command=["/there-is-no-such-file"])
    updated = daemons.update(made["daemonArn"], broken)
    daemons.when(updated["deploymentArn"], "ROLLBACK_SUCCESSFUL")
    assert daemons.running()["taskDefinitionArn"] == first
    listed = daemons.ecs.list_daemon_deployments(daemonArn=made["daemonArn"])
    statuses = [each["status"] for each in listed["daemonDeployments"]]
    assert statuses == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]


@pytest.mark.covers("ecs:RunTask", "ecs:CreateCapacityProvider", "ecs:DeleteCapacityProvider")
def test_tasks_run_beside_on_the_providers_instance(daemons) -> None:
    definition = daemons.tasks.register(WAITS, requiresCompatibilities=["MANAGED_INSTANCES"])
    strategy = [{"capacityProvider": daemons.provider}]
    arn = daemons.tasks.start(definition, capacityProviderStrategy=strategy)
    task = daemons.tasks.running(arn)
    assert task["capacityProviderName"] == daemons.provider
    with pytest.raises(daemons.ecs.exceptions.ClientException):
        daemons.ecs.delete_capacity_provider(capacityProvider=daemons.provider)
    daemons.tasks.stop(arn)
    daemons.tasks.stopped(arn)
    daemons.ecs.delete_capacity_provider(capacityProvider=daemons.provider)
    daemons.ecs.delete_cluster(cluster=daemons.tasks.cluster)
