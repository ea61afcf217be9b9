"""NAT gateways: ``CreateNatGateway`` and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import addresses, network, ranges, subnets, tagging
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.network import Subnet
from openecs.model.routing import NatGateway
from openecs.store.base import Transaction, View
from openecs.store.kinds import ADDRESSES, NAT_GATEWAYS

LISTING = Listing(
    answer="NatGateways",
    id="NatGatewayId",
    ids="NatGatewayIds",
    paths={
        "nat-gateway-id": "NatGatewayId",
        "state": "State",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    },
    missing=("NatGatewayNotFound", "The Nat Gateway {} was not found"),
    filters="Filter",
)


def create_nat_gateway(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateNatGateway``: a public one takes an elastic address that nobody has."""
    connectivity = request.get("ConnectivityType") or "public"
    subnet = subnets.existing(tx, call.scope, request["SubnetId"])
    if request.get("SecondaryAllocationIds") or request.get("SecondaryPrivateIpAddresses"):
        raise ServiceError("UnsupportedOperation", "Secondary addresses are not built.")
    gateway = NatGateway(
        scope=call.scope,
        id=tagging.new_id(call, "nat"),
        vpc_id=subnet.vpc_id,
        subnet_id=subnet.id,
        created_at=call.now,
        private_ip=_address(tx, subnet, request.get("PrivateIpAddress")),
        network_interface_id=tagging.new_id(call, "eni"),
        connectivity=connectivity,
        allocation_id=request.get("AllocationId"),
        tags=tagging.given(request, "natgateway"),
    )
    _check_connectivity(tx, gateway)
    network.write_down(tx, call.scope)
    if gateway.allocation_id:
        _take_address(tx, call, gateway, gateway.allocation_id)
    tx.put(NAT_GATEWAYS, gateway)
    return {"ClientToken": request.get("ClientToken"), "NatGateway": _shown(tx, gateway)}


def delete_nat_gateway(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteNatGateway``: its elastic address is free again."""
    gateway = existing(tx, call.scope, request["NatGatewayId"])
    if gateway.allocation_id:
        address = addresses.existing(tx, call.scope, gateway.allocation_id)
        tx.put(ADDRESSES, replace(address, association_id=None, nat_gateway_id=None))
    tx.delete(NAT_GATEWAYS, call.scope, gateway.id)
    return {"NatGatewayId": gateway.id}


def describe_nat_gateways(view: View, call: Call, request: Members) -> Members:
    """``DescribeNatGateways``."""
    return LISTING.describe(request, [_shown(view, one) for one in all_of(view, call.scope)])


def all_of(view: View, scope: Scope) -> Sequence[NatGateway]:
    """All NAT gateways of a region."""
    return view.scan(NAT_GATEWAYS, scope)


def existing(view: View, scope: Scope, gateway_id: str) -> NatGateway:
    """The NAT gateway. Raises ``NatGatewayNotFound``."""
    found = view.get(NAT_GATEWAYS, scope, gateway_id)
    if found is None:
        raise LISTING.unknown(gateway_id)
    return found


def _check_connectivity(view: View, gateway: NatGateway) -> None:
    if gateway.connectivity == "private" and gateway.allocation_id:
        text = "Private NAT gateways cannot have an elastic address."
        raise ServiceError("InvalidParameterCombination", text)
    if gateway.connectivity == "private":
        return
    if gateway.allocation_id is None:
        text = "The request must contain the parameter allocationId"
        raise ServiceError("MissingParameter", text)
    gateways = network.internet_gateways(view, gateway.scope)
    if all(one.vpc_id != gateway.vpc_id for one in gateways):
        text = f"Network {gateway.vpc_id} has no Internet gateway attached"
        raise ServiceError("Gateway.NotAttached", text)


def _take_address(tx: Transaction, call: Call, gateway: NatGateway, allocation_id: str) -> None:
    address = addresses.existing(tx, call.scope, allocation_id)
    if address.association_id is not None:
        text = f"Elastic IP address [{address.id}] is already associated"
        raise ServiceError("Resource.AlreadyAssociated", text)
    name = tagging.new_id(call, "eipassoc")
    tx.put(ADDRESSES, replace(address, association_id=name, nat_gateway_id=gateway.id))


def _address(view: View, subnet: Subnet, asked: str | None) -> str:
    """The private address asked for, or the first free one behind AWS's own four."""
    free = [str(one) for one in ranges.read(subnet.cidr)][4:-1]
    taken = {one.private_ip for one in all_of(view, subnet.scope) if one.subnet_id == subnet.id}
    if asked in taken:
        raise ServiceError("InvalidIPAddress.InUse", f"Address {asked} is in use.")
    if asked is not None and asked not in free:
        raise ServiceError(
            "InvalidParameterValue", "Address does not fall within the subnet's range"
        )
    if asked is not None:
        return asked
    for one in free:
        if one not in taken:
            return one
    text = f"Subnet {subnet.id} has no free addresses."
    raise ServiceError("InsufficientFreeAddressesInSubnet", text)


def _shown(view: View, gateway: NatGateway) -> Members:
    association = _association(view, gateway) or {}
    return {
        "NatGatewayId": gateway.id,
        "VpcId": gateway.vpc_id,
        "SubnetId": gateway.subnet_id,
        "State": "available",
        "CreateTime": gateway.created_at,
        "ConnectivityType": gateway.connectivity,
        "NatGatewayAddresses": [
            {
                "AllocationId": association.get("AllocationId"),
                "AssociationId": association.get("AssociationId"),
                "PublicIp": association.get("PublicIp"),
                "NetworkInterfaceId": gateway.network_interface_id,
                "PrivateIp": gateway.private_ip,
                "IsPrimary": True,
                "Status": "succeeded",
            }
        ],
        "Tags": tagging.shown(gateway.tags),
    }


def interface(view: View, gateway: NatGateway) -> Members:
    """The network interface of a NAT gateway."""
    subnet = subnets.existing(view, gateway.scope, gateway.subnet_id)
    own = {"Primary": True, "PrivateIpAddress": gateway.private_ip}
    return {
        "NetworkInterfaceId": gateway.network_interface_id,
        "InterfaceType": "nat_gateway",
        "Description": f"Interface for NAT Gateway {gateway.id}",
        "Association": _association(view, gateway),
        "AvailabilityZone": subnet.availability_zone,
        "Groups": [],
        "OwnerId": gateway.scope.account,
        "PrivateIpAddress": gateway.private_ip,
        "PrivateIpAddresses": [own],
        "RequesterManaged": True,
        "SourceDestCheck": False,
        "Status": "in-use",
        "SubnetId": subnet.id,
        "VpcId": gateway.vpc_id,
    }


def _association(view: View, gateway: NatGateway) -> Members | None:
    if gateway.allocation_id is None:
        return None
    address = addresses.existing(view, gateway.scope, gateway.allocation_id)
    return {
        "AllocationId": address.id,
        "AssociationId": address.association_id,
        "IpOwnerId": gateway.scope.account,
        "PublicIp": address.public_ip,
    }
