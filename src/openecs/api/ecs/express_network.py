"""Where an Express service and its load balancer stand.

Amazon ECS Developer Guide, "Resources created by Amazon ECS Express Mode services".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openecs.api.base import Call, Members
from openecs.api.ec2 import network
from openecs.api.ecs import errors, subnets
from openecs.model.express import AccessType
from openecs.model.network import Subnet
from openecs.model.tasks import NetworkConfiguration
from openecs.store.base import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Subnets of one VPC, all public or all private, and the security groups that were given."""

    vpc_id: str
    subnets: tuple[str, ...]
    #: One of each Availability Zone, for the load balancer.
    balanced: tuple[str, ...]
    security_groups: tuple[str, ...]
    access_type: AccessType

    def awsvpc(self, *security_groups: str) -> Members:
        """The network configuration of the tasks, in these security groups besides."""
        groups = dict.fromkeys((*self.security_groups, *security_groups))
        is_public = self.access_type is AccessType.PUBLIC
        return {
            "awsvpcConfiguration": {
                "subnets": list(self.subnets),
                "securityGroups": list(groups),
                "assignPublicIp": "ENABLED" if is_public else "DISABLED",
            }
        }


def place(view: View, call: Call, given: Members | None) -> Place:
    """What a request names; the default VPC's default subnets where it names none.

    Raises ``InvalidParameterException``.
    """
    given = given or {}
    named = tuple(given.get("subnets") or ())
    asked = NetworkConfiguration(
        subnets=named or _default_subnets(view, call),
        security_groups=tuple(given.get("securityGroups") or ()),
    )
    subnets.check(view, call, asked)
    found = [each for each in network.subnets(view, call.scope) if each.id in asked.subnets]
    return Place(
        vpc_id=found[0].vpc_id,
        subnets=asked.subnets,
        balanced=_one_of_each_zone(found),
        security_groups=asked.security_groups,
        access_type=_access_type(view, found),
    )


def _default_subnets(view: View, call: Call) -> tuple[str, ...]:
    default = {each.id for each in network.vpcs(view, call.scope) if each.is_default}
    found = network.subnets(view, call.scope)
    named = tuple(each.id for each in found if each.default_for_az and each.vpc_id in default)
    if not named:
        raise errors.invalid_parameter(
            "There are no default subnets: specify subnets in networkConfiguration."
        )
    return named


def _one_of_each_zone(found: Sequence[Subnet]) -> tuple[str, ...]:
    zones = {each.availability_zone: each.id for each in reversed(found)}
    if len(zones) < 2:
        raise errors.invalid_parameter(
            "At least two subnets in two different Availability Zones must be specified."
        )
    return tuple(sorted(zones.values()))


def _access_type(view: View, found: Sequence[Subnet]) -> AccessType:
    ways = {_is_public(view, each) for each in found}
    if len(ways) > 1:
        raise errors.invalid_parameter("subnets must be either all public or all private.")
    return AccessType.PUBLIC if ways == {True} else AccessType.PRIVATE


def _is_public(view: View, subnet: Subnet) -> bool:
    """Whether the subnet's route table, or the VPC's main one, has a way to the internet."""
    tables = [t for t in network.route_tables(view, subnet.scope) if t.vpc_id == subnet.vpc_id]
    own = [t for t in tables if any(a.subnet_id == subnet.id for a in t.associations)]
    used = own or [table for table in tables if table.is_main]
    return any(route.target.startswith("igw-") for table in used for route in table.routes)
