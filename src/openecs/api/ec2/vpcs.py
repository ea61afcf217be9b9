"""VPCs: Amazon EC2 API Reference, ``CreateVpc`` and its neighbours."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, ranges, tagging
from openecs.api.ec2.describing import Listing
from openecs.decide import default_network as defaults
from openecs.model.identity import Scope
from openecs.model.network import SecurityGroup, Vpc
from openecs.model.routing import NetworkAcl, RouteTable
from openecs.store.base import Kind, Transaction, View
from openecs.store.kinds import (
    NAT_GATEWAYS,
    NETWORK_ACLS,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    VPCS,
)
from openecs.store.network import VPC_ENDPOINTS

#: What a VPC is made with, and goes with it.
Part = TypeVar("Part", SecurityGroup, RouteTable, NetworkAcl)

LISTING = Listing(
    answer="Vpcs",
    id="VpcId",
    ids="VpcIds",
    paths={
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",
        "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
        "cidr-block-association.association-id": "CidrBlockAssociationSet.AssociationId",
        "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
        "dhcp-options-id": "DhcpOptionsId",
        "is-default": "IsDefault",
        "isDefault": "IsDefault",
        "owner-id": "OwnerId",
        "state": "State",
        "vpc-id": "VpcId",
    },
    missing=("InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
)


def create_vpc(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateVpc``: with its security group, route table and network ACL."""
    if request.get("AmazonProvidedIpv6CidrBlock") or request.get("Ipv6CidrBlock"):
        raise ServiceError("UnsupportedOperation", "VPCs with IPv6 ranges are not built.")
    if request.get("CidrBlock") is None:
        raise ServiceError("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' is needed.")
    vpc = Vpc(
        scope=call.scope,
        id=tagging.new_id(call, "vpc"),
        cidr=str(ranges.sized(request["CidrBlock"], "InvalidVpc.Range")),
        instance_tenancy=request.get("InstanceTenancy") or "default",
        tags=tagging.given(request, "vpc"),
    )
    network.write_down(tx, call.scope)
    tx.put(VPCS, vpc)
    tx.put(SECURITY_GROUPS, defaults.default_security_group(call.scope, vpc.id))
    tx.put(ROUTE_TABLES, defaults.main_route_table(call.scope, vpc.id))
    tx.put(NETWORK_ACLS, defaults.default_network_acl(call.scope, vpc.id))
    return {"Vpc": _shown(vpc)}


def create_default_vpc(tx: Transaction, call: Call, _: Members) -> Members:
    """``CreateDefaultVpc``: the one a region starts with, where it has been deleted."""
    if any(one.is_default for one in network.vpcs(tx, call.scope)):
        text = "A Default VPC already exists for this account in this region."
        raise ServiceError("DefaultVpcAlreadyExists", text)
    start = defaults.default_network(call.scope)
    network.put_start(tx, start)
    return {"Vpc": _shown(start.vpc)}


def delete_vpc(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteVpc``: with what it was made with; ``DependencyViolation`` while more is in it."""
    vpc = existing(tx, call.scope, request["VpcId"])
    if _is_used(tx, vpc):
        text = f"The vpc '{vpc.id}' has dependencies and cannot be deleted."
        raise ServiceError("DependencyViolation", text)
    network.write_down(tx, call.scope)
    _delete_in(tx, vpc, SECURITY_GROUPS)
    _delete_in(tx, vpc, ROUTE_TABLES)
    _delete_in(tx, vpc, NETWORK_ACLS)
    tx.delete(VPCS, call.scope, vpc.id)
    return {}


def describe_vpcs(view: View, call: Call, request: Members) -> Members:
    """``DescribeVpcs``."""
    return LISTING.describe(request, [_shown(one) for one in network.vpcs(view, call.scope)])


def describe_vpc_attribute(view: View, call: Call, request: Members) -> Members:
    """``DescribeVpcAttribute``."""
    vpc = existing(view, call.scope, request["VpcId"])
    match request["Attribute"]:
        case "enableDnsSupport":
            return {"VpcId": vpc.id, "EnableDnsSupport": {"Value": vpc.dns_support}}
        case "enableDnsHostnames":
            return {"VpcId": vpc.id, "EnableDnsHostnames": {"Value": vpc.dns_hostnames}}
        case "enableNetworkAddressUsageMetrics":
            return {"VpcId": vpc.id, "EnableNetworkAddressUsageMetrics": {"Value": False}}
        case other:
            text = f"Value ({other}) for parameter attribute is invalid. Unknown VPC attribute."
            raise ServiceError("InvalidParameterValue", text)


def modify_vpc_attribute(tx: Transaction, call: Call, request: Members) -> Members:
    """``ModifyVpcAttribute``: DNS support and host names."""
    vpc = existing(tx, call.scope, request["VpcId"])
    if (request.get("EnableNetworkAddressUsageMetrics") or {}).get("Value"):
        raise ServiceError("UnsupportedOperation", "Network address usage metrics are not built.")
    support, names = request.get("EnableDnsSupport"), request.get("EnableDnsHostnames")
    changed = replace(
        vpc,
        dns_support=support["Value"] if support else vpc.dns_support,
        dns_hostnames=names["Value"] if names else vpc.dns_hostnames,
    )
    network.write_down(tx, call.scope)
    tx.put(VPCS, changed)
    return {}


def existing(view: View, scope: Scope, vpc_id: str) -> Vpc:
    """The VPC. Raises ``InvalidVpcID.NotFound``."""
    found = network.vpc(view, scope, vpc_id)
    if found is None:
        raise LISTING.unknown(vpc_id)
    return found


def _is_used(view: View, vpc: Vpc) -> bool:
    scope = vpc.scope
    holders = [
        *(one.vpc_id for one in network.subnets(view, scope)),
        *(one.vpc_id for one in network.security_groups(view, scope) if one.name != "default"),
        *(one.vpc_id for one in network.route_tables(view, scope) if not one.is_main),
        *(one.vpc_id for one in network.network_acls(view, scope) if not one.is_default),
        *(one.vpc_id for one in network.internet_gateways(view, scope)),
        *(one.vpc_id for one in view.scan(NAT_GATEWAYS, scope)),
        *(one.vpc_id for one in view.scan(VPC_ENDPOINTS, scope)),
    ]
    return vpc.id in holders


def _delete_in(tx: Transaction, vpc: Vpc, kind: Kind[Part]) -> None:
    for one in tx.scan(kind, vpc.scope):
        if one.vpc_id == vpc.id:
            tx.delete(kind, vpc.scope, one.id)


def _shown(vpc: Vpc) -> Members:
    return {
        "VpcId": vpc.id,
        "CidrBlock": vpc.cidr,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": f"vpc-cidr-assoc-{vpc.id.removeprefix('vpc-')}",
                "CidrBlock": vpc.cidr,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "DhcpOptionsId": vpc.dhcp_options_id,
        "InstanceTenancy": vpc.instance_tenancy,
        "IsDefault": vpc.is_default,
        "OwnerId": vpc.scope.account,
        "State": "available",
        "Tags": tagging.shown(vpc.tags),
    }
