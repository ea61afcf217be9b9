"""Elastic addresses: Amazon EC2 API Reference, ``AllocateAddress`` and its neighbours.

They are of a range set aside for documentation (RFC 5737), since a server of one's own has no
public addresses to give; a NAT gateway may be made with one.
"""

from __future__ import annotations

import ipaddress

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, tagging
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.routing import Address
from openecs.store.base import Transaction, View
from openecs.store.kinds import ADDRESSES, NAT_GATEWAYS

_RANGE = ipaddress.IPv4Network("203.0.113.0/24")

LISTING = Listing(
    answer="Addresses",
    id="AllocationId",
    ids="AllocationIds",
    paths={
        "allocation-id": "AllocationId",
        "association-id": "AssociationId",
        "domain": "Domain",
        "network-border-group": "NetworkBorderGroup",
        "network-interface-id": "NetworkInterfaceId",
        "private-ip-address": "PrivateIpAddress",
        "public-ip": "PublicIp",
    },
    missing=("InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
)


def allocate_address(tx: Transaction, call: Call, request: Members) -> Members:
    """``AllocateAddress``: ``AddressLimitExceeded`` when the range is used up."""
    if request.get("Domain") not in {None, "vpc"} or request.get("Address"):
        raise ServiceError("UnsupportedOperation", "Addresses are given out for VPCs, unchosen.")
    taken = {one.public_ip for one in tx.scan(ADDRESSES, call.scope)}
    free = next((str(one) for one in _RANGE.hosts() if str(one) not in taken), None)
    if free is None:
        text = "The maximum number of addresses has been reached."
        raise ServiceError("AddressLimitExceeded", text)
    tags = tagging.given(request, "elastic-ip")
    name = tagging.new_id(call, "eipalloc")
    network.write_down(tx, call.scope)
    tx.put(ADDRESSES, Address(scope=call.scope, id=name, public_ip=free, tags=tags))
    return {
        "AllocationId": name,
        "PublicIp": free,
        "Domain": "vpc",
        "NetworkBorderGroup": call.scope.region,
        "PublicIpv4Pool": "amazon",
    }


def release_address(tx: Transaction, call: Call, request: Members) -> Members:
    """``ReleaseAddress``: ``InvalidIPAddress.InUse`` while a NAT gateway has it."""
    if request.get("AllocationId") is None:
        raise ServiceError(
            "MissingParameter", "Either public IP or allocation id must be specified"
        )
    address = existing(tx, call.scope, request["AllocationId"])
    if address.association_id is not None:
        raise ServiceError("InvalidIPAddress.InUse", f"Address {address.public_ip} is in use.")
    tx.delete(ADDRESSES, call.scope, address.id)
    return {}


def disassociate_address(view: View, call: Call, request: Members) -> Members:
    """``DisassociateAddress``: refused, since only NAT gateways have addresses, to their end."""
    name = request.get("AssociationId")
    if any(one.association_id == name for one in view.scan(ADDRESSES, call.scope) if name):
        text = "You do not have permission to access the specified resource."
        raise ServiceError("AuthFailure", text)
    text = f"The association ID '{name}' does not exist"
    raise ServiceError("InvalidAssociationID.NotFound", text)


def describe_addresses(view: View, call: Call, request: Members) -> Members:
    """``DescribeAddresses``: by allocation ids, public addresses, filters."""
    found = [_shown(view, one) for one in view.scan(ADDRESSES, call.scope)]
    for wanted in request.get("PublicIps") or ():
        if wanted not in [one["PublicIp"] for one in found]:
            raise ServiceError("InvalidAddress.NotFound", f"Address '{wanted}' not found.")
    if ips := request.get("PublicIps"):
        found = [one for one in found if one["PublicIp"] in ips]
    return {"Addresses": LISTING.describe(request, found)["Addresses"]}


def describe_addresses_attribute(view: View, call: Call, request: Members) -> Members:
    """``DescribeAddressesAttribute``: no address has a domain name of its own."""
    wanted = request.get("AllocationIds") or ()
    found = [existing(view, call.scope, one) for one in wanted] or view.scan(ADDRESSES, call.scope)
    return {"Addresses": [{"AllocationId": one.id, "PublicIp": one.public_ip} for one in found]}


def existing(view: View, scope: Scope, allocation_id: str) -> Address:
    """The address. Raises ``InvalidAllocationID.NotFound``."""
    found = view.get(ADDRESSES, scope, allocation_id)
    if found is None:
        raise LISTING.unknown(allocation_id)
    return found


def _shown(view: View, address: Address) -> Members:
    nat = view.get(NAT_GATEWAYS, address.scope, address.nat_gateway_id or "")
    return {
        "AllocationId": address.id,
        "AssociationId": address.association_id,
        "Domain": "vpc",
        "NetworkBorderGroup": address.scope.region,
        "NetworkInterfaceId": nat.network_interface_id if nat else None,
        "NetworkInterfaceOwnerId": address.scope.account if nat else None,
        "PrivateIpAddress": nat.private_ip if nat else None,
        "PublicIp": address.public_ip,
        "PublicIpv4Pool": "amazon",
        "Tags": tagging.shown(address.tags),
    }
