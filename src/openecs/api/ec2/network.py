"""VPCs, subnets and security groups as everybody finds them: stored ones, and those of the start.

A region's default network is computed until the first write there, which stores it
(``write_down``); from then on it is like any other, and may be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from openecs.decide.default_network import default_network
from openecs.model.identity import Scope
from openecs.model.network import NetworkStart, SecurityGroup, Subnet, Vpc
from openecs.store.base import Transaction, View
from openecs.store.kinds import NETWORK_STARTS, SECURITY_GROUPS, SUBNETS, VPCS


def write_down(tx: Transaction, scope: Scope) -> None:
    """Store the default network, unless that has been done. Before any change to a network."""
    if _is_written(tx, scope):
        return
    start = default_network(scope)
    tx.put(NETWORK_STARTS, NetworkStart(scope=scope))
    tx.put(VPCS, start.vpc)
    for one in start.subnets:
        tx.put(SUBNETS, one)
    tx.put(SECURITY_GROUPS, start.security_group)


def vpcs(view: View, scope: Scope) -> Sequence[Vpc]:
    """All VPCs of a region."""
    if _is_written(view, scope):
        return view.scan(VPCS, scope)
    return [default_network(scope).vpc]


def subnets(view: View, scope: Scope) -> Sequence[Subnet]:
    """All subnets of a region."""
    if _is_written(view, scope):
        return view.scan(SUBNETS, scope)
    return default_network(scope).subnets


def security_groups(view: View, scope: Scope) -> Sequence[SecurityGroup]:
    """All security groups of a region."""
    if _is_written(view, scope):
        return view.scan(SECURITY_GROUPS, scope)
    return [default_network(scope).security_group]


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


def _is_written(view: View, scope: Scope) -> bool:
    return view.get(NETWORK_STARTS, scope, "") is not None
