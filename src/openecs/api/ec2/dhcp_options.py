"""DHCP options: which name servers and which domain the tasks in a VPC have.

Amazon EC2 API Reference, ``CreateDhcpOptions`` and its neighbours. Name servers and domain are
those of awsvpc tasks that start from then on; containers have no use for the other options.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, tagging, vpcs
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.network import DEFAULT_DHCP_OPTIONS, DhcpOptions
from openecs.store.base import Transaction, View
from openecs.store.kinds import VPCS
from openecs.store.network import DHCP_OPTIONS

_MOST_VALUES = {
    "domain-name": 1,
    "domain-name-servers": 4,
    "ntp-servers": 4,
    "netbios-name-servers": 4,
    "netbios-node-type": 1,
}

LISTING = Listing(
    answer="DhcpOptions",
    id="DhcpOptionsId",
    ids="DhcpOptionsIds",
    paths={
        "dhcp-options-id": "DhcpOptionsId",
        "key": "DhcpConfigurations.Key",
        "owner-id": "OwnerId",
        "value": "DhcpConfigurations.Values.Value",
    },
    missing=("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{}' does not exist"),
)


def create_dhcp_options(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateDhcpOptions``."""
    options = DhcpOptions(
        scope=call.scope,
        id=tagging.new_id(call, "dopt"),
        configurations=_configurations(request["DhcpConfigurations"]),
        tags=tagging.given(request, "dhcp-options"),
    )
    network.write_down(tx, call.scope)
    tx.put(DHCP_OPTIONS, options)
    return {"DhcpOptions": _shown(options)}


def associate_dhcp_options(tx: Transaction, call: Call, request: Members) -> Members:
    """``AssociateDhcpOptions``: with a VPC, in place of others; ``default`` takes them away."""
    vpc = vpcs.existing(tx, call.scope, request["VpcId"])
    name = request["DhcpOptionsId"]
    if name != DEFAULT_DHCP_OPTIONS:
        existing(tx, call.scope, name)
    network.write_down(tx, call.scope)
    tx.put(VPCS, replace(vpc, dhcp_options_id=name))
    return {}


def delete_dhcp_options(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteDhcpOptions``: ``DependencyViolation`` while a VPC has them."""
    options = existing(tx, call.scope, request["DhcpOptionsId"])
    if any(vpc.dhcp_options_id == options.id for vpc in network.vpcs(tx, call.scope)):
        text = f"The dhcpOptions '{options.id}' has dependencies and cannot be deleted."
        raise ServiceError("DependencyViolation", text)
    tx.delete(DHCP_OPTIONS, call.scope, options.id)
    return {}


def describe_dhcp_options(view: View, call: Call, request: Members) -> Members:
    """``DescribeDhcpOptions``."""
    return LISTING.describe(request, [_shown(one) for one in view.scan(DHCP_OPTIONS, call.scope)])


def existing(view: View, scope: Scope, name: str) -> DhcpOptions:
    """The options. Raises ``InvalidDhcpOptionID.NotFound``."""
    found = view.get(DHCP_OPTIONS, scope, name)
    if found is None:
        raise LISTING.unknown(name)
    return found


def _configurations(given: Sequence[Members]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in given:
        key, values = each.get("Key") or "", tuple(each.get("Values") or ())
        if key not in _MOST_VALUES:
            text = f"Value ({key}) for parameter name is invalid. Unknown DHCP option"
            raise ServiceError("InvalidParameterValue", text)
        if not 1 <= len(values) <= _MOST_VALUES[key]:
            text = f"Value ({', '.join(values)}) for parameter {key} is invalid. Wrong value count"
            raise ServiceError("InvalidParameterValue", text)
        found[key] = values
    if not found:
        raise ServiceError("MissingParameter", "The request must contain DhcpConfigurations.")
    return found


def _shown(options: DhcpOptions) -> Members:
    return {
        "DhcpOptionsId": options.id,
        "DhcpConfigurations": [
            {"Key": key, "Values": [{"Value": value} for value in values]}
            for key, values in options.configurations.items()
        ],
        "OwnerId": options.scope.account,
        "Tags": tagging.shown(options.tags),
    }
