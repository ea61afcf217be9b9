"""Parts of what operations ask of policies.

Service Authorization Reference; IAM User Guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from openecs.api.base import Asked

Context = Mapping[str, tuple[str, ...]]


def request_tags(tags: Iterable[tuple[str, str]]) -> Context:
    """``aws:RequestTag/KEY`` and ``aws:TagKeys`` of the tags in a request."""
    pairs = list(tags)
    context: dict[str, tuple[str, ...]] = {
        f"aws:requesttag/{key.lower()}": (value,) for key, value in pairs
    }
    if pairs:
        context["aws:tagkeys"] = tuple(key for key, _ in pairs)
    return context


def resource_tags(tags: Mapping[str, str], prefix: str = "aws") -> Context:
    """``aws:ResourceTag/KEY`` of the tags of a resource, and the same of a service's prefix."""
    return {
        f"{each}:resourcetag/{key.lower()}": (value,)
        for each in {"aws", prefix}
        for key, value in tags.items()
    }


def pass_role(arn: str, to: str) -> Asked:
    """That the caller may hand a role to a service (``ecs-tasks.amazonaws.com``)."""
    return Asked(action="iam:PassRole", resource=arn, context={"iam:passedtoservice": (to,)})
