"""The subnets and security groups that awsvpc tasks name have to be there, all of one VPC.

Texts as public traces of Amazon ECS show them.
"""

from __future__ import annotations

from openecs.api.base import Call
from openecs.api.ec2 import network
from openecs.api.ecs import errors
from openecs.model.tasks import NetworkConfiguration
from openecs.store.base import View


def check(view: View, call: Call, given: NetworkConfiguration) -> None:
    """Raises ``InvalidParameterException``."""
    vpcs = {_vpc_of_subnet(view, call, each) for each in given.subnets}
    if len(vpcs) > 1:
        raise errors.invalid_parameter("subnets must all be in the same VPC.")
    for name in given.security_groups:
        group = network.security_group(view, call.scope, name)
        if group is None:
            raise errors.invalid_parameter(
                f"Error retrieving security group information for [{name}]: The security group "
                f"'{name}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if group.vpc_id not in vpcs:
            raise errors.invalid_parameter(
                f"Security Group {name} does not appear to belong to the same VPC as the input "
                "subnets."
            )


def _vpc_of_subnet(view: View, call: Call, name: str) -> str:
    subnet = network.subnet(view, call.scope, name)
    if subnet is None:
        raise errors.invalid_parameter(
            f"Error retrieving subnet information for [{name}]: The subnet ID '{name}' does not "
            "exist (ErrorCode: InvalidSubnetID.NotFound)"
        )
    return subnet.vpc_id
