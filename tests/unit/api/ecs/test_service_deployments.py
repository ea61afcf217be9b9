"""What a service went through, and how a deployment is stopped midway."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.model.services import (
    DeploymentStatus,
    Rollback,
    RolloutState,
    ServiceDeploymentStatus,
    ServiceStatus,
)
from openecs.model.tasks import TaskStatus
from openecs.store.kinds import (
    CLUSTERS,
    SERVICE_DEPLOYMENTS,
    SERVICES,
    TASK_DEFINITIONS,
    TASKS,
)
from openecs.testing.builders import (
    NOW,
    SCOPE,
    CountingIds,
    a_call,
    a_cluster,
    a_task,
    a_task_definition,
)

INVALID, CONFLICT = "InvalidParameterException", "ConflictException"
Status = ServiceDeploymentStatus
UNKNOWN = SCOPE.arn("ecs", "service-deployment/default/s/none")
NO_HOOK = (
    "Provided hookId is either completed, unavailable, or not associated with the given Resource "
    "ARN"
)
OVER = "Continuing a service deployment is not allowed for service deployment in terminal states."


class EndingIds(CountingIds):
    """What differs comes first: a service deployment has the first 22 of 32 digits."""

    def hex32(self) -> str:
        return super().hex32()[::-1]


@pytest.fixture
async def world(world):
    world.call = a_call(ids=EndingIds())
    await world.put(CLUSTERS, [a_cluster()])
    definitions = [a_task_definition("web", n) for n in (1, 2, 3)]
    await world.put(TASK_DEFINITIONS, definitions)
    return world


async def create(world, **members):
    request = {"serviceName": "s", "taskDefinition": "web:1", "desiredCount": 2, **members}
    return (await world.do("CreateService", **request))["service"]


async def update(world, minutes=1, **members):
    later = a_call(now=NOW + timedelta(minutes=minutes), ids=world.call.ids)
    return (await world.do("UpdateService", call=later, service="s", **members))["service"]


async def the_service(world):
    return await world.store.read(lambda view: view.get(SERVICES, SCOPE, "default/s"))


async def the_record(world, arn):
    key = arn.partition("service-deployment/")[2]
    return await world.store.read(lambda view: view.get(SERVICE_DEPLOYMENTS, SCOPE, key))


async def change(world, arn, **changes):
    await world.put(SERVICE_DEPLOYMENTS, [replace(await the_record(world, arn), **changes)])


async def complete(world):
    """The PRIMARY deployment has taken over, as the scheduler writes it."""
    service = await the_service(world)
    done = replace(service.deployments[0], rollout_state=RolloutState.COMPLETED)
    whole = replace(service, deployments=(done,), completed_revision=done.revision, steady_at=NOW)
    await world.put(SERVICES, [whole])
    number = service.current_service_deployment
    arn = SCOPE.arn("ecs", f"service-deployment/default/s/{number}")
    await change(world, arn, status=Status.SUCCESSFUL, finished_at=NOW)


async def rolling(world):
    """The ARN of the service deployment of a service that rolls from ``web:1`` to ``web:2``."""
    await create(world)
    await complete(world)
    return (await update(world, taskDefinition="web:2"))["currentServiceDeployment"]


async def described(world, *arns):
    return await world.do("DescribeServiceDeployments", serviceDeploymentArns=list(arns))


async def listed(world, **members):
    answer = await world.do("ListServiceDeployments", service="s", **members)
    return [d["serviceDeploymentArn"] for d in answer["serviceDeployments"]]


def web_tasks(deployment, *statuses, start=1):
    return [
        a_task(n, group="service:s", started_by=deployment.id, last_status=status)
        for n, status in enumerate(statuses, start)
    ]


@pytest.mark.covers("ecs:ListServiceDeployments")
async def test_deployments_are_listed_newest_first(world) -> None:
    first = (await create(world))["currentServiceDeployment"]
    second = (await update(world, 1, taskDefinition="web:2"))["currentServiceDeployment"]
    third = (await update(world, 2, taskDefinition="web:3"))["currentServiceDeployment"]
    assert await listed(world) == [third, second, first]
    answer = await world.do(
        "ListServiceDeployments", service=SCOPE.arn("ecs", "service/default/s"), cluster="default"
    )
    target = (await the_service(world)).revision.arn
    assert answer["serviceDeployments"][0] == {
        "serviceDeploymentArn": third,
        "serviceArn": SCOPE.arn("ecs", "service/default/s"),
        "clusterArn": SCOPE.arn("ecs", "cluster/default"),
        "createdAt": NOW + timedelta(minutes=2),
        "targetServiceRevisionArn": target,
        "status": "PENDING",
    }


async def test_deployments_are_listed_in_pages(world) -> None:
    await create(world)
    for minutes in range(1, 5):
        await update(world, minutes, forceNewDeployment=True)
    everything, token, found = await listed(world), {}, []
    while True:
        page = await world.do("ListServiceDeployments", service="s", maxResults=2, **token)
        assert len(page["serviceDeployments"]) <= 2
        found += [d["serviceDeploymentArn"] for d in page["serviceDeployments"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert found == everything
    assert len(found) == 5
    refused = await world.refused("ListServiceDeployments", service="other", **token)
    assert refused[0] == "ServiceNotFoundException"
    refused = await world.refused("ListServiceDeployments", service="s", maxResults=101)
    assert refused[0] == INVALID


async def test_deployments_are_listed_by_status_and_time(world) -> None:
    old = (await create(world))["currentServiceDeployment"]
    new = (await update(world, 10, taskDefinition="web:2"))["currentServiceDeployment"]
    await change(world, old, status=Status.SUCCESSFUL)
    assert await listed(world, status=["SUCCESSFUL", "STOPPED"]) == [old]
    assert await listed(world, status=["PENDING"]) == [new]
    assert await listed(world, status=["STOPPED"]) == []
    middle = NOW + timedelta(minutes=5)
    assert await listed(world, createdAt={"after": middle}) == [new]
    assert await listed(world, createdAt={"before": middle}) == [old]
    assert await listed(world, createdAt={"after": NOW - middle.resolution, "before": middle}) == [
        old
    ]


async def test_only_the_services_own_deployments_are_listed(world) -> None:
    own = (await create(world))["currentServiceDeployment"]
    await create(world, serviceName="s2")
    assert await listed(world) == [own]


@pytest.mark.covers("ecs:DescribeServiceDeployments")
async def test_a_deployment_under_way_has_the_counts_of_now(world) -> None:
    arn = await rolling(world)
    new, old = (await the_service(world)).deployments
    running, pending = TaskStatus.RUNNING, TaskStatus.PENDING
    await world.put(TASKS, web_tasks(old, running, running))
    await world.put(TASKS, web_tasks(new, running, pending, pending, start=3))
    ((shown,), failures) = (await described(world, arn, arn, UNKNOWN)).values()
    assert failures == [{"arn": UNKNOWN, "reason": "MISSING"}]
    assert shown["sourceServiceRevisions"] == [
        {
            "arn": old.revision.arn,
            "requestedTaskCount": 2,
            "runningTaskCount": 2,
            "pendingTaskCount": 0,
        }
    ]
    assert shown["targetServiceRevision"] == {
        "arn": new.revision.arn,
        "requestedTaskCount": 2,
        "runningTaskCount": 1,
        "pendingTaskCount": 2,
    }
    assert shown["status"] == "PENDING"
    assert shown["createdAt"] == shown["updatedAt"] == NOW + timedelta(minutes=1)
    assert shown["deploymentConfiguration"]["maximumPercent"] == 200
    breaker = {"status": "DISABLED", "failureCount": 0, "threshold": 0}
    assert shown["deploymentCircuitBreaker"] == breaker


async def test_a_deployment_that_is_over_has_the_counts_it_ended_with(world) -> None:
    arn = await rolling(world)
    new, old = (await the_service(world)).deployments
    await world.put(TASKS, web_tasks(new, TaskStatus.PENDING))
    counts = ((new.revision.id, 2, 2, 0), (old.revision.id, 0, 1, 0))
    back = Rollback(reason="because", started_at=NOW, revision=old.revision.id)
    await change(
        world,
        arn,
        status=Status.ROLLBACK_SUCCESSFUL,
        status_reason="because",
        final_counts=counts,
        rollback=back,
        started_at=NOW,
        finished_at=NOW,
    )
    (shown,) = (await described(world, arn))["serviceDeployments"]
    members = ("requestedTaskCount", "runningTaskCount", "pendingTaskCount")
    assert [shown["targetServiceRevision"][m] for m in members] == [2, 2, 0]
    assert [shown["sourceServiceRevisions"][0][m] for m in members] == [0, 1, 0]
    assert shown["rollback"] == {
        "reason": "because",
        "startedAt": NOW,
        "serviceRevisionArn": old.revision.arn,
    }
    assert (shown["status"], shown["statusReason"]) == ("ROLLBACK_SUCCESSFUL", "because")
    assert (shown["startedAt"], shown["finishedAt"]) == (NOW, NOW)


@pytest.mark.covers("ecs:StopServiceDeployment")
@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS])
@pytest.mark.parametrize("members", [{}, {"stopType": "ROLLBACK"}])
async def test_a_deployment_that_is_stopped_goes_back(world, status, members) -> None:
    arn = await rolling(world)
    await change(world, arn, status=status)
    stopped, good = (await the_service(world)).deployments
    answer = await world.do("StopServiceDeployment", serviceDeploymentArn=arn, **members)
    assert answer == {"serviceDeploymentArn": arn}
    service = await the_service(world)
    assert service.revision == good.revision
    assert service.completed_revision is None
    assert service.steady_at is None
    assert {d.service_deployment for d in service.deployments} == {stopped.service_deployment}
    back, failed = service.deployments
    assert (back.status, back.rollout_state) == (
        DeploymentStatus.PRIMARY,
        RolloutState.IN_PROGRESS,
    )
    assert (back.revision, back.desired_count) == (good.revision, 2)
    assert back.id in back.rollout_state_reason
    assert (failed.id, failed.status, failed.rollout_state) == (
        stopped.id,
        DeploymentStatus.ACTIVE,
        RolloutState.FAILED,
    )
    (record,) = (await described(world, arn))["serviceDeployments"]
    assert record["status"] == "ROLLBACK_REQUESTED"
    (shown,) = (await world.do("DescribeServices", services=["s"]))["services"]
    assert [e["message"] for e in shown["events"]] == [
        f"(service s) rolling back to deployment {back.id}."
    ]


async def test_without_tasks_of_the_old_a_new_deployment_begins(world) -> None:
    arn = await rolling(world)
    service = await the_service(world)
    stopped, good = service.deployments
    await world.put(SERVICES, [replace(service, deployments=(stopped,))])
    await world.do("StopServiceDeployment", serviceDeploymentArn=arn)
    back, _ = (await the_service(world)).deployments
    assert back.id not in {stopped.id, good.id}
    assert back.id in back.rollout_state_reason
    assert back.revision == good.revision


@pytest.mark.parametrize(
    "status", [Status.STOP_REQUESTED, Status.ROLLBACK_REQUESTED, Status.ROLLBACK_IN_PROGRESS]
)
async def test_what_goes_back_already_goes_on(world, status) -> None:
    arn = await rolling(world)
    await change(world, arn, status=status)
    before = await the_service(world)
    answer = await world.do("StopServiceDeployment", serviceDeploymentArn=arn)
    assert answer == {"serviceDeploymentArn": arn}
    assert await the_service(world) == before


@pytest.mark.parametrize(
    "status",
    [Status.SUCCESSFUL, Status.STOPPED, Status.ROLLBACK_SUCCESSFUL, Status.ROLLBACK_FAILED],
)
async def test_what_is_over_is_not_stopped(world, status) -> None:
    arn = await rolling(world)
    await change(world, arn, status=status)
    assert (await world.refused("StopServiceDeployment", serviceDeploymentArn=arn))[0] == CONFLICT
    continued = {"serviceDeploymentArn": arn, "hookId": "ecs-PAUSE-1"}
    assert await world.refused("ContinueServiceDeployment", **continued) == (INVALID, OVER)


async def test_the_first_deployment_has_nothing_to_go_back_to(world) -> None:
    arn = (await create(world))["currentServiceDeployment"]
    before = await the_service(world)
    assert (await world.refused("StopServiceDeployment", serviceDeploymentArn=arn))[0] == CONFLICT
    assert await the_service(world) == before
    assert (await the_record(world, arn)).status is Status.PENDING


async def test_a_service_that_goes_does_not_go_back(world) -> None:
    arn = await rolling(world)
    draining = replace(await the_service(world), status=ServiceStatus.DRAINING)
    await world.put(SERVICES, [draining])
    assert (await world.refused("StopServiceDeployment", serviceDeploymentArn=arn))[0] == CONFLICT
    assert await the_service(world) == draining


async def test_a_deployment_that_was_superseded_is_not_stopped(world) -> None:
    old = await rolling(world)
    await update(world, 2, taskDefinition="web:3")
    assert (await world.refused("StopServiceDeployment", serviceDeploymentArn=old))[0] == CONFLICT


async def test_deployments_are_not_aborted(world) -> None:
    arn = await rolling(world)
    before = await the_service(world)
    aborted = {"serviceDeploymentArn": arn, "stopType": "ABORT"}
    assert (await world.refused("StopServiceDeployment", **aborted))[0] == INVALID
    assert await the_service(world) == before


@pytest.mark.parametrize("operation", ["StopServiceDeployment", "ContinueServiceDeployment"])
async def test_a_deployment_that_is_not_there(world, operation) -> None:
    hook = {"hookId": "ecs-PAUSE-1"} if operation == "ContinueServiceDeployment" else {}
    assert await world.refused(operation, serviceDeploymentArn=UNKNOWN, **hook) == (
        "ServiceDeploymentNotFoundException",
        "The service deployment does not exist.",
    )


@pytest.mark.covers("ecs:ContinueServiceDeployment")
@pytest.mark.parametrize("action", [{}, {"action": "CONTINUE"}, {"action": "ROLLBACK"}])
async def test_nothing_pauses_yet(world, action) -> None:
    arn = (await create(world))["currentServiceDeployment"]
    asked = {"serviceDeploymentArn": arn, **action}
    refused = await world.refused("ContinueServiceDeployment", **asked, hookId="ecs-PAUSE-abc1")
    assert refused == (INVALID, NO_HOOK)
    refused = await world.refused("ContinueServiceDeployment", **asked, hookId="PAUSE-1")
    assert refused == (
        INVALID,
        "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}",
    )
