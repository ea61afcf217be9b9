from __future__ import annotations

import pytest

from openecs.api.base import ServiceError
from openecs.api.ecs import references
from openecs.api.ecs.references import DefinitionReference
from openecs.model.clusters import ClusterStatus
from openecs.model.task_definitions import TaskDefinitionStatus
from openecs.store.kinds import CLUSTERS, TASK_DEFINITIONS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import a_call, a_cluster, a_task_definition

ID = "0123456789abcdef0123456789abcdef"
HERE = "arn:aws:ecs:eu-central-1:123456789012"


@pytest.mark.parametrize(
    ("reference", "name"),
    [(None, "default"), ("", "default"), ("c", "c"), (f"{HERE}:cluster/c", "c")],
)
def test_clusters(reference: str | None, name: str) -> None:
    assert references.cluster_name(a_call(), reference) == name


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("a/b", "Invalid identifier: Unexpected number of separators"),
        ("arn:aws:ecs", "The ARN provided is invalid."),
        (f"{HERE}:task/c/x", "The ARN provided is invalid."),
        ("arn:aws:s3:eu-central-1:123456789012:cluster/c", "The ARN provided is invalid."),
        (
            "arn:aws:ecs:eu-central-1:210987654321:cluster/c",
            (
                "Invalid identifier: Identifier is for accountId 210987654321. "
                "Your accountId is 123456789012"
            ),
        ),
        (
            "arn:aws:ecs:us-east-1:123456789012:cluster/c",
            "Invalid identifier: Identifier is for region us-east-1. Your region is eu-central-1",
        ),
    ],
)
def test_what_names_no_cluster(reference: str, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        references.cluster_name(a_call(), reference)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterException", message)


@pytest.mark.parametrize("reference", [ID, f"c/{ID}", f"{HERE}:task/c/{ID}", f"{HERE}:task/{ID}"])
def test_tasks(reference: str) -> None:
    assert references.task_id(a_call(), "c", reference) == ID


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("abc", "taskId length should be one of [32,36]"),
        ("", "taskId length should be one of [32,36]"),
        (f"a/b/{ID}", "Invalid identifier: Unexpected number of separators"),
        (
            f"{HERE}:task/other/{ID}",
            "Invalid identifier: Identifier is for cluster other. Your cluster is c",
        ),
        (f"{HERE}:cluster/c", "The ARN provided is invalid."),
    ],
)
def test_what_names_no_task(reference: str, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        references.task_id(a_call(), "c", reference)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterException", message)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("web", DefinitionReference("web", None)),
        ("web:12", DefinitionReference("web", 12)),
        (f"{HERE}:task-definition/web:3", DefinitionReference("web", 3)),
        (f"{HERE}:task-definition/web", DefinitionReference("web", None)),
    ],
)
def test_definitions(reference: str, expected: DefinitionReference) -> None:
    assert references.definition_reference(a_call(), reference) == expected


@pytest.mark.parametrize("revision", ["x", "", "-1", "1:2", "99999999"])
def test_a_revision_is_a_number(revision: str) -> None:
    with pytest.raises(ServiceError, match="Invalid revision number"):
        references.definition_reference(a_call(), f"web:{revision}")


async def test_a_cluster_has_to_be_there_and_active() -> None:
    store, call = MemoryStore(), a_call()
    with pytest.raises(ServiceError, match="Cluster not found"):
        await store.read(lambda view: references.active_cluster(view, call, None))
    cluster = a_cluster()
    await store.write(lambda tx: tx.put(CLUSTERS, cluster))
    assert await store.read(lambda view: references.active_cluster(view, call, None)) == cluster
    gone = a_cluster(status=ClusterStatus.INACTIVE)
    await store.write(lambda tx: tx.put(CLUSTERS, gone))
    with pytest.raises(ServiceError, match="The referenced cluster was inactive"):
        await store.read(lambda view: references.active_cluster(view, call, None))


async def test_a_family_means_its_latest_active_revision() -> None:
    store, call = MemoryStore(), a_call()
    inactive = range(12, 60)

    def fill(tx):
        for revision in range(1, 60):
            status = "INACTIVE" if revision in inactive else "ACTIVE"
            tx.put(
                TASK_DEFINITIONS,
                a_task_definition("web", revision, status=TaskDefinitionStatus(status)),
            )
        tx.put(TASK_DEFINITIONS, a_task_definition("web-2", 99))

    await store.write(fill)

    def find(reference: str):
        return store.read(lambda view: references.find_definition(view, call, reference))

    assert (await find("web")).revision == 11
    assert (await find("web:12")).revision == 12
    assert await find("web:60") is None
    assert await find("we") is None
