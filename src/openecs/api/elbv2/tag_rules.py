"""The rules for tags: at most 50, keys up to 128 characters, values up to 256, unique.

Elastic Load Balancing User Guide, "Tag an Application Load Balancer".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openecs.api.base import Members
from openecs.api.elbv2 import errors

_LIMIT = 50


def parse(
    tags: Sequence[Members] | None, existing: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The tags of a request, added to the ``existing`` ones.

    Raises ``DuplicateTagKeys``, ``TooManyTags``, ``ValidationError``.
    """
    given = {tag["Key"]: tag.get("Value") or "" for tag in tags or ()}
    if len(given) < len(tags or ()):
        raise errors.duplicate_tag_keys()
    for key in given:
        if key.lower().startswith("aws:"):
            raise errors.validation("Tag keys must not begin with 'aws:'")
    merged = {**(existing or {}), **given}
    if len(merged) > _LIMIT:
        raise errors.too_many("Tags", f"The number of tags cannot exceed '{_LIMIT}'")
    return merged


def show(tags: Mapping[str, str]) -> list[Members]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
