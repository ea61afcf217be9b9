"""Subnets: Amazon EC2 API Reference, ``CreateSubnet`` and its neighbours."""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, network_acls, ranges, tagging, task_interfaces, vpcs, zones
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.network import Subnet, Vpc
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS, NAT_GATEWAYS, ROUTE_TABLES, SUBNETS

#: The first four addresses of a subnet and its last are nobody's.
_RESERVED = 5

LISTING = Listing(
    answer="Subnets",
    id="SubnetId",
    ids="SubnetIds",
    paths={
        "availability-zone": "AvailabilityZone",
        "availabilityZone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "availabilityZoneId": "AvailabilityZoneId",
        "available-ip-address-count": "AvailableIpAddressCount",
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",
        "cidrBlock": "CidrBlock",
        "default-for-az": "DefaultForAz",
        "defaultForAz": "DefaultForAz",
        "map-public-ip-on-launch": "MapPublicIpOnLaunch",
        "owner-id": "OwnerId",
        "state": "State",
        "subnet-arn": "SubnetArn",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    },
    missing=("InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
)
#: What of ``ModifySubnetAttribute`` may only say what is so anyway.
_NOT_BUILT = (
    "AssignIpv6AddressOnCreation",
    "EnableDns64",
    "MapCustomerOwnedIpOnLaunch",
    "EnableResourceNameDnsARecordOnLaunch",
    "EnableResourceNameDnsAAAARecordOnLaunch",
)


def create_subnet(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateSubnet``: in the VPC's range and beside the other subnets."""
    if request.get("Ipv6CidrBlock") or request.get("Ipv6Native"):
        raise ServiceError("UnsupportedOperation", "Subnets with IPv6 ranges are not built.")
    if request.get("CidrBlock") is None:
        raise ServiceError("MissingParameter", "The request must contain the parameter cidrBlock")
    vpc = vpcs.existing(tx, call.scope, request["VpcId"])
    subnet = Subnet(
        scope=call.scope,
        id=tagging.new_id(call, "subnet"),
        vpc_id=vpc.id,
        cidr=_free(tx, vpc, request["CidrBlock"]),
        availability_zone=zones.chosen(call.scope.region, request),
        tags=tagging.given(request, "subnet"),
    )
    network.write_down(tx, call.scope)
    tx.put(SUBNETS, subnet)
    return {"Subnet": _shown(subnet, 0)}


def delete_subnet(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteSubnet``: ``DependencyViolation`` while something stands in it."""
    subnet = existing(tx, call.scope, request["SubnetId"])
    standing = [one.subnet_id for one in tx.scan(NAT_GATEWAYS, call.scope)]
    standing += [one.subnet_id for one in task_interfaces.of_tasks(tx, call.scope)]
    standing += [m.subnet_id for one in tx.scan(LOAD_BALANCERS, call.scope) for m in one.subnets]
    if subnet.id in standing:
        text = f"The subnet '{subnet.id}' has dependencies and cannot be deleted."
        raise ServiceError("DependencyViolation", text)
    network.write_down(tx, call.scope)
    for table in tx.scan(ROUTE_TABLES, call.scope):
        left = tuple(one for one in table.associations if one.subnet_id != subnet.id)
        tx.put(ROUTE_TABLES, replace(table, associations=left))
    network_acls.leave(tx, subnet)
    tx.delete(SUBNETS, call.scope, subnet.id)
    return {}


def describe_subnets(view: View, call: Call, request: Members) -> Members:
    """``DescribeSubnets``."""
    users = [one.subnet_id for one in view.scan(NAT_GATEWAYS, call.scope)]
    found = network.subnets(view, call.scope)
    return LISTING.describe(request, [_shown(one, users.count(one.id)) for one in found])


def modify_subnet_attribute(tx: Transaction, call: Call, request: Members) -> Members:
    """``ModifySubnetAttribute``: whether public addresses are mapped on launch."""
    subnet = existing(tx, call.scope, request["SubnetId"])
    for name in _NOT_BUILT:
        if (request.get(name) or {}).get("Value"):
            raise ServiceError("UnsupportedOperation", f"{name} is not built.")
    if (wanted := request.get("MapPublicIpOnLaunch")) is not None:
        network.write_down(tx, call.scope)
        tx.put(SUBNETS, replace(subnet, map_public_ip_on_launch=wanted["Value"]))
    return {}


def existing(view: View, scope: Scope, subnet_id: str) -> Subnet:
    """The subnet. Raises ``InvalidSubnetID.NotFound``."""
    found = network.subnet(view, scope, subnet_id)
    if found is None:
        raise LISTING.unknown(subnet_id)
    return found


def _free(view: View, vpc: Vpc, cidr: str) -> str:
    wanted = ranges.sized(cidr, "InvalidSubnet.Range")
    if not wanted.subnet_of(ranges.read(vpc.cidr)):
        raise ServiceError("InvalidSubnet.Range", f"The CIDR '{cidr}' is invalid.")
    for other in network.subnets(view, vpc.scope):
        if other.vpc_id == vpc.id and wanted.overlaps(ranges.read(other.cidr)):
            text = f"The CIDR '{cidr}' conflicts with another subnet"
            raise ServiceError("InvalidSubnet.Conflict", text)
    return str(wanted)


def _shown(subnet: Subnet, used: int) -> Members:
    return {
        "SubnetId": subnet.id,
        "SubnetArn": subnet.arn,
        "VpcId": subnet.vpc_id,
        "CidrBlock": subnet.cidr,
        "AvailabilityZone": subnet.availability_zone,
        "AvailabilityZoneId": zones.zone_id(subnet.availability_zone),
        "AvailableIpAddressCount": ranges.read(subnet.cidr).num_addresses - _RESERVED - used,
        "AssignIpv6AddressOnCreation": False,
        "DefaultForAz": subnet.default_for_az,
        "EnableDns64": False,
        "Ipv6CidrBlockAssociationSet": [],
        "Ipv6Native": False,
        "MapCustomerOwnedIpOnLaunch": False,
        "MapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
        "OwnerId": subnet.scope.account,
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
        "State": "available",
        "Tags": tagging.shown(subnet.tags),
    }
