"""What was made for an Express service goes with its last task, the load balancer with the last."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from openecs.api.base import ApiSettings
from openecs.api.ecs import SERVICE
from openecs.api.elbv2.rules import create_rule
from openecs.app import SystemIds
from openecs.authority import LocalAuthority
from openecs.control.express_gateways import ExpressGateways
from openecs.control.lease import LeaseLost
from openecs.decide import alarm_values
from openecs.loops.controller import Again
from openecs.model.metrics import Datapoint, of_value
from openecs.model.services import ServiceStatus
from openecs.model.tasks import TaskStatus
from openecs.store.alarms import METRIC_ALARMS
from openecs.store.kinds import (
    CERTIFICATES,
    EXPRESS_GATEWAYS,
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    SECURITY_GROUPS,
    SERVICES,
    TARGET_GROUPS,
    TASKS,
)
from openecs.store.scaling import SCALING_POLICIES
from openecs.testing.builders import NOW, SCOPE, CountingIds, a_call, a_task
from operations_world import World

MADE = (EXPRESS_GATEWAYS, LOAD_BALANCERS, LISTENERS, RULES, TARGET_GROUPS, CERTIFICATES)
ROLE = "arn:aws:iam::123456789012:role/r"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return LocalAuthority(tmp_path_factory.mktemp("authority"))


class Express(World):
    """Express services, and the loop that looks after deleted ones."""

    def __init__(self, authority, guard=None) -> None:
        super().__init__(SERVICE)
        self.call = a_call(settings=ApiSettings(authority=authority), ids=SystemIds())
        self.loop = ExpressGateways(
            store=self.store, clock=lambda: NOW, ids=CountingIds(), guard=guard
        )

    async def create(self, name: str, **more) -> None:
        await self.do(
            "CreateExpressGatewayService",
            **more,
            serviceName=name,
            executionRoleArn=ROLE,
            infrastructureRoleArn=ROLE,
            primaryContainer={"image": "nginx"},
        )

    async def delete(self, name: str, *, tasks=()) -> None:
        """The service is deleted and INACTIVE; some of its tasks are on their way still."""
        await self.do("DeleteExpressGatewayService", serviceArn=_arn(name))
        service = await self.store.read(lambda view: view.get(SERVICES, SCOPE, f"default/{name}"))
        await self.put(SERVICES, [replace(service, status=ServiceStatus.INACTIVE)])
        await self.put(TASKS, tasks)

    async def reconcile(self) -> None:
        for each in await self.everything(EXPRESS_GATEWAYS):
            await self.loop.reconcile((each.scope, EXPRESS_GATEWAYS.key(each)))

    async def label(self) -> str:
        """Whose requests scale the service."""
        (policy,) = await self.everything(SCALING_POLICIES)
        return policy.tracking.resource_label

    async def everything(self, kind):
        return await self.store.read(lambda view: view.scan(kind, None))

    async def counts(self) -> list[int]:
        return [len(await self.everything(kind)) for kind in MADE]


def _arn(name: str) -> str:
    return SCOPE.arn("ecs", f"service/default/{name}")


def an_ending_task(**changes):
    before = NOW - timedelta(minutes=1)
    values = {"group": "service:a", "created_at": before, "last_status": TaskStatus.STOPPING}
    return a_task(**{**values, **changes})


@pytest.fixture
def express(authority):
    return Express(authority)


async def test_everything_goes_with_the_last_task(express) -> None:
    await express.create("a")
    await express.reconcile()
    assert await express.counts() == [1, 1, 1, 1, 2, 1]
    await express.delete("a", tasks=[an_ending_task()])
    await express.reconcile()
    assert await express.counts() == [1, 1, 1, 1, 2, 1]
    await express.put(TASKS, [an_ending_task(last_status=TaskStatus.STOPPED)])
    await express.reconcile()
    assert await express.counts() == [0] * 6
    assert [group.name for group in await express.everything(SECURITY_GROUPS)] == ["default"]
    shown = await express.do("DescribeExpressGatewayService", serviceArn=_arn("a"))
    assert shown["service"]["status"]["statusCode"] == "INACTIVE"
    assert shown["service"]["activeConfigurations"] == []


async def test_the_load_balancer_is_there_for_the_others(express) -> None:
    await express.create("a")
    await express.create("b")
    first, second = (await express.everything(LISTENERS))[0].certificates
    await express.delete("a")
    await express.reconcile()
    assert await express.counts() == [1, 1, 1, 1, 2, 1]
    assert (await express.everything(LISTENERS))[0].certificates == (second,)
    await express.create("a")
    await express.delete("a")
    await express.reconcile()
    assert (await express.everything(LISTENERS))[0].certificates == (second,)
    assert first not in [each.arn for each in await express.everything(CERTIFICATES)]
    await express.delete("b")
    await express.reconcile()
    assert await express.counts() == [0] * 6


async def test_what_others_use_stays(express) -> None:
    await express.create("a")
    await express.create("b")
    (gateway,) = (g for g in await express.everything(EXPRESS_GATEWAYS) if g.service == "a")
    (listener,) = await express.everything(LISTENERS)
    rule = {
        "ListenerArn": listener.arn,
        "Priority": 9,
        "Conditions": [{"Field": "host-header", "Values": ["mine.test"]}],
        "Actions": [{"Type": "forward", "TargetGroupArn": gateway.target_group_arns[0]}],
    }
    await express.store.write(lambda tx: create_rule(tx, express.call, rule))
    await express.delete("a")
    await express.reconcile()
    assert await express.counts() == [1, 1, 1, 2, 3, 1]


async def test_only_who_may_removes(authority) -> None:
    def lost(_):
        raise LeaseLost

    express = Express(authority, lost)
    await express.create("a")
    await express.delete("a")
    with pytest.raises(Again):
        await express.reconcile()
    assert (await express.counts())[0] == 1


async def test_requests_are_counted_where_they_are_served(express) -> None:
    metric = {"autoScalingMetric": "REQUEST_COUNT_PER_TARGET"}
    await express.create("a", scalingTarget=metric)
    (gateway,) = await express.everything(EXPRESS_GATEWAYS)
    first, alternate = (arn.rpartition(":")[2] for arn in gateway.target_group_arns)
    assert (await express.label()).endswith(first)
    (service,) = await express.everything(SERVICES)
    shifted = replace(service.revision, id="2", on_alternate=True)
    under_way = replace(service, revision=shifted, completed_revision=service.revision)
    await express.put(SERVICES, [under_way])
    await express.reconcile()
    assert (await express.label()).endswith(first)
    await express.put(SERVICES, [replace(under_way, completed_revision=shifted)])
    await express.reconcile()
    assert (await express.label()).endswith(alternate)


@pytest.mark.parametrize(
    ("group", "answered", "worst"),
    [(0, {"5xx": 3.0, "total": 100.0}, 3.0), (1, {"4xx": 9.0, "5xx": 1.0, "total": 50.0}, 20.0)],
)
async def test_failing_answers_of_either_group_are_told(express, group, answered, worst) -> None:
    await express.create("a")
    found = await express.everything(METRIC_ALARMS)
    (alarm,) = (each for each in found if each.name == "default/a/RollbackAlarm")
    at = NOW - timedelta(minutes=2)
    read = {name: [] for name in alarm_values.stats_of(alarm)} | {
        f"m{group}_{what}": [Datapoint(at, "Count", of_value(value))]
        for what, value in answered.items()
    }
    told = {point.timestamp: point.value for point in alarm_values.points(alarm, read, NOW)}
    assert told.pop(at) == worst
    assert set(told.values()) == {0.0}


async def test_it_looks_when_something_changes(express) -> None:
    await express.create("a")
    await express.delete("a", tasks=[an_ending_task()])
    running = asyncio.create_task(express.loop.run())
    try:
        await express.put(TASKS, [an_ending_task(last_status=TaskStatus.STOPPED)])
        async with asyncio.timeout(10):
            while (await express.counts())[0]:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
