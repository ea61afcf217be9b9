"""Rolling deployments: the bounds at every instant as the engine saw it, the circuit breaker."""

import pytest
from botocore.exceptions import ClientError

from openecs_server import eventually
from services import CHECKED, NEVER_STARTS, RUNS, watch

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


@pytest.mark.covers("ecs:UpdateService")
@pytest.mark.parametrize(
    ("minimum", "maximum", "floor", "ceiling"),
    [(100, 200, 4, 8), (50, 100, 2, 4), (100, 150, 4, 6)],
)
def test_never_outside_the_bounds(services, minimum, maximum, floor, ceiling):
    bounds = {"minimumHealthyPercent": minimum, "maximumPercent": maximum}
    services.started("s", services.define("f"), 4, deploymentConfiguration=bounds)
    with watch(services) as engine:
        services.update("s", taskDefinition=services.define("f"))
        services.stable("s")
        eventually(lambda: len(engine.died()) == 4, within=10)
        counts = engine.counts(before=4)
        assert {m.revision for m in engine.started()} == {"2"}
    assert floor <= min(counts) <= max(counts) <= ceiling
    assert counts[-1] == 4


def test_no_old_task_goes_before_new_ones_are_healthy(services):
    services.started("s", services.define("f"), 2)
    ill = CHECKED | {"command": ["sleep", "3600"]}
    with watch(services) as engine:
        services.update("s", taskDefinition=services.define("f", ill))
        services.said("s", "failed container health checks", within=30)
        counts = engine.counts(before=2)
        assert min(counts) >= 2
        assert not [m for m in engine.died() if m.revision == "1"]
    deployments = services.show("s")["deployments"]
    assert [d["status"] for d in deployments] == ["PRIMARY", "ACTIVE"]
    assert [d["rolloutState"] for d in deployments] == ["IN_PROGRESS", "COMPLETED"]
    assert deployments[1]["runningCount"] == 2


