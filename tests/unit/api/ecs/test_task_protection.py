"""Tasks of services that ask not to be scaled in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from openecs.model.services import ServiceStatus
from openecs.model.tasks import TaskProtection, TaskStatus
from openecs.store.kinds import CLUSTERS, SERVICES, TASKS, task_key
from openecs.testing.builders import NOW, SCOPE, a_call, a_cluster, a_task
from openecs.testing.service_world import a_service

STOPPED = {"desired_status": TaskStatus.STOPPED}


def a_web_task(number, minutes=None, **changes):
    """A task of the service ``web``, protected for so many minutes from ``NOW``."""
    until = TaskProtection(expires_at=NOW + timedelta(minutes=minutes)) if minutes else None
    return a_task(number, **{"group": "service:web", "protection": until, **changes})


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(SERVICES, [a_service(desired_count=2)])
    return world


async def update(world, *tasks, enabled=True, **members):
    return await world.do(
        "UpdateTaskProtection",
        cluster="default",
        tasks=[t.arn for t in tasks],
        protectionEnabled=enabled,
        **members,
    )


async def kept(world, task):
    key = task_key(task.cluster, task.id)
    return await world.store.read(lambda view: view.get(TASKS, SCOPE, key))


def reasons(answer):
    return [(f["arn"], f["reason"]) for f in answer["failures"]]


@pytest.mark.covers("ecs:UpdateTaskProtection", "ecs:GetTaskProtection")
async def test_two_hours_unless_said_otherwise(world) -> None:
    task = a_web_task(1)
    await world.put(TASKS, [task])
    answer = await update(world, task)
    shown = {
        "taskArn": task.arn,
        "protectionEnabled": True,
        "expirationDate": NOW + timedelta(minutes=120),
    }
    assert answer == {"protectedTasks": [shown], "failures": []}
    asked = await world.do("GetTaskProtection", cluster="default", tasks=[task.id])
    assert asked == answer
    now = await kept(world, task)
    assert now.protection == TaskProtection(expires_at=shown["expirationDate"])
    assert now.version == task.version + 1


@pytest.mark.parametrize("minutes", [1, 2880])
async def test_as_long_as_is_said_from_the_last_call_on(world, minutes) -> None:
    task = a_web_task(1, minutes=60)
    await world.put(TASKS, [task])
    answer = await update(world, task, expiresInMinutes=minutes)
    assert answer["protectedTasks"][0]["expirationDate"] == NOW + timedelta(minutes=minutes)


async def test_protection_is_taken_back(world) -> None:
    task = a_web_task(1, minutes=60)
    await world.put(TASKS, [task])
    answer = await update(world, task, enabled=False)
    assert answer["protectedTasks"] == [{"taskArn": task.arn, "protectionEnabled": False}]
    assert (await kept(world, task)).protection is None


@pytest.mark.parametrize(("passed", "is_protected"), [(59, True), (60, False), (61, False)])
async def test_protection_ends_by_itself(world, passed, is_protected) -> None:
    task = a_web_task(1, minutes=60)
    await world.put(TASKS, [task])
    later = a_call(now=NOW + timedelta(minutes=passed))
    for named in ({"tasks": [task.arn]}, {}):
        answer = await world.do("GetTaskProtection", call=later, cluster="default", **named)
        shown = [t["protectionEnabled"] for t in answer["protectedTasks"]]
        assert shown == ([is_protected] if named or is_protected else [])


async def test_all_protected_tasks_of_the_cluster(world) -> None:
    other = a_service(name="other")
    alone = a_task(5, protection=TaskProtection(expires_at=NOW + timedelta(hours=1)))
    protected = a_web_task(1, minutes=5), a_web_task(2, minutes=5, group="service:other")
    stopping = a_web_task(3, minutes=5, **STOPPED)
    await world.put(SERVICES, [other])
    await world.put(TASKS, [*protected, stopping, a_web_task(4), alone])
    answer = await world.do("GetTaskProtection", cluster="default")
    assert {t["taskArn"] for t in answer["protectedTasks"]} == {t.arn for t in protected}
    assert answer["failures"] == []


@pytest.mark.parametrize("enabled", [True, False])
async def test_what_cannot_be_protected(world, enabled) -> None:
    alone, stopping, absent = a_task(1), a_web_task(2, **STOPPED), a_web_task(3)
    fine = a_web_task(4)
    await world.put(TASKS, [alone, stopping, fine])
    answer = await update(world, alone, stopping, absent, fine, enabled=enabled)
    assert reasons(answer) == [
        (alone.arn, "TASK_NOT_VALID"),
        (stopping.arn, "TASK_NOT_VALID"),
        (absent.arn, "MISSING"),
    ]
    assert [t["taskArn"] for t in answer["protectedTasks"]] == [fine.arn]


async def test_more_protected_than_wanted_block_the_next(world) -> None:
    """Two are wanted; a third may be protected, and then no more, nor for longer."""
    held, free = [a_web_task(n, minutes=60) for n in (1, 2)], [a_web_task(n) for n in (3, 4)]
    await world.put(TASKS, [*held, *free])
    assert reasons(await update(world, free[0])) == []
    answer = await update(world, held[0], free[1], expiresInMinutes=120)
    blocked = "DEPLOYMENT_BLOCKED"
    assert reasons(answer) == [(held[0].arn, blocked), (free[1].arn, blocked)]
    assert answer["protectedTasks"] == []
    assert await kept(world, held[0]) == held[0]
    assert reasons(await update(world, held[0], enabled=False)) == []
    assert reasons(await update(world, free[1])) == []


async def test_protection_that_is_over_blocks_nobody(world) -> None:
    await world.put(SERVICES, [a_service(desired_count=1)])
    tasks = [a_web_task(n, minutes=60) for n in (1, 2, 3)]
    await world.put(TASKS, tasks)
    assert reasons(await update(world, tasks[0])) == [(tasks[0].arn, "DEPLOYMENT_BLOCKED")]
    later = a_call(now=NOW + timedelta(minutes=60))
    assert reasons(await update(world, tasks[0], call=later)) == []


async def test_the_same_task_twice_is_one(world) -> None:
    task = a_web_task(1)
    await world.put(TASKS, [task])
    answer = await update(world, task, task)
    assert len(answer["protectedTasks"]) == 1
    assert (await kept(world, task)).version == task.version + 1


async def test_of_a_service_that_is_over_nothing_is_listed(world) -> None:
    await world.put(SERVICES, [a_service(status=ServiceStatus.INACTIVE)])
    await world.put(TASKS, [a_web_task(1, minutes=60, last_status=TaskStatus.STOPPED, **STOPPED)])
    assert (await world.do("GetTaskProtection", cluster="default"))["protectedTasks"] == []


async def test_how_many_at_once(world) -> None:
    many = [f"{n:032x}" for n in range(101)]
    refused = await world.refused("GetTaskProtection", cluster="default", tasks=many)
    assert refused == ("InvalidParameterException", "Tasks cannot have more than 100 elements.")
    refused = await world.refused(
        "UpdateTaskProtection", cluster="default", tasks=[], protectionEnabled=True
    )
    assert refused == ("InvalidParameterException", "Tasks cannot be empty.")
