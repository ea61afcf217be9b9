from __future__ import annotations

import pytest

ARN = "arn:aws:ecs:eu-central-1:123456789012:service/default/{}"


@pytest.mark.covers("ecs:DescribeServices", "ecs:ListServices")
async def test_there_are_no_services(world) -> None:
    await world.do("CreateCluster")
    assert await world.do("ListServices") == {"serviceArns": []}
    assert await world.do("DescribeServices", services=["a", ARN.format("b")]) == {
        "services": [],
        "failures": [
            {"arn": ARN.format("a"), "reason": "MISSING"},
            {"arn": ARN.format("b"), "reason": "MISSING"},
        ],
    }


async def test_a_cluster_is_needed(world) -> None:
    for operation, request in (("ListServices", {}), ("DescribeServices", {"services": ["a"]})):
        assert await world.refused(operation, **request) == (
            "ClusterNotFoundException",
            "Cluster not found.",
        )


async def test_one_to_ten_services(world) -> None:
    await world.do("CreateCluster")
    for services in ([], ["s"] * 11):
        code, _ = await world.refused("DescribeServices", services=services)
        assert code == "InvalidParameterException"