@pytest.mark.covers(
    "ecs:ListServiceDeployments", "ecs:DescribeServiceDeployments", "ecs:DescribeServiceRevisions"
)
def test_what_does_not_start_is_rolled_back(services):
    good, bad = services.define("f"), services.define("f", NEVER_STARTS)
    services.started("s", good, 2, deploymentConfiguration=BREAKER)
    before = {t["taskArn"] for t in services.tasks_of("s")}
    failing = services.update("s", taskDefinition=bad)["deployments"][0]["id"]
    services.said("s", "rolling back to deployment")
    service = services.stable("s")
    back = service["deployments"][0]
    assert back["rolloutStateReason"] == f"ECS deployment {back['id']} completed."
    assert service["taskDefinition"].endswith(f"/{good}")
    assert {t["taskArn"] for t in services.tasks_of("s")} == before
    told = services.messages("s")
    failed = f"(service s) (deployment {failing}) deployment failed: tasks failed to start."
    returned = f"(service s) rolling back to deployment {back['id']}."
    completed = f"(service s) (deployment {back['id']}) deployment completed."
    assert told[told.index(failed) + 1] == returned
    assert completed in told[told.index(returned) :]

    listed = services.ecs.list_service_deployments(cluster=services.cluster, service="s")
    statuses = [each["status"] for each in listed["serviceDeployments"]]
    assert statuses == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    newest = listed["serviceDeployments"][0]["serviceDeploymentArn"]
    found = services.ecs.describe_service_deployments(serviceDeploymentArns=[newest])
    deployment = found["serviceDeployments"][0]
    assert deployment["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert deployment["deploymentCircuitBreaker"]["failureCount"] >= 3
    assert deployment["rollback"]["reason"]
    revisions = [
        deployment["targetServiceRevision"]["arn"],
        deployment["rollback"]["serviceRevisionArn"],
    ]
    described = services.ecs.describe_service_revisions(serviceRevisionArns=revisions)
    definitions = {r["taskDefinition"].rpartition("/")[2] for r in described["serviceRevisions"]}
    assert definitions == {good, bad}


def test_without_rollback_it_stays_failed(services):
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    services.started("s", services.define("f"), 1, deploymentConfiguration=breaker)
    services.update("s", taskDefinition=services.define("f", NEVER_STARTS))
    services.said("s", "deployment failed: tasks failed to start.")
    failed, old = services.show("s")["deployments"]
    assert (failed["status"], failed["rolloutState"]) == ("PRIMARY", "FAILED")
    assert failed["rolloutStateReason"] == "ECS deployment circuit breaker: tasks failed to start."
    assert failed["failedTasks"] == 3
    assert (old["status"], old["runningCount"]) == ("ACTIVE", 1)
    assert len(services.stopped_of("s")) == 3
    services.update("s", taskDefinition=services.define("f"))
    services.stable("s")


def test_the_first_deployment_has_nothing_to_go_back_to(services):
    services.create("s", services.define("f", NEVER_STARTS), 2, deploymentConfiguration=BREAKER)
    services.said("s", "deployment failed: tasks failed to start.")
    (failed,) = services.show("s")["deployments"]
    assert failed["rolloutState"] == "FAILED"


@pytest.mark.covers("ecs:StopServiceDeployment")
def test_a_deployment_that_is_stopped_goes_back(services):
    good = services.define("f")
    services.started("s", good, 2)
    stuck = services.define("f", CHECKED | {"command": ["sleep", "3600"]})
    services.update("s", taskDefinition=stuck)
    listed = services.ecs.list_service_deployments(cluster=services.cluster, service="s")
    arn = listed["serviceDeployments"][0]["serviceDeploymentArn"]
    eventually(lambda: services.show("s")["runningCount"] == 4)
    services.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    service = services.stable("s")
    assert service["taskDefinition"].endswith(f"/{good}")
    found = services.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    assert found["serviceDeployments"][0]["status"] in {"ROLLBACK_SUCCESSFUL", "STOPPED"}
    with pytest.raises(ClientError):
        services.ecs.stop_service_deployment(serviceDeploymentArn=arn)


def test_a_deployment_that_another_supersedes(services):
    services.started("s", services.define("f", RUNS), 2)
    stuck = services.define("f", CHECKED | {"command": ["sleep", "3600"]})
    second = services.update("s", taskDefinition=stuck)["deployments"][0]["id"]
    eventually(lambda: services.show("s")["runningCount"] == 4)
    with watch(services) as engine:
        updated = services.update("s", taskDefinition=services.define("f", RUNS))
        statuses = [d["status"] for d in updated["deployments"]]
        assert statuses == ["PRIMARY", "ACTIVE", "ACTIVE"]
        service = services.stable("s")
        eventually(lambda: len(engine.died()) == 4)
        assert min(engine.counts(before=4)) >= 2
    third = service["deployments"][0]["id"]
    told = services.messages("s")
    assert f"(service s) (deployment {third}) deployment completed." in told
    assert f"(service s) (deployment {second}) deployment completed." not in told


def test_the_desired_count_changed_in_the_middle_of_a_deployment(services):
    services.started("s", services.define("f"), 2)
    services.update("s", taskDefinition=services.define("f"))
    eventually(lambda: services.show("s")["runningCount"] > 2)
    services.update("s", desiredCount=5)
    service = services.stable("s")
    assert service["desiredCount"] == 5
    tasks = services.running_of("s", 5)
    assert {t["taskDefinitionArn"].rpartition(":")[2] for t in tasks} == {"2"}
    services.update("s", taskDefinition=services.define("f"), desiredCount=1)
    services.stable("s")
    assert eventually(lambda: len(services.containers()) == 1)


def test_a_deployment_by_force_replaces_all_tasks(services):
    definition = services.define("f")
    made = services.started("s", definition, 2)
    before = {t["taskArn"] for t in services.tasks_of("s")}
    same = services.update("s", taskDefinition=definition)
    assert same["deployments"][0]["id"] == made["deployments"][0]["id"]
    services.update("s", forceNewDeployment=True)
    service = services.stable("s")
    assert service["deployments"][0]["id"] != made["deployments"][0]["id"]
    assert not before & {t["taskArn"] for t in services.tasks_of("s")}
