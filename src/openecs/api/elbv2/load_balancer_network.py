"""Where a load balancer stands: its subnets and their zones, its security groups.

Elastic Load Balancing API Reference, CreateLoadBalancer, SetSubnets, SetSecurityGroups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network
from openecs.api.elbv2 import errors
from openecs.model.load_balancing import LoadBalancerType, Scheme, SubnetMapping
from openecs.model.network import Subnet
from openecs.store.base import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The subnets of a load balancer, all of one VPC."""

    vpc_id: str
    subnets: tuple[SubnetMapping, ...]


def place(
    view: View, call: Call, request: Members, type_: LoadBalancerType, scheme: Scheme
) -> Place:
    """What ``Subnets`` or ``SubnetMappings`` of a request name.

    Raises ``SubnetNotFound``, ``ValidationError``, ``InvalidConfigurationRequest``,
    ``AllocationIdNotFound``.
    """
    mappings = _mappings(request)
    _check_count(mappings, type_)
    subnets = [_subnet(view, call, each["SubnetId"]) for each in mappings]
    if len({subnet.vpc_id for subnet in subnets}) > 1:
        raise errors.invalid_configuration("The subnets must all belong to the same VPC")
    zones = {subnet.availability_zone for subnet in subnets}
    if len(zones) < len(subnets):
        raise errors.invalid_configuration(
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        )
    return Place(
        vpc_id=subnets[0].vpc_id,
        subnets=tuple(
            _mapping(subnet, each, internal_network=(type_, scheme) == _WITH_ADDRESSES)
            for subnet, each in zip(subnets, mappings, strict=True)
        ),
    )


def security_groups(
    view: View, call: Call, given: Sequence[str] | None, vpc_id: str, type_: LoadBalancerType
) -> tuple[str, ...]:
    """The given security groups; the VPC's own where an application load balancer has none given.

    Raises ``InvalidConfigurationRequest`` for one that is not there, or of another VPC.
    """
    for each in given or ():
        group = network.security_group(view, call.scope, each)
        if group is None or group.vpc_id != vpc_id:
            raise errors.invalid_configuration("One or more security groups are invalid")
    if given or type_ is LoadBalancerType.NETWORK:
        return tuple(dict.fromkeys(given or ()))
    default = network.default_security_group(view, call.scope, vpc_id)
    if default is None:
        raise errors.invalid_configuration("A security group must be specified")
    return (default.id,)


def check_ip_address_type(ip_address_type: str) -> None:
    """Raise ``InvalidSubnet`` for IPv6, which subnets here have none of."""
    if ip_address_type != "ipv4":
        raise errors.invalid_subnet("You must specify subnets with an associated IPv6 CIDR block")


#: Only internal network load balancers are given addresses of their subnets.
_WITH_ADDRESSES = (LoadBalancerType.NETWORK, Scheme.INTERNAL)


def _mappings(request: Members) -> Sequence[Members]:
    subnets, mappings = request.get("Subnets"), request.get("SubnetMappings")
    if subnets and mappings:
        raise errors.validation("Subnets and subnet mappings cannot be specified at the same time")
    if mappings:
        if any(not each.get("SubnetId") for each in mappings):
            raise errors.validation("A subnet ID must be specified in each subnet mapping")
        return list(mappings)
    return [{"SubnetId": each} for each in dict.fromkeys(subnets or ())]


def _check_count(mappings: Sequence[Members], type_: LoadBalancerType) -> None:
    if type_ is LoadBalancerType.NETWORK and not mappings:
        raise errors.validation("At least one subnet must be specified")
    if type_ is LoadBalancerType.APPLICATION and len(mappings) < 2:
        raise errors.validation(
            "At least two subnets in two different Availability Zones must be specified"
        )


def _subnet(view: View, call: Call, subnet_id: str) -> Subnet:
    found = network.subnet(view, call.scope, subnet_id)
    if found is None:
        raise errors.subnet_not_found(subnet_id)
    return found


def _mapping(subnet: Subnet, given: Members, *, internal_network: bool) -> SubnetMapping:
    if given.get("AllocationId"):
        # There are no Elastic IP addresses here, so none can have this id.
        message = f"The allocation ID '{given['AllocationId']}' does not exist"
        raise ServiceError("AllocationIdNotFound", message)
    if given.get("IPv6Address") or given.get("SourceNatIpv6Prefix"):
        raise errors.invalid_subnet("You must specify subnets with an associated IPv6 CIDR block")
    address = given.get("PrivateIPv4Address")
    if address:
        _check_address(subnet, address, internal_network=internal_network)
    return SubnetMapping(
        subnet_id=subnet.id,
        availability_zone=subnet.availability_zone,
        private_ipv4_address=address,
    )


def _check_address(subnet: Subnet, address: str, *, internal_network: bool) -> None:
    if not internal_network:
        raise errors.invalid_configuration(
            "Private IPv4 addresses can be specified only for internal network load balancers"
        )
    try:
        fits = ip_address(address) in ip_network(subnet.cidr)
    except ValueError as error:
        raise errors.validation(f"'{address}' is not a valid IPv4 address") from error
    if not fits:
        raise errors.invalid_configuration(
            f"The address '{address}' is not in the range of the subnet '{subnet.id}'"
        )
