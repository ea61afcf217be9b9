"""VPCs, subnets and security groups as everybody finds them: stored ones, and those of the start.

A region's default network is computed until the first write there, which stores it
(``write_down``); from then on it is like any other, and may be deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from openecs.decide.default_network import DefaultNetwork, default_network
from openecs.model.identity import Scope
from openecs.model.network import NetworkStart, SecurityGroup, Subnet, Vpc
from openecs.store.base import Kind, Transaction, View
from openecs.store.kinds import (
    INTERNET_GATEWAYS,
    NETWORK_ACLS,
    NETWORK_STARTS,
    ROUTE_TABLES,
    SECURITY_GROUPS,
    SUBNETS,
    VPCS,
)

T = TypeVar("T")


def write_down(tx: Transaction, scope: Scope) -> None:
    """Store the default network, unless that has been done. Before any change to a network."""
    if _is_written(tx, scope):
        return
    tx.put(NETWORK_STARTS, NetworkStart(scope=scope))
    put_start(tx, default_network(scope))


def put_start(tx: Transaction, start: DefaultNetwork) -> None:
    """Store a default network."""
    tx.put(VPCS, start.vpc)
    for one in start.subnets:
        tx.put(SUBNETS, one)
    tx.put(SECURITY_GROUPS, start.security_group)
    tx.put(INTERNET_GATEWAYS, start.internet_gateway)
    tx.put(ROUTE_TABLES, start.route_table)
    tx.put(NETWORK_ACLS, start.network_acl)


def _is_written(view: View, scope: Scope) -> bool:
    return view.get(NETWORK_STARTS, scope, "") is not None


def _among(
    kind: Kind[T], at_start: Callable[[DefaultNetwork], Sequence[T]]
) -> Callable[[View, Scope], Sequence[T]]:
    def everything(view: View, scope: Scope) -> Sequence[T]:
        if _is_written(view, scope):
            return view.scan(kind, scope)
        return at_start(default_network(scope))

    return everything


#: All of a region, each.
vpcs = _among(VPCS, lambda start: [start.vpc])
subnets = _among(SUBNETS, lambda start: start.subnets)
security_groups = _among(SECURITY_GROUPS, lambda start: [start.security_group])
internet_gateways = _among(INTERNET_GATEWAYS, lambda start: [start.internet_gateway])
route_tables = _among(ROUTE_TABLES, lambda start: [start.route_table])
network_acls = _among(NETWORK_ACLS, lambda start: [start.network_acl])


def vpc(view: View, scope: Scope, vpc_id: str) -> Vpc | None:
    """The VPC, or None."""
    return next((one for one in vpcs(view, scope) if one.id == vpc_id), None)


def subnet(view: View, scope: Scope, subnet_id: str) -> Subnet | None:
    """The subnet, or None."""
    return next((one for one in subnets(view, scope) if one.id == subnet_id), None)


def security_group(view: View, scope: Scope, group_id: str) -> SecurityGroup | None:
    """The security group, or None."""
    return next((one for one in security_groups(view, scope) if one.id == group_id), None)


def default_security_group(view: View, scope: Scope, vpc_id: str) -> SecurityGroup | None:
    """The security group a VPC was made with, or None where there is no such VPC."""
    groups = security_groups(view, scope)
    return next((one for one in groups if (one.vpc_id, one.name) == (vpc_id, "default")), None)
