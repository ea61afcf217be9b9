"""Tags as requests carry them and answers show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openecs.api.base import Call, Members, ServiceError

#: Amazon EC2 User Guide, "Tag your Amazon EC2 resources".
_MOST_TAGS = 50


def shown(tags: Mapping[str, str]) -> list[Members] | None:
    """The ``Tags`` member; None, and so left out, where there are none."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())] or None


def given(request: Members, resource_type: str) -> dict[str, str]:
    """The tags that ``TagSpecifications`` gives the new resource.

    Raises ``InvalidParameterValue`` for a specification of another type of resource.
    """
    tags: dict[str, str] = {}
    for one in request.get("TagSpecifications") or ():
        if one.get("ResourceType") != resource_type:
            text = f"'{one.get('ResourceType')}' is not a valid taggable resource type"
            raise ServiceError("InvalidParameterValue", f"{text} for this operation.")
        tags |= read(one.get("Tags") or ())
    return checked(tags)


def read(tags: Sequence[Members]) -> dict[str, str]:
    """A request's list of tags; a missing value is an empty one."""
    return {one.get("Key", ""): one.get("Value") or "" for one in tags}


def checked(tags: dict[str, str]) -> dict[str, str]:
    """The tags. Raises ``TagLimitExceeded`` and ``InvalidParameterValue``."""
    if len(tags) > _MOST_TAGS:
        raise ServiceError("TagLimitExceeded", "The maximum number of Tags has been reached.")
    for key in tags:
        if key.lower().startswith("aws:"):
            text = f"Tag keys starting with 'aws:' are reserved for internal use: {key}"
            raise ServiceError("InvalidParameterValue", text)
    return tags


def new_id(call: Call, prefix: str) -> str:
    """A new identifier: the prefix and 17 hexadecimal digits."""
    return f"{prefix}-{call.ids.hex32()[:17]}"
