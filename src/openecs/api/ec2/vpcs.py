"""VPCs. Amazon EC2 API Reference, ``CreateVpc``, ``DescribeVpcs``, ``ModifyVpcAttribute``."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, ServiceError, Writes
from openecs.api.ec2 import errors, network, tags
from openecs.api.ec2.describing import Described, truth
from openecs.decide.default_network import default_security_group
from openecs.model.network import Vpc
from openecs.store.base import Transaction, View
from openecs.store.kinds import SECURITY_GROUPS, SUBNETS, VPCS

ERROR, NOUN = "InvalidVpcID", "vpc ID"
LARGEST, SMALLEST = 16, 28


def create_vpc(tx: Transaction, call: Call, request: Members) -> Members:
    """A VPC with its default security group."""
    network.write_down(tx, call.scope)
    vpc = Vpc(
        scope=call.scope,
        id=f"vpc-{call.ids.hex32()[:17]}",
        cidr=_cidr(request.get("CidrBlock")),
        instance_tenancy=request.get("InstanceTenancy") or "default",
        tags=tags.on_creation(request, "vpc"),
    )
    if request.get("DryRun"):
        raise errors.dry_run()
    tx.put(VPCS, vpc)
    tx.put(SECURITY_GROUPS, default_security_group(call.scope, vpc.id))
    return {"Vpc": show(vpc)}


def delete_vpc(tx: Transaction, call: Call, request: Members) -> Members:
    """Delete a VPC that nothing is in but its default security group."""
    network.write_down(tx, call.scope)
    vpc = found(tx, call, request["VpcId"])
    groups = tx.find(SECURITY_GROUPS, call.scope, "vpc", (vpc.id,))
    others = [group for group in groups if group.name != "default"]
    if others or tx.find(SUBNETS, call.scope, "vpc", (vpc.id,)):
        raise errors.in_use(f"The vpc '{vpc.id}' has dependencies and cannot be deleted.")
    if request.get("DryRun"):
        raise errors.dry_run()
    for group in groups:
        tx.delete(SECURITY_GROUPS, call.scope, group.id)
    tx.delete(VPCS, call.scope, vpc.id)
    return {}


def describe_vpcs(view: View, call: Call, request: Members) -> Members:
    """The VPCs of the region."""
    return _VPCS.answer(network.vpcs(view, call.scope), request)


def describe_vpc_attribute(view: View, call: Call, request: Members) -> Members:
    """One attribute of a VPC."""
    vpc = found(view, call, request["VpcId"])
    match request["Attribute"]:
        case "enableDnsSupport":
            shown: Members = {"EnableDnsSupport": {"Value": vpc.dns_support}}
        case "enableDnsHostnames":
            shown = {"EnableDnsHostnames": {"Value": vpc.dns_hostnames}}
        case _:
            shown = {"EnableNetworkAddressUsageMetrics": {"Value": False}}
    return {"VpcId": vpc.id, **shown}


def modify_vpc_attribute(tx: Transaction, call: Call, request: Members) -> Members:
    """Whether instances get names, and can ask for them."""
    network.write_down(tx, call.scope)
    vpc = found(tx, call, request["VpcId"])
    if (request.get("EnableNetworkAddressUsageMetrics") or {}).get("Value"):
        raise errors.invalid_value("OpenECS has no network address usage metrics.")
    support, names = request.get("EnableDnsSupport"), request.get("EnableDnsHostnames")
    tx.put(
        VPCS,
        replace(
            vpc,
            dns_support=vpc.dns_support if support is None else bool(support.get("Value")),
            dns_hostnames=vpc.dns_hostnames if names is None else bool(names.get("Value")),
        ),
    )
    return {}


def found(view: View, call: Call, vpc_id: str) -> Vpc:
    """The VPC. Raises ``InvalidVpcID.NotFound``."""
    vpc = network.vpc(view, call.scope, vpc_id)
    if vpc is None:
        raise errors.not_found(ERROR, NOUN, vpc_id)
    return vpc


def show(vpc: Vpc) -> Members:
    """The members of a VPC."""
    return {
        "VpcId": vpc.id,
        "OwnerId": vpc.scope.account,
        "CidrBlock": vpc.cidr,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": f"vpc-cidr-assoc-{vpc.id.removeprefix('vpc-')}",
                "CidrBlock": vpc.cidr,
                "CidrBlockState": {"State": "associated"},
            }
        ],
        "DhcpOptionsId": "default",
        "InstanceTenancy": vpc.instance_tenancy,
        "IsDefault": vpc.is_default,
        "State": "available",
        "Tags": tags.show(vpc.tags) or None,
    }


OPERATIONS: dict[str, Operation] = {
    "CreateVpc": Writes(create_vpc),
    "DeleteVpc": Writes(delete_vpc),
    "DescribeVpcs": Reads(describe_vpcs),
    "DescribeVpcAttribute": Reads(describe_vpc_attribute),
    "ModifyVpcAttribute": Writes(modify_vpc_attribute),
}

_VPCS: Described[Vpc] = Described(
    ids="VpcIds",
    results="Vpcs",
    error=ERROR,
    noun=NOUN,
    id_of=lambda vpc: vpc.id,
    tags_of=lambda vpc: vpc.tags,
    facets={
        "cidr": lambda vpc: (vpc.cidr,),
        "cidr-block-association.cidr-block": lambda vpc: (vpc.cidr,),
        "cidr-block-association.state": lambda _: ("associated",),
        "dhcp-options-id": lambda _: ("default",),
        "is-default": lambda vpc: truth(value=vpc.is_default),
        "isDefault": lambda vpc: truth(value=vpc.is_default),
        "owner-id": lambda vpc: (vpc.scope.account,),
        "state": lambda _: ("available",),
        "vpc-id": lambda vpc: (vpc.id,),
    },
    show=show,
)


def _cidr(given: str | None) -> str:
    if not given:
        raise errors.missing("CidrBlock")
    try:
        cidr = ipaddress.IPv4Network(given)
    except ValueError as error:
        raise errors.invalid_value(
            f"Value ({given}) for parameter cidrBlock is invalid. This is not a valid CIDR block."
        ) from error
    if not LARGEST <= cidr.prefixlen <= SMALLEST:
        raise ServiceError("InvalidVpc.Range", f"The CIDR '{given}' is invalid.")
    return str(cidr)
