from __future__ import annotations

import pytest

from openecs.model.clusters import ContainerInstanceStatus
from openecs.store.kinds import CLUSTERS, CONTAINER_INSTANCES
from openecs.testing.builders import a_cluster, a_container_instance, an_instance_id

ONE, TWO = a_container_instance(1).arn, a_container_instance(2).arn


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    instances = [a_container_instance(number, attributes=()) for number in (1, 2)]
    await world.put(CONTAINER_INSTANCES, instances)
    return world


def attribute(name: str, value: str | None = None, target: str = ONE) -> dict[str, str]:
    members = {"name": name, "value": value, "targetId": target}
    return {
        "targetType": "container-instance",
        **{key: item for key, item in members.items() if item is not None},
    }


async def listed(world, **request: str):
    answer = await world.do("ListAttributes", targetType="container-instance", **request)
    return answer["attributes"]


@pytest.mark.covers("ecs:PutAttributes", "ecs:DeleteAttributes", "ecs:ListAttributes")
async def test_attributes_come_and_go(world) -> None:
    given = [attribute("rack", "a"), attribute("ssd"), attribute("rack", "b", TWO)]
    assert (await world.do("PutAttributes", attributes=given))["attributes"] == given
    assert await listed(world) == given
    assert await listed(world, attributeName="rack") == [given[0], given[2]]
    assert await listed(world, attributeName="rack", attributeValue="b") == [given[2]]
    await world.do("PutAttributes", attributes=[attribute("rack", "c")])
    await world.do("DeleteAttributes", attributes=[attribute("ssd"), attribute("rack", "other")])
    assert await listed(world) == [attribute("rack", "c"), given[2]]


async def test_a_target_by_its_id(world) -> None:
    given = [attribute("rack", "a", an_instance_id(1))]
    answer = await world.do("PutAttributes", attributes=given)
    assert answer["attributes"] == [attribute("rack", "a", ONE)]


async def test_page_by_page(world) -> None:
    given = [attribute("a"), attribute("b"), attribute("a", target=TWO)]
    await world.do("PutAttributes", attributes=given)
    first = await world.do("ListAttributes", targetType="container-instance", maxResults=2)
    assert first["attributes"] == given[:2]
    assert await listed(world, maxResults=2, nextToken=first["nextToken"]) == given[2:]


async def test_ten_custom_attributes_and_no_more(world) -> None:
    await world.do("PutAttributes", attributes=[attribute(f"a{n}") for n in range(10)])
    await world.do("PutAttributes", attributes=[attribute("a3", "again")])
    code, _ = await world.refused("PutAttributes", attributes=[attribute("one-more")])
    assert code == "AttributeLimitExceededException"


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ([], "InvalidParameterException", "Attributes cannot be empty."),
        ([attribute("a b")], "InvalidParameterException", "Invalid attribute name: a b"),
        ([attribute("a", " b")], "InvalidParameterException", "Invalid attribute value:  b"),
        (
            [attribute("ecs.os-type", "mine")],
            "InvalidParameterException",
            "The attribute ecs.os-type is reserved and cannot be changed.",
        ),
        (
            [{**attribute("a"), "targetType": "task"}],
            "InvalidParameterException",
            "targetType must be container-instance",
        ),
        (
            [attribute("a", target=an_instance_id(9))],
            "TargetNotFoundException",
            f"Could not find {an_instance_id(9)}",
        ),
    ],
)
@pytest.mark.parametrize("operation", ["PutAttributes", "DeleteAttributes"])
async def test_what_cannot_be_put(world, operation, given, code, message) -> None:
    assert await world.refused(operation, attributes=given) == (code, message)


async def test_a_deregistered_instance_has_none(world) -> None:
    gone = a_container_instance(1, status=ContainerInstanceStatus.INACTIVE)
    await world.put(CONTAINER_INSTANCES, [gone])
    assert await listed(world) == []
    code, _ = await world.refused("PutAttributes", attributes=[attribute("a")])
    assert code == "TargetNotFoundException"
