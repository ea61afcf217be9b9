from __future__ import annotations

import pytest

from openecs.model.clusters import CapacityProvider, ClusterStatus
from openecs.store.kinds import (
    CAPACITY_PROVIDERS,
    CLUSTERS,
    CONTAINER_INSTANCES,
    TASK_DEFINITIONS,
    TASKS,
)
from openecs.testing.builders import (
    SCOPE,
    a_cluster,
    a_container_instance,
    a_task,
    a_task_definition,
)

RESOURCES = [
    (CLUSTERS, a_cluster()),
    (TASKS, a_task()),
    (CONTAINER_INSTANCES, a_container_instance()),
    (TASK_DEFINITIONS, a_task_definition()),
    (CAPACITY_PROVIDERS, CapacityProvider(scope=SCOPE, name="mine")),
]
HERE = "arn:aws:ecs:eu-central-1:123456789012"


@pytest.mark.parametrize(("kind", "resource"), RESOURCES, ids=lambda x: getattr(x, "name", None))
@pytest.mark.covers("ecs:TagResource", "ecs:UntagResource", "ecs:ListTagsForResource")
async def test_tags_come_and_go(world, kind, resource) -> None:
    await world.put(kind, [resource])
    arn = resource.arn
    tags = [{"key": "a", "value": "1"}, {"key": "b", "value": ""}]
    await world.do("TagResource", resourceArn=arn, tags=tags)
    assert (await world.do("ListTagsForResource", resourceArn=arn))["tags"] == tags
    await world.do("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "2"}])
    await world.do("UntagResource", resourceArn=arn, tagKeys=["b", "unknown"])
    found = await world.do("ListTagsForResource", resourceArn=arn)
    assert found["tags"] == [{"key": "a", "value": "2"}]


@pytest.mark.parametrize(
    ("arn", "code", "message"),
    [
        ("cluster/default", "InvalidParameterException", "The ARN provided is invalid."),
        (
            "arn:aws:ecr:x:y:repository/z",
            "InvalidParameterException",
            "The ARN provided is invalid.",
        ),
        (f"{HERE}:whale/x", "InvalidParameterException", "The ARN provided is invalid."),
        (
            f"{HERE}:task/{'0' * 32}",
            "InvalidParameterException",
            "Long arn format must be used for tagging operations",
        ),
        (f"{HERE}:cluster/none", "ClusterNotFoundException", "Cluster not found."),
        (
            f"{HERE}:task-definition/web:1",
            "ResourceNotFoundException",
            (
                "The specified task definition was not found. "
                "Specify a valid task definition and try again."
            ),
        ),
        (
            f"{HERE}:task-definition/web",
            "ResourceNotFoundException",
            (
                "The specified task definition was not found. "
                "Specify a valid task definition and try again."
            ),
        ),
    ],
)
async def test_nothing_to_tag(world, arn: str, code: str, message: str) -> None:
    assert await world.refused("TagResource", resourceArn=arn, tags=[]) == (code, message)


async def test_a_deleted_cluster_has_no_tags(world) -> None:
    await world.put(CLUSTERS, [a_cluster(status=ClusterStatus.INACTIVE)])
    assert await world.refused("ListTagsForResource", resourceArn=a_cluster().arn) == (
        "InvalidParameterException",
        "The specified cluster is inactive. Specify an active cluster and try again.",
    )


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": "aws:x", "value": ""}],
        [{"key": "AWS:x", "value": ""}],
        [{"key": "x", "value": "aws:y"}],
        [{"key": "", "value": "y"}],
        [{"value": "y"}],
        [{"key": "k" * 129, "value": ""}],
        [{"key": "k", "value": "v" * 257}],
        [{"key": "k?", "value": ""}],
        [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}],
        [{"key": f"k{number}", "value": ""} for number in range(51)],
    ],
)
async def test_tags_that_may_not_be(world, tags) -> None:
    code, _ = await world.refused("CreateCluster", clusterName="c", tags=tags)
    assert code == "InvalidParameterException"


async def test_fifty_tags_and_no_more(world) -> None:
    tags = [{"key": f"k {number}", "value": "ü+-=._:/@"} for number in range(50)]
    await world.do("CreateCluster", clusterName="default", tags=tags)
    arn = a_cluster().arn
    await world.do("TagResource", resourceArn=arn, tags=[{"key": "k 1", "value": "new"}])
    code, _ = await world.refused(
        "TagResource", resourceArn=arn, tags=[{"key": "one more", "value": ""}]
    )
    assert code == "InvalidParameterException"
