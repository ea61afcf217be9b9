"""Subnets. Amazon EC2 API Reference, ``CreateSubnet``, ``DescribeSubnets``."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ec2 import errors, network, tags, vpcs
from openecs.api.ec2.describing import Described, truth
from openecs.api.ec2.zones import zone_id
from openecs.decide.default_network import ZONES
from openecs.model.network import Subnet, Vpc
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS, SUBNETS

ERROR, NOUN = "InvalidSubnetID", "subnet ID"
LARGEST, SMALLEST = 16, 28
#: The first four addresses of a subnet and its last are nobody's.
RESERVED = 5


def create_subnet(tx: Transaction, call: Call, request: Members) -> Members:
    """A subnet of a VPC, in one zone."""
    network.write_down(tx, call.scope)
    vpc = vpcs.found(tx, call, request["VpcId"])
    subnet = Subnet(
        scope=call.scope,
        id=f"subnet-{call.ids.hex32()[:17]}",
        vpc_id=vpc.id,
        cidr=_cidr(tx, vpc, request.get("CidrBlock")),
        availability_zone=_zone(call, request),
        tags=tags.on_creation(request, "subnet"),
    )
    if request.get("DryRun"):
        raise errors.dry_run()
    tx.put(SUBNETS, subnet)
    return {"Subnet": show(subnet)}


def delete_subnet(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a subnet that nothing stands in."""
    network.write_down(tx, call.scope)
    subnet = _found(tx, call, request["SubnetId"])
    balancers = tx.scan(LOAD_BALANCERS, call.scope)
    if any(each.subnet_id == subnet.id for b in balancers for each in b.subnets):
        raise errors.in_use(f"The subnet '{subnet.id}' has dependencies and cannot be deleted.")
    if request.get("DryRun"):
        raise errors.dry_run()
    tx.delete(SUBNETS, call.scope, subnet.id)
    return {}


def describe_subnets(view: View, call: Call, request: Members) -> Members:
    """The subnets of the region."""
    return _SUBNETS.answer(network.subnets(view, call.scope), request)


def modify_subnet_attribute(tx: Transaction, call: Call, request: Members) -> Members:
    """Whether what starts in a subnet gets a public address; other attributes are not built."""
    network.write_down(tx, call.scope)
    subnet = _found(tx, call, request["SubnetId"])
    public = request.get("MapPublicIpOnLaunch")
    if public is None:
        raise errors.invalid_value("OpenECS knows of subnets MapPublicIpOnLaunch alone.")
    tx.put(SUBNETS, replace(subnet, map_public_ip_on_launch=bool(public.get("Value"))))
    return {}


def show(subnet: Subnet) -> Members:
    """The members of a subnet."""
    return {
        "SubnetId": subnet.id,
        "SubnetArn": subnet.arn,
        "VpcId": subnet.vpc_id,
        "OwnerId": subnet.scope.account,
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": zone_id(subnet.availability_zone),
        "AvailableIpAddressCount": _available(subnet),
        "AssignIpv6AddressOnCreation": False,
        "DefaultForAz": subnet.default_for_az,
        "EnableDns64": False,
        "Ipv6CidrBlockAssociationSet": [],
        "Ipv6Native": False,
        "MapCustomerOwnedIpOnLaunch": False,
        "MapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "State": "available",
        "Tags": tags.show(subnet.tags) or None,
    }


OPERATIONS: dict[str, Operation] = {
    "CreateSubnet": Writes(create_subnet),
    "DeleteSubnet": Writes(delete_subnet),
    "DescribeSubnets": Reads(describe_subnets),
    "ModifySubnetAttribute": Writes(modify_subnet_attribute),
}

_SUBNETS: Described[Subnet] = Described(
    ids="SubnetIds",
    results="Subnets",
    error=ERROR,
    noun=NOUN,
    id_of=lambda subnet: subnet.id,
    tags_of=lambda subnet: subnet.tags,
    facets={
        "availability-zone": lambda subnet: (subnet.availability_zone,),
        "availabilityZone": lambda subnet: (subnet.availability_zone,),
        "availability-zone-id": lambda subnet: (zone_id(subnet.availability_zone),),
        "availabilityZoneId": lambda subnet: (zone_id(subnet.availability_zone),),
        "available-ip-address-count": lambda subnet: (str(_available(subnet)),),
        "cidr": lambda subnet: (subnet.cidr,),
        "cidr-block": lambda subnet: (subnet.cidr,),
        "cidrBlock": lambda subnet: (subnet.cidr,),
        "default-for-az": lambda subnet: truth(value=subnet.default_for_az),
        "defaultForAz": lambda subnet: truth(value=subnet.default_for_az),
        "map-public-ip-on-launch": lambda subnet: truth(value=subnet.map_public_ip_on_launch),
        "owner-id": lambda subnet: (subnet.scope.account,),
        "state": lambda _: ("available",),
        "subnet-arn": lambda subnet: (subnet.arn,),
        "subnet-id": lambda subnet: (subnet.id,),
        "vpc-id": lambda subnet: (subnet.vpc_id,),
    },
    show=show,
)


def _found(view: View, call: Call, subnet_id: str) -> Subnet:
    subnet = network.subnet(view, call.scope, subnet_id)
    if subnet is None:
        raise errors.not_found(ERROR, NOUN, subnet_id)
    return subnet


def _available(subnet: Subnet) -> int:
    return ipaddress.ip_network(subnet.cidr).num_addresses - RESERVED


def _cidr(view: View, vpc: Vpc, given: str | None) -> str:
    if not given:
        raise errors.missing("CidrBlock")
    try:
        cidr = ipaddress.IPv4Network(given)
    except ValueError as error:
        raise errors.invalid_value(
            f"Value ({given}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ) from error
    is_sized = LARGEST <= cidr.prefixlen <= SMALLEST
    if not is_sized or not cidr.subnet_of(ipaddress.IPv4Network(vpc.cidr)):
        raise ServiceError("InvalidSubnet.Range", f"The CIDR '{given}' is invalid.")
    siblings = view.find(SUBNETS, vpc.scope, "vpc", (vpc.id,))
    if any(cidr.overlaps(ipaddress.IPv4Network(each.cidr)) for each in siblings):
        raise ServiceError(
            "InvalidSubnet.Conflict", f"The CIDR '{given}' conflicts with another subnet"
        )
    return str(cidr)


def _zone(call: Call, request: Members) -> str:
    zones = {f"{call.scope.region}{letter}" for letter in ZONES}
    by_id = {zone_id(zone): zone for zone in zones}
    given = request.get("AvailabilityZone") or by_id.get(request.get("AvailabilityZoneId") or "")
    if given is None and not request.get("AvailabilityZoneId"):
        return min(zones)
    if given not in zones:
        raise errors.invalid_value(
            f"Value ({given}) for parameter availabilityZone is invalid. Subnets can currently "
            f"only be created in the following availability zones: {', '.join(sorted(zones))}."
        )
    return str(given)
