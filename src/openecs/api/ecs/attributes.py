"""Custom attributes of container instances, for placement constraints and strategies to look at.

Rules: Amazon ECS API Reference, ``Attribute``; Developer Guide, "Custom attributes".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors, references
from openecs.api.ecs.paging import open_page
from openecs.model.clusters import Cluster, ContainerInstance, ContainerInstanceStatus
from openecs.model.task_definitions import Attribute
from openecs.store.base import Transaction, View
from openecs.store.kinds import CONTAINER_INSTANCES, instance_key

LIMIT = 10

_NAME = re.compile(r"[A-Za-z0-9_./\\-]{1,128}")
_VALUE = re.compile(r"[A-Za-z0-9_.@:/\\ -]{1,128}")
_RESERVED = ("ecs.", "com.amazonaws.")


def put_attributes(tx: Transaction, call: Call, request: Members) -> Members:
    """Set attributes of container instances, up to 10 custom ones each."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    given = _checked(request["attributes"])
    for target, attributes in _by_target(call, cluster, given).items():
        instance = _instance(tx, cluster, target)
        merged = {each.name: each for each in instance.attributes}
        for attribute in attributes:
            _check(attribute)
            merged[attribute["name"]] = Attribute(
                name=attribute["name"], value=attribute.get("value")
            )
        if sum(not _is_reserved(name) for name in merged) > LIMIT:
            raise errors.attribute_limit()
        _put(tx, instance, tuple(merged.values()))
    return {"attributes": _echo(call, cluster, given)}


def delete_attributes(tx: Transaction, call: Call, request: Members) -> Members:
    """Take attributes away; a value, where given, must be the one they have."""
    cluster = references.active_cluster(tx, call, request.get("cluster"))
    given = _checked(request["attributes"])
    for target, attributes in _by_target(call, cluster, given).items():
        instance = _instance(tx, cluster, target)
        for attribute in attributes:
            _check(attribute)
        kept = tuple(
            each
            for each in instance.attributes
            if not any(_means(attribute, each) for attribute in attributes)
        )
        _put(tx, instance, kept)
    return {"attributes": _echo(call, cluster, given)}


def list_attributes(view: View, call: Call, request: Members) -> Members:
    """The attributes of a cluster's container instances, of one name and value if given."""
    cluster = references.active_cluster(view, call, request.get("cluster"))
    _check_target_type(request["targetType"])
    name, value = request.get("attributeName"), request.get("attributeValue")
    if value is not None and name is None:
        raise errors.invalid_parameter("attributeName must be specified with attributeValue")
    page = open_page(call, "ListAttributes", request)
    found = [
        (key, instance, attribute)
        for key, instance, attribute in _all(view, cluster)
        if key > page.after and name in {None, attribute.name} and value in {None, attribute.value}
    ]
    shown, token = page.cut(found, lambda entry: entry[0])
    return {
        "attributes": [_show(attribute, instance.arn) for _, instance, attribute in shown],
        "nextToken": token,
    }


OPERATIONS: dict[str, Operation] = {
    "PutAttributes": Writes(put_attributes),
    "DeleteAttributes": Writes(delete_attributes),
    "ListAttributes": Reads(list_attributes),
}


def _checked(attributes: Sequence[Members]) -> Sequence[Members]:
    if not attributes:
        raise errors.invalid_parameter("Attributes cannot be empty.")
    if len(attributes) > LIMIT:
        raise errors.invalid_parameter(f"Attributes cannot have more than {LIMIT} elements.")
    for attribute in attributes:
        if attribute.get("targetType") is not None:
            _check_target_type(attribute["targetType"])
        if not attribute.get("targetId"):
            raise errors.invalid_parameter("targetId should not be null or empty")
    return attributes


def _check_target_type(target_type: str) -> None:
    if target_type != "container-instance":
        raise errors.invalid_parameter("targetType must be container-instance")


def _by_target(
    call: Call, cluster: Cluster, attributes: Sequence[Members]
) -> dict[str, list[Members]]:
    targets: dict[str, list[Members]] = defaultdict(list)
    for attribute in attributes:
        target = references.instance_id(call, cluster.name, attribute["targetId"])
        targets[target].append(attribute)
    return targets


def _instance(view: View, cluster: Cluster, identifier: str) -> ContainerInstance:
    found = view.get(CONTAINER_INSTANCES, cluster.scope, instance_key(cluster.name, identifier))
    if found is None or found.status is ContainerInstanceStatus.INACTIVE:
        raise errors.target_not_found(identifier)
    return found


def _check(attribute: Members) -> None:
    name, value = attribute["name"], attribute.get("value")
    if not _NAME.fullmatch(name):
        raise errors.invalid_parameter(f"Invalid attribute name: {name}")
    if value is not None and (not _VALUE.fullmatch(value) or value != value.strip()):
        raise errors.invalid_parameter(f"Invalid attribute value: {value}")
    if _is_reserved(name):
        raise errors.invalid_parameter(f"The attribute {name} is reserved and cannot be changed.")


def _is_reserved(name: str) -> bool:
    return name.startswith(_RESERVED)


def _means(attribute: Members, existing: Attribute) -> bool:
    value = attribute.get("value")
    return attribute["name"] == existing.name and value in {None, existing.value}


def _put(tx: Transaction, instance: ContainerInstance, attributes: tuple[Attribute, ...]) -> None:
    if attributes != instance.attributes:
        changed = replace(instance, attributes=attributes, version=instance.version + 1)
        tx.put(CONTAINER_INSTANCES, changed)


def _all(view: View, cluster: Cluster) -> Iterator[tuple[str, ContainerInstance, Attribute]]:
    """Every attribute under the key that orders it."""
    for instance in view.scan(CONTAINER_INSTANCES, cluster.scope, prefix=f"{cluster.name}/"):
        if instance.status is not ContainerInstanceStatus.INACTIVE:
            for attribute in sorted(instance.attributes, key=lambda each: each.name):
                yield f"{instance.id}/{attribute.name}", instance, attribute


def _echo(call: Call, cluster: Cluster, attributes: Sequence[Members]) -> list[Members]:
    shown: list[Members] = []
    for attribute in attributes:
        identifier = references.instance_id(call, cluster.name, attribute["targetId"])
        arn = cluster.scope.arn("ecs", f"container-instance/{cluster.name}/{identifier}")
        shown.append(_show(Attribute(name=attribute["name"], value=attribute.get("value")), arn))
    return shown


def _show(attribute: Attribute, target: str) -> dict[str, str | None]:
    return {
        "name": attribute.name,
        "value": attribute.value,
        "targetType": "container-instance",
        "targetId": target,
    }
