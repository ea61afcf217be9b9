"""Tags of any resource: ``CreateTags``, ``DeleteTags``, ``DescribeTags``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, tagging
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.network import SecurityGroup
from openecs.store.base import Kind, Transaction, View
from openecs.store.kinds import (
    ADDRESSES,
    INTERNET_GATEWAYS,
    NAT_GATEWAYS,
    NETWORK_ACLS,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    SUBNETS,
    VPCS,
)
from openecs.store.network import DHCP_OPTIONS, PREFIX_LISTS, VPC_ENDPOINTS

Change = Callable[[dict[str, str]], dict[str, str]]

#: What ids begin with, to the kind they are of and AWS's name of its type.
KINDS: dict[str, tuple[Kind[Any], str]] = {
    "acl": (NETWORK_ACLS, "network-acl"),
    "dopt": (DHCP_OPTIONS, "dhcp-options"),
    "eipalloc": (ADDRESSES, "elastic-ip"),
    "igw": (INTERNET_GATEWAYS, "internet-gateway"),
    "nat": (NAT_GATEWAYS, "natgateway"),
    "pl": (PREFIX_LISTS, "prefix-list"),
    "rtb": (ROUTE_TABLES, "route-table"),
    "sg": (SECURITY_GROUPS, "security-group"),
    "subnet": (SUBNETS, "subnet"),
    "vpc": (VPCS, "vpc"),
    "vpce": (VPC_ENDPOINTS, "vpc-endpoint"),
}

LISTING = Listing(
    answer="Tags",
    id="Position",
    ids="",
    paths={
        "key": "Key",
        "resource-id": "ResourceId",
        "resource-type": "ResourceType",
        "value": "Value",
    },
    missing=("InvalidID", "The ID '{}' is not valid"),
)


def create_tags(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateTags``: new ones, and new values of old ones."""
    new = tagging.read(request["Tags"])
    for name in request["Resources"]:
        _change(tx, call.scope, name, lambda tags: tagging.checked(tags | new))
    return {}


def delete_tags(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteTags``: those named; with a value, where they have it; without names, all."""
    asked = request.get("Tags")

    def left(tags: dict[str, str]) -> dict[str, str]:
        if not asked:
            return {}
        gone = {(one["Key"], one.get("Value", tags.get(one["Key"]))) for one in asked}
        return {key: value for key, value in tags.items() if (key, value) not in gone}

    for name in request["Resources"]:
        _change(tx, call.scope, name, left)
    return {}


def describe_tags(view: View, call: Call, request: Members) -> Members:
    """``DescribeTags``."""
    answer = LISTING.describe(request, list(_all(view, call.scope)))
    tags = [{key: one[key] for key in one if key != "Position"} for one in answer["Tags"]]
    return {**answer, "Tags": tags}


def _change(tx: Transaction, scope: Scope, name: str, change: Change) -> None:
    network.write_down(tx, scope)
    if name.startswith("sgr-"):
        _change_rule(tx, scope, name, change)
        return
    prefix = name.partition("-")[0]
    if prefix not in KINDS:
        raise ServiceError("InvalidID", f"The ID '{name}' is not valid")
    kind, _ = KINDS[prefix]
    found = tx.get(kind, scope, name)
    if found is None:
        raise ServiceError("InvalidID", f"The ID '{name}' is not valid")
    tx.put(kind, replace(found, tags=change(found.tags)))


def _change_rule(tx: Transaction, scope: Scope, name: str, change: Change) -> None:
    for group in tx.scan(SECURITY_GROUPS, scope):
        if any(rule.id == name for rule in group.rules):
            tx.put(SECURITY_GROUPS, _with_rule(group, name, change))
            return
    raise ServiceError("InvalidID", f"The ID '{name}' is not valid")


def _with_rule(group: SecurityGroup, name: str, change: Change) -> SecurityGroup:
    rules = [replace(one, tags=change(one.tags)) if one.id == name else one for one in group.rules]
    return replace(group, rules=tuple(rules))


def _all(view: View, scope: Scope) -> Iterator[Members]:
    """Every tag; the default network has none before it is written down."""
    for kind, resource_type in KINDS.values():
        for one in view.scan(kind, scope):
            yield from _shown(one.id, resource_type, one.tags)
    for group in view.scan(SECURITY_GROUPS, scope):
        for rule in group.rules:
            yield from _shown(rule.id, "security-group-rule", rule.tags)


def _shown(name: str, resource_type: str, tags: dict[str, str]) -> Iterator[Members]:
    for key, value in tags.items():
        place = {"Position": f"{name}/{key}", "ResourceId": name, "ResourceType": resource_type}
        yield {**place, "Key": key, "Value": value}
