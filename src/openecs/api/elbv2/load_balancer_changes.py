"""SetSubnets, SetSecurityGroups, SetIpAddressType: where a load balancer stands from now on.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Writes
from openecs.api.elbv2 import errors, load_balancer_network, load_balancer_views, references
from openecs.model.load_balancing import LoadBalancerType
from openecs.store.base import Transaction
from openecs.store.kinds import LOAD_BALANCERS


def set_subnets(tx: Transaction, call: Call, request: Members) -> Members:
    """Give a load balancer other subnets of its VPC."""
    balancer = references.load_balancer(tx, call, request["LoadBalancerArn"])
    load_balancer_network.check_ip_address_type(request.get("IpAddressType") or "ipv4")
    place = load_balancer_network.place(tx, call, request, balancer.type, balancer.scheme)
    if place.vpc_id != balancer.vpc_id:
        raise errors.invalid_configuration(
            "The subnets must belong to the same VPC as the load balancer"
        )
    if balancer.type is LoadBalancerType.NETWORK:
        kept = {mapping.subnet_id for mapping in place.subnets}
        if not {mapping.subnet_id for mapping in balancer.subnets} <= kept:
            raise errors.invalid_subnet(
                "Subnet removal is not supported for Network Load Balancers"
            )
    changed = replace(balancer, subnets=place.subnets)
    tx.put(LOAD_BALANCERS, changed)
    return {
        "AvailabilityZones": load_balancer_views.zones(changed),
        "IpAddressType": changed.ip_address_type,
    }


def set_security_groups(tx: Transaction, call: Call, request: Members) -> Members:
    """Give a load balancer other security groups; a network one must have been made with some."""
    balancer = references.load_balancer(tx, call, request["LoadBalancerArn"])
    if balancer.type is LoadBalancerType.NETWORK and not balancer.security_groups:
        raise errors.invalid_configuration(
            "Security groups cannot be associated with a network load balancer that was created "
            "without security groups"
        )
    given = request["SecurityGroups"]
    if not given:
        raise errors.invalid_configuration("A security group must be specified")
    groups = load_balancer_network.security_groups(tx, call, given, balancer.vpc_id, balancer.type)
    changed = replace(balancer, security_groups=groups)
    tx.put(LOAD_BALANCERS, changed)
    return {
        "SecurityGroupIds": list(groups),
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": (
            load_balancer_views.private_link_rules(changed)
        ),
    }


def set_ip_address_type(tx: Transaction, call: Call, request: Members) -> Members:
    """Have a load balancer speak IPv4, which is all that subnets have here."""
    balancer = references.load_balancer(tx, call, request["LoadBalancerArn"])
    load_balancer_network.check_ip_address_type(request["IpAddressType"])
    return {"IpAddressType": balancer.ip_address_type}


OPERATIONS: dict[str, Operation] = {
    "SetSubnets": Writes(set_subnets),
    "SetSecurityGroups": Writes(set_security_groups),
    "SetIpAddressType": Writes(set_ip_address_type),
}
