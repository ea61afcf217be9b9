from __future__ import annotations

from datetime import timedelta

import pytest

from openecs.model.tasks import TaskStatus
from openecs.store.kinds import CLUSTERS, MACHINES, TASK_DEFINITIONS, TASKS
from openecs.testing.builders import (
    a_call,
    a_cluster,
    a_machine,
    a_task,
    a_task_definition,
)

MISSING = "0" * 31 + "f"


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(MACHINES, [a_machine()])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web"), a_task_definition("job")])
    return world


async def run(world, family="web", **request):
    (task,) = (await world.do("RunTask", taskDefinition=family, **request))["tasks"]
    return task


@pytest.mark.covers("ecs:StopTask")
async def test_stop_task_asks_once(world) -> None:
    task = await run(world)
    later = a_call(now=world.call.now + timedelta(seconds=5))
    stopped = (await world.do("StopTask", task=task["taskArn"], reason="enough"))["task"]
    assert (stopped["desiredStatus"], stopped["stoppedReason"]) == ("STOPPED", "enough")
    assert (stopped["stopCode"], stopped["lastStatus"]) == ("UserInitiated", "PENDING")
    again = (await world.do("StopTask", call=later, task=task["taskArn"]))["task"]
    assert again == stopped
    assert await world.refused("StopTask", task=MISSING) == (
        "InvalidParameterException",
        "The referenced task was not found.",
    )


@pytest.mark.covers("ecs:DescribeTasks")
async def test_describe_tasks(world) -> None:
    task = await run(world, tags=[{"key": "a", "value": "b"}])
    identifier = task["taskArn"].rpartition("/")[2]
    answer = await world.do("DescribeTasks", tasks=[identifier, MISSING], include=["TAGS"])
    assert [t["taskArn"] for t in answer["tasks"]] == [task["taskArn"]]
    assert answer["tasks"][0]["tags"] == [{"key": "a", "value": "b"}]
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]
    assert (await world.do("DescribeTasks", tasks=[identifier]))["tasks"][0]["tags"] == []
    assert (await world.refused("DescribeTasks", tasks=[]))[1] == "Tasks cannot be empty."
    assert (await world.refused("DescribeTasks", tasks=["x"]))[1] == (
        "taskId length should be one of [32,36]"
    )


@pytest.mark.covers("ecs:ListTasks")
async def test_list_tasks_by_every_filter(world) -> None:
    web = await run(world, startedBy="me")
    job = await run(world, "job")
    stopped = await run(world, "job")
    await world.do("StopTask", task=stopped["taskArn"])

    async def listed(**filters):
        return set((await world.do("ListTasks", **filters))["taskArns"])

    assert await listed() == {web["taskArn"], job["taskArn"]}
    assert await listed(family="job") == {job["taskArn"]}
    assert await listed(startedBy="me") == {web["taskArn"]}
    assert await listed(desiredStatus="STOPPED") == {stopped["taskArn"]}
    assert await listed(desiredStatus="PENDING") == set()
    assert await listed(launchType="FARGATE") == set()
    here = web["containerInstanceArn"]
    assert await listed(containerInstance=here, family="web") == {web["taskArn"]}
    assert (await world.refused("ListTasks", serviceName="s"))[0] == "ServiceNotFoundException"
    assert (await world.refused("ListTasks", startedBy="me", family="web"))[0] == (
        "InvalidParameterException"
    )


async def test_list_tasks_in_pages(world) -> None:
    arns = {(await run(world))["taskArn"] for _ in range(5)}
    seen: set[str] = set()
    token: dict[str, str] = {}
    while True:
        page = await world.do("ListTasks", maxResults=2, **token)
        seen |= set(page["taskArns"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert seen == arns


@pytest.mark.covers("ecs:GetTaskProtection", "ecs:UpdateTaskProtection")
async def test_only_service_tasks_can_be_protected(world) -> None:
    task = await run(world)
    for operation, extra in (
        ("GetTaskProtection", {}),
        ("UpdateTaskProtection", {"protectionEnabled": True}),
    ):
        answer = await world.do(
            operation, cluster="default", tasks=[task["taskArn"], MISSING], **extra
        )
        assert answer["protectedTasks"] == []
        assert [f["reason"] for f in answer["failures"]] == ["TASK_NOT_VALID", "MISSING"]


async def test_a_stopped_task_is_left_as_it_is(world) -> None:
    over = a_task(last_status=TaskStatus.STOPPED, desired_status=TaskStatus.STOPPED)
    await world.put(TASKS, [over])
    stopped = (await world.do("StopTask", task=over.arn))["task"]
    assert (stopped["lastStatus"], stopped["version"]) == ("STOPPED", over.version)
    assert "stoppedReason" not in stopped


async def test_tasks_belong_to_their_cluster(world) -> None:
    await world.put(CLUSTERS, [a_cluster("other")])
    task = await run(world)
    identifier = task["taskArn"].rpartition("/")[2]
    answer = await world.do("DescribeTasks", cluster="other", tasks=[identifier])
    assert answer["tasks"] == []
    assert [f["reason"] for f in answer["failures"]] == ["MISSING"]
    assert (await world.do("ListTasks", cluster="other"))["taskArns"] == []


async def test_limits(world) -> None:
    many = [f"{n:032x}" for n in range(101)]
    assert (await world.refused("DescribeTasks", tasks=many))[0] == "InvalidParameterException"
    refused = await world.refused(
        "UpdateTaskProtection", cluster="default", tasks=many[:11], protectionEnabled=True
    )
    assert refused[0] == "InvalidParameterException"
    task = await run(world)
    refused = await world.refused("StopTask", task=task["taskArn"], reason="x" * 1025)
    assert refused[1] == "reason can have at most 1024 characters."


@pytest.mark.parametrize("minutes", [0, 2881])
async def test_protection_lasts_up_to_two_days(world, minutes) -> None:
    refused = await world.refused(
        "UpdateTaskProtection",
        cluster="default",
        tasks=[MISSING],
        protectionEnabled=True,
        expiresInMinutes=minutes,
    )
    assert refused == (
        "InvalidParameterException",
        "expiresInMinutes must be between 1 and 2880.",
    )
