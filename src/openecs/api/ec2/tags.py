"""Tags of EC2 resources: given on creation, added and removed later.

Amazon EC2 API Reference, ``TagSpecification``, ``CreateTags``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ec2 import errors, network
from openecs.api.ec2.describing import Described
from openecs.model.identity import Scope
from openecs.store.base import Kind, Transaction, View
from openecs.store.kinds import SECURITY_GROUPS, SUBNETS, VPCS

LIMIT = 50

#: By the start of an id: the type filters name, the kind, how errors name it, where all are found.
_TAGGED: Mapping[str, tuple[str, Kind[Any], str, Callable[[View, Scope], Any]]] = {
    "vpc": ("vpc", VPCS, "InvalidVpcID", network.vpcs),
    "subnet": ("subnet", SUBNETS, "InvalidSubnetID", network.subnets),
    "sg": ("security-group", SECURITY_GROUPS, "InvalidGroup", network.security_groups),
}


def on_creation(request: Members, resource_type: str) -> dict[str, str]:
    """The tags a new resource of that type is to have. Raises ``ServiceError``."""
    given: dict[str, str] = {}
    for specification in request.get("TagSpecifications") or ():
        if specification.get("ResourceType") != resource_type:
            raise errors.invalid_value(
                f"'{specification.get('ResourceType')}' is not a valid taggable resource type for "
                "this operation."
            )
        given |= _given(specification.get("Tags") or ())
    return _checked(given)


def show(tags: Mapping[str, str]) -> list[Members]:
    """The tags as AWS shows them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def create_tags(tx: Transaction, call: Call, request: Members) -> Members:
    """Add tags to resources, in place of those of the same key."""
    given = _given(request["Tags"])
    for identifier in request["Resources"]:
        kind, resource = _found(tx, call, identifier)
        tx.put(kind, replace(resource, tags=_checked({**resource.tags, **given})))
    return {}


def delete_tags(tx: Transaction, call: Call, request: Members) -> Members:
    """Remove tags: those of a key, or of a key and value; without any, all of them."""
    wanted = request.get("Tags")
    for identifier in request["Resources"]:
        kind, resource = _found(tx, call, identifier)
        kept = {k: v for k, v in resource.tags.items() if wanted and not _names(wanted, k, v)}
        tx.put(kind, replace(resource, tags=kept))
    return {}


def describe_tags(view: View, call: Call, request: Members) -> Members:
    """The tags of the region's resources."""
    return _TAGS.answer(list(_all(view, call.scope)), request)


OPERATIONS: dict[str, Operation] = {
    "CreateTags": Writes(create_tags),
    "DeleteTags": Writes(delete_tags),
    "DescribeTags": Reads(describe_tags),
}

_Tag = tuple[str, str, str, str]

_TAGS: Described[_Tag] = Described(
    ids="",
    results="Tags",
    error="InvalidID",
    noun="ID",
    id_of=lambda tag: f"{tag[0]} {tag[2]}",
    tags_of=lambda tag: {tag[2]: tag[3]},
    facets={
        "resource-id": lambda tag: (tag[0],),
        "resource-type": lambda tag: (tag[1],),
        "key": lambda tag: (tag[2],),
        "value": lambda tag: (tag[3],),
    },
    show=lambda tag: {
        "ResourceId": tag[0],
        "ResourceType": tag[1],
        "Key": tag[2],
        "Value": tag[3],
    },
)


def _all(view: View, scope: Scope) -> Iterator[_Tag]:
    for resource_type, _, _, every in _TAGGED.values():
        for resource in every(view, scope):
            for key, value in resource.tags.items():
                yield resource.id, resource_type, key, value


def _found(tx: Transaction, call: Call, identifier: str) -> tuple[Kind[Any], Any]:
    network.write_down(tx, call.scope)
    known = _TAGGED.get(identifier.partition("-")[0])
    if known is None:
        raise ServiceError("InvalidID", f"The ID '{identifier}' is not valid")
    _, kind, error, _ = known
    resource = tx.get(kind, call.scope, identifier)
    if resource is None:
        raise errors.not_found(error, "ID", identifier)
    return kind, resource


def _given(tags: Any) -> dict[str, str]:
    given = {each.get("Key") or "": each.get("Value") or "" for each in tags}
    for key in given:
        if not key:
            raise errors.invalid_value("Tag keys cannot be empty.")
        if key.lower().startswith("aws:"):
            raise errors.invalid_value(
                "Value ( aws: ) for parameter key is invalid. Tag keys starting with 'aws:' are "
                "reserved for internal use"
            )
    return given


def _checked(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > LIMIT:
        raise ServiceError(
            "TagLimitExceeded", f"The maximum number of tags per resource is {LIMIT}."
        )
    return tags


def _names(wanted: Any, key: str, value: str) -> bool:
    return any(t.get("Key") == key and t.get("Value") in {None, value} for t in wanted)
