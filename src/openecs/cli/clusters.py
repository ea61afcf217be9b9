"""Clusters and their tasks, as any AWS client sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openecs.cli.client import PAGE

Described = Mapping[str, Any]


def clusters(ecs: Any) -> list[Described]:
    """All clusters of the client's account and region."""
    arns = _listed(ecs, "list_clusters", "clusterArns")
    return [
        cluster
        for page in _pages(arns)
        for cluster in ecs.describe_clusters(clusters=page)["clusters"]
    ]


def tasks(ecs: Any, cluster: str) -> list[Described]:
    """The cluster's tasks that have not stopped yet, those on their way there included."""
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in _listed(ecs, "list_tasks", "taskArns", cluster=cluster, desiredStatus=status)
    ]
    return [task for task in describe(ecs, cluster, arns) if task["lastStatus"] != "STOPPED"]


def describe(ecs: Any, cluster: str, arns: Sequence[str]) -> list[Described]:
    """The tasks of those ARNs that can still be described."""
    return [
        task
        for page in _pages(arns)
        for task in ecs.describe_tasks(cluster=cluster, tasks=page)["tasks"]
    ]


def _listed(ecs: Any, operation: str, member: str, **request: str) -> list[str]:
    pages = ecs.get_paginator(operation).paginate(**request)
    return [arn for page in pages for arn in page[member]]


def _pages(arns: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(arns), PAGE):
        yield list(arns[start : start + PAGE])
