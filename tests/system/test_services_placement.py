"""Where services place their tasks: daemons, Fargate, providers, ports, room, draining."""

import pytest

from openecs_server import OpenEcs, docker, eventually, free_port
from services import RUNS, SUBNET, Services, runtime_id, short, watch

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

FARGATE = {
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
}
TROUBLESHOOTING = (
    "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
)


@pytest.fixture
def alone(tmp_path):
    """Services of a server, and so of a machine's bookkeeping, that no other test uses."""
    openecs = OpenEcs(tmp_path / "data", OPENECS_DEPLOYMENT_HEALTHY_AFTER="1")
    services = Services(openecs.start())
    yield services
    services.clear()
    openecs.clean()


def instance(services: Services) -> dict:
    """The container instance of the cluster."""
    (arn,) = services.ecs.list_container_instances(cluster=services.cluster)[
        "containerInstanceArns"
    ]
    found = services.ecs.describe_container_instances(
        cluster=services.cluster, containerInstances=[arn]
    )
    return found["containerInstances"][0]


def remaining_memory(services: Services) -> int:
    resources = instance(services)["remainingResources"]
    return next(r["integerValue"] for r in resources if r["name"] == "MEMORY")


def test_a_daemon_has_one_task_on_the_machine(services):
    definition = services.define("f")
    services.create("replica", definition, 1)
    services.stable("replica")
    made = services.create("d", definition, None, schedulingStrategy="DAEMON")
    assert made["schedulingStrategy"] == "DAEMON"
    service = services.stable("d")
    assert (service["desiredCount"], service["runningCount"]) == (1, 1)
    (task,) = services.tasks_of("d")
    docker("rm", "-f", runtime_id(task))
    (again,) = eventually(
        lambda: (t := services.running_of("d", 1))[0]["taskArn"] != task["taskArn"] and t
    )
    services.update("d", taskDefinition=services.define("f"))
    services.stable("d")
    (rolled,) = services.tasks_of("d")
    assert rolled["taskArn"] != again["taskArn"]
    assert rolled["taskDefinitionArn"].endswith(":2")
    services.delete("d")
    eventually(lambda: services.show("d")["status"] == "INACTIVE")


def test_a_fargate_service(services):
    definition = services.define("f", RUNS | {"memory": 512}, **FARGATE)
    made = services.create("s", definition, 2, launchType="FARGATE", networkConfiguration=SUBNET)
    assert made["launchType"] == "FARGATE"
    service = services.stable("s")
    assert (service["platformVersion"], service["platformFamily"]) == ("LATEST", "Linux")
    assert service["networkConfiguration"] == SUBNET | {
        "awsvpcConfiguration": SUBNET["awsvpcConfiguration"] | {"securityGroups": []}
    }
    tasks = services.running_of("s", 2)
    addresses = {
        detail["value"]
        for task in tasks
        for detail in task["attachments"][0]["details"]
        if detail["name"] == "privateIPv4Address"
    }
    assert len(addresses) == 2
    assert {t["launchType"] for t in tasks} == {"FARGATE"}


@pytest.mark.covers("ecs:PutClusterCapacityProviders")
def test_base_and_weight_choose_among_providers(services):
    services.ecs.put_cluster_capacity_providers(
        cluster=services.cluster,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[],
    )
    strategy = [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 3},
    ]
    definition = services.define("f", RUNS | {"memory": 512}, **FARGATE)
    made = services.create(
        "s", definition, 5, capacityProviderStrategy=strategy, networkConfiguration=SUBNET
    )
    assert "launchType" not in made
    services.stable("s")
    providers = sorted(t["capacityProviderName"] for t in services.running_of("s", 5))
    assert providers == ["FARGATE"] * 2 + ["FARGATE_SPOT"] * 3


def test_a_fixed_port_is_waited_for(services):
    port = free_port()
    web = RUNS | {"portMappings": [{"containerPort": 80, "hostPort": port}]}
    bounds = {"minimumHealthyPercent": 0, "maximumPercent": 200}
    services.started("s", services.define("f", web), 1, deploymentConfiguration=bounds)
    (first,) = services.tasks_of("s")
    with watch(services) as engine:
        services.update("s", taskDefinition=services.define("f", web))
        services.stable("s")
        counts = engine.counts(before=1)
    assert max(counts) == 1
    (second,) = services.tasks_of("s")
    assert second["taskArn"] != first["taskArn"]
    assert second["containers"][0]["networkBindings"][0]["hostPort"] == port


def test_a_port_in_use_is_explained(services):
    port = free_port()
    web = RUNS | {"portMappings": [{"containerPort": 80, "hostPort": port}]}
    definition = services.define("f", web)
    services.started("s", definition, 1)
    services.update("s", taskDefinition=services.define("f", web))
    arn = instance(services)["containerInstanceArn"]
    assert services.said("s", "was unable to place a task") == (
        "(service s) was unable to place a task because no container instance met all of its "
        f"requirements. The closest matching (container-instance {short(arn)}) is already using "
        f"a port required by your task. {TROUBLESHOOTING}"
    )
    assert services.show("s")["runningCount"] == 1
    # With leave to stop first, the deployment goes on at once.
    services.update(
        "s", deploymentConfiguration={"minimumHealthyPercent": 0, "maximumPercent": 200}
    )
    services.stable("s", within=15)


def test_room_is_waited_for_and_used_at_once(alone):
    alone.started("small", alone.define("small"), 1)
    half = remaining_memory(alone) * 6 // 10
    large = alone.define("large", RUNS | {"memory": half})
    alone.started("first", large, 1)
    alone.create("second", large, 1)
    arn = instance(alone)["containerInstanceArn"]
    assert alone.said("second", "was unable to place a task") == (
        "(service second) was unable to place a task because no container instance met all of its "
        f"requirements. The closest matching (container-instance {short(arn)}) has insufficient "
        f"memory available. {TROUBLESHOOTING}"
    )
    assert alone.show("second")["runningCount"] == 0
    alone.update("first", desiredCount=0)
    alone.running_of("second", 1, within=10)


@pytest.mark.covers("ecs:UpdateContainerInstancesState")
def test_a_machine_that_is_drained_and_comes_back(alone):
    bounds = {"minimumHealthyPercent": 0, "maximumPercent": 200}
    alone.started("s", alone.define("f"), 2, deploymentConfiguration=bounds)
    arn = instance(alone)["containerInstanceArn"]

    def state(status: str) -> None:
        alone.ecs.update_container_instances_state(
            cluster=alone.cluster, containerInstances=[arn], status=status
        )

    state("DRAINING")
    eventually(lambda: alone.containers() == [], within=20)
    assert instance(alone)["runningTasksCount"] == 0
    alone.said("s", "was unable to place a task")
    assert alone.show("s")["runningCount"] == 0
    state("ACTIVE")
    alone.running_of("s", 2, within=10)
    assert len(alone.containers()) == 2
