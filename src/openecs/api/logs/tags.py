"""Tags of log groups, by ARN and, as it was before, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.logs import errors, references
from openecs.model.identity import parse_arn
from openecs.model.logs import LogGroup
from openecs.store.base import Transaction, View
from openecs.store.logs import LOG_GROUPS

_LIMIT = 50


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, where a group may have them all."""
    if len(tags) > _LIMIT:
        message = f"A resource can have at most {_LIMIT} tags"
        raise ServiceError("TooManyTagsException", message)
    if any(key.lower().startswith("aws:") for key in tags):
        raise errors.invalid("Tag keys cannot begin with aws:")
    return dict(tags)


def tag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags, or give those that are there new values."""
    return _add(tx, _of_arn(tx, call, request), request)


def untag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away."""
    return _take(tx, _of_arn(tx, call, request), request["tagKeys"])


def list_tags_for_resource(view: View, call: Call, request: Members) -> Members:
    """The tags of a group."""
    return {"tags": _of_arn(view, call, request).tags}


def tag_log_group(tx: Transaction, call: Call, request: Members) -> Members:
    """As TagResource."""
    return _add(tx, references.group(tx, call, request), request)


def untag_log_group(tx: Transaction, call: Call, request: Members) -> Members:
    """As UntagResource."""
    return _take(tx, references.group(tx, call, request), request["tags"])


def list_tags_log_group(view: View, call: Call, request: Members) -> Members:
    """As ListTagsForResource."""
    return {"tags": references.group(view, call, request).tags}


OPERATIONS: dict[str, Operation] = {
    "TagResource": Writes(tag_resource),
    "UntagResource": Writes(untag_resource),
    "ListTagsForResource": Reads(list_tags_for_resource),
    "TagLogGroup": Writes(tag_log_group),
    "UntagLogGroup": Writes(untag_log_group),
    "ListTagsLogGroup": Reads(list_tags_log_group),
}


def _add(tx: Transaction, group: LogGroup, request: Members) -> Members:
    tx.put(LOG_GROUPS, replace(group, tags=checked({**group.tags, **request["tags"]})))
    return {}


def _take(tx: Transaction, group: LogGroup, keys: list[str]) -> Members:
    left = {key: value for key, value in group.tags.items() if key not in set(keys)}
    tx.put(LOG_GROUPS, replace(group, tags=left))
    return {}


def _of_arn(view: View, call: Call, request: Members) -> LogGroup:
    arn = request["resourceArn"]
    if parse_arn(arn) is None:
        raise errors.invalid(f"Invalid ARN: {arn}")
    group = view.get(LOG_GROUPS, call.scope, references.name_of(arn))
    if group is None or group.arn != arn:
        raise errors.no_resource()
    return group
