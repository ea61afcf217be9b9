"""Amazon EC2: the network that load balancers and tasks stand in."""

from __future__ import annotations

from collections.abc import Callable

from openecs.api.base import Call, Members, Operation, Reads, Service, ServiceError, Writes
from openecs.api.ec2 import security_group_rules as rules
from openecs.api.ec2 import security_groups, subnets, vpcs, zones
from openecs.store.base import Transaction, View

_READS: dict[str, Callable[[View, Call, Members], Members]] = {
    "DescribeAccountAttributes": zones.describe_account_attributes,
    "DescribeAvailabilityZones": zones.describe_availability_zones,
    "DescribeRegions": zones.describe_regions,
    "DescribeSecurityGroupRules": rules.describe,
    "DescribeSecurityGroups": security_groups.describe_security_groups,
    "DescribeSubnets": subnets.describe_subnets,
    "DescribeVpcAttribute": vpcs.describe_vpc_attribute,
    "DescribeVpcs": vpcs.describe_vpcs,
}

_WRITES: dict[str, Callable[[Transaction, Call, Members], Members]] = {
    "AuthorizeSecurityGroupEgress": rules.authorize(is_egress=True),
    "AuthorizeSecurityGroupIngress": rules.authorize(is_egress=False),
    "CreateDefaultVpc": vpcs.create_default_vpc,
    "CreateSecurityGroup": security_groups.create_security_group,
    "CreateSubnet": subnets.create_subnet,
    "CreateVpc": vpcs.create_vpc,
    "DeleteSecurityGroup": security_groups.delete_security_group,
    "DeleteSubnet": subnets.delete_subnet,
    "DeleteVpc": vpcs.delete_vpc,
    "ModifySecurityGroupRules": rules.modify,
    "ModifySubnetAttribute": subnets.modify_subnet_attribute,
    "ModifyVpcAttribute": vpcs.modify_vpc_attribute,
    "RevokeSecurityGroupEgress": rules.revoke(is_egress=True),
    "RevokeSecurityGroupIngress": rules.revoke(is_egress=False),
    "UpdateSecurityGroupRuleDescriptionsEgress": rules.update_descriptions(is_egress=True),
    "UpdateSecurityGroupRuleDescriptionsIngress": rules.update_descriptions(is_egress=False),
}


def _may_be_dry(function: Callable[..., Members]) -> Callable[..., Members]:
    """With ``DryRun``, the operation is done and, by an error, undone again."""

    def run(view: View, call: Call, request: Members) -> Members:
        answer = function(view, call, request)
        if request.get("DryRun"):
            text = "Request would have succeeded, but DryRun flag is set."
            raise ServiceError("DryRunOperation", text)
        return answer

    return run


_OPERATIONS: dict[str, Operation] = {
    **{name: Reads(_may_be_dry(one)) for name, one in _READS.items()},
    **{name: Writes(_may_be_dry(one)) for name, one in _WRITES.items()},
}

SERVICE = Service(name="ec2", operations=_OPERATIONS)
