"""Tags of scalable targets. Some of OpenECS's own say how fast target tracking looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openecs.api.application_autoscaling import errors, references, tracking_alarms
from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.model.scaling import ScalableTarget
from openecs.store.base import Transaction, View
from openecs.store.scaling import SCALABLE_TARGETS

_LIMIT = 50


def checked(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags, where a target may have them all."""
    if len(tags) > _LIMIT:
        raise ServiceError("TooManyTagsException", f"A resource can have at most {_LIMIT} tags")
    if any(key.lower().startswith("aws:") for key in tags):
        raise errors.validation("Tag keys cannot begin with aws:")
    if (problem := tracking_alarms.problem_of(tags)) is not None:
        raise errors.validation(problem)
    return dict(tags)


def tag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags, or give those that are there new values."""
    target = _target(tx, call, request)
    _write(tx, call, target, checked({**target.tags, **request["Tags"]}))
    return {}


def untag_resource(tx: Transaction, call: Call, request: Members) -> Members:
    """Take tags away."""
    target = _target(tx, call, request)
    gone = set(request["TagKeys"])
    _write(tx, call, target, {k: v for k, v in target.tags.items() if k not in gone})
    return {}


def list_tags_for_resource(view: View, call: Call, request: Members) -> Members:
    """The tags of a target."""
    return {"Tags": _target(view, call, request).tags}


OPERATIONS: dict[str, Operation] = {
    "TagResource": Writes(tag_resource),
    "UntagResource": Writes(untag_resource),
    "ListTagsForResource": Reads(list_tags_for_resource),
}


def _write(tx: Transaction, call: Call, target: ScalableTarget, tags: dict[str, str]) -> None:
    after = replace(target, tags=tags)
    tx.put(SCALABLE_TARGETS, after)
    pace = tracking_alarms.pace
    if pace(tags, call.settings) == pace(target.tags, call.settings):
        return
    for policy in references.policies(tx, after):
        if policy.tracking is not None:
            tracking_alarms.put(tx, call, after, policy)


def _target(view: View, call: Call, request: Members) -> ScalableTarget:
    arn = request["ResourceARN"]
    found = (t for t in view.scan(SCALABLE_TARGETS, call.scope) if t.arn == arn)
    target = next(found, None)
    if target is None:
        message = f"The specified resource doesn't exist: {arn}"
        raise ServiceError("ResourceNotFoundException", message, ResourceName=arn)
    return target
