"""The network every region starts with: a default VPC and a subnet in each of three zones.

Amazon VPC User Guide, "Default VPCs".
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from openecs.model.identity import Scope
from openecs.model.network import SecurityGroup, SecurityGroupRule, Subnet, Vpc
from openecs.model.routing import (
    InternetGateway,
    NetworkAcl,
    NetworkAclEntry,
    Route,
    RouteTable,
    RouteTableAssociation,
)

CIDR = "172.31.0.0/16"
ZONES = ("a", "b", "c")

#: What a subnet of the default VPC has of its range.
_SUBNET_PREFIX = 20


@dataclass(frozen=True, slots=True)
class DefaultNetwork:
    """What there is before anybody has made anything."""

    vpc: Vpc
    subnets: Sequence[Subnet]
    security_group: SecurityGroup
    internet_gateway: InternetGateway
    route_table: RouteTable
    network_acl: NetworkAcl


def default_network(scope: Scope) -> DefaultNetwork:
    """The default network of a region; the same whenever it is asked for."""
    vpc = Vpc(
        scope=scope,
        id=_id("vpc", scope, "default"),
        cidr=CIDR,
        is_default=True,
        dns_hostnames=True,
    )
    ranges = ipaddress.ip_network(CIDR).subnets(new_prefix=_SUBNET_PREFIX)
    subnets = [
        Subnet(
            scope=scope,
            id=_id("subnet", scope, zone),
            vpc_id=vpc.id,
            cidr=str(cidr),
            availability_zone=f"{scope.region}{zone}",
            default_for_az=True,
            map_public_ip_on_launch=True,
        )
        for zone, cidr in zip(ZONES, ranges, strict=False)
    ]
    gateway = InternetGateway(scope=scope, id=_id("igw", scope, vpc.id), vpc_id=vpc.id)
    outside = Route(destination="0.0.0.0/0", target=gateway.id)
    return DefaultNetwork(
        vpc=vpc,
        subnets=subnets,
        security_group=default_security_group(scope, vpc.id),
        internet_gateway=gateway,
        route_table=main_route_table(scope, vpc.id, (outside,)),
        network_acl=default_network_acl(scope, vpc.id),
    )


def main_route_table(scope: Scope, vpc_id: str, routes: tuple[Route, ...] = ()) -> RouteTable:
    """The route table a VPC is made with."""
    main = RouteTableAssociation(id=_id("rtbassoc", scope, vpc_id))
    table = _id("rtb", scope, vpc_id)
    return RouteTable(scope=scope, id=table, vpc_id=vpc_id, routes=routes, associations=(main,))


def default_network_acl(scope: Scope, vpc_id: str) -> NetworkAcl:
    """The network ACL a VPC is made with: it lets everything through."""
    entries = tuple(
        NetworkAclEntry(number=number, is_egress=egress, allows=number == 100, cidr="0.0.0.0/0")
        for egress in (True, False)
        for number in (100, 32767)
    )
    return NetworkAcl(scope=scope, id=_id("acl", scope, vpc_id), vpc_id=vpc_id, entries=entries)


def closed_entries() -> tuple[NetworkAclEntry, ...]:
    """What a network ACL that somebody makes begins with: it lets nothing through."""
    return tuple(
        NetworkAclEntry(number=32767, is_egress=egress, allows=False, cidr="0.0.0.0/0")
        for egress in (True, False)
    )


def default_security_group(scope: Scope, vpc_id: str) -> SecurityGroup:
    """The group a VPC is made with: its members reach each other, and everything outside."""
    group = _id("sg", scope, vpc_id)
    return SecurityGroup(
        scope=scope,
        id=group,
        name="default",
        description="default VPC security group",
        vpc_id=vpc_id,
        rules=(
            SecurityGroupRule(
                id=_id("sgr", scope, f"{vpc_id}/in"),
                is_egress=False,
                protocol="-1",
                referenced_group=group,
            ),
            SecurityGroupRule(
                id=_id("sgr", scope, f"{vpc_id}/out"),
                is_egress=True,
                protocol="-1",
                cidr_ipv4="0.0.0.0/0",
            ),
        ),
    )


def _id(kind: str, scope: Scope, name: str) -> str:
    seed = f"{scope.account}/{scope.region}/{kind}/{name}"
    return f"{kind}-{hashlib.sha256(seed.encode()).hexdigest()[:17]}"
