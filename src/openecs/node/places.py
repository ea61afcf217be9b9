"""Where awsvpc tasks stand: the subnet, and the network of the engine that its VPC is here."""

from __future__ import annotations

from dataclasses import dataclass

from openecs.api.ec2 import network, task_interfaces
from openecs.model.network import DhcpOptions, SecurityGroup, Subnet, Vpc
from openecs.model.tasks import Task
from openecs.runtime.base import CannotCreateNetwork, NetworkSpec
from openecs.store.base import View
from openecs.store.network import DHCP_OPTIONS


@dataclass(frozen=True, slots=True)
class Place:
    """A subnet, the VPC it is a part of, and the DHCP options that were given to that."""

    vpc: Vpc
    subnet: Subnet
    dhcp_options: DhcpOptions | None


def subnet_of(task: Task, view: View) -> Place | None:
    """The subnet of the task's network interface; None where it has none of its own.

    Raises ``CannotCreateNetwork`` where the subnet is there no more.
    """
    name = _subnet_id(task)
    if name is None:
        return None
    subnet = network.subnet(view, task.scope, name)
    vpc = network.vpc(view, task.scope, subnet.vpc_id) if subnet else None
    if subnet is None or vpc is None:
        raise CannotCreateNetwork(f"The subnet ID '{name}' does not exist")
    return Place(vpc, subnet, view.get(DHCP_OPTIONS, task.scope, vpc.dhcp_options_id))


def groups_of(view: View, task: Task) -> list[SecurityGroup]:
    """The security groups that the task's network interface is to be in."""
    return task_interfaces.groups_in(view, task, _subnet_id(task) or "")


def _subnet_id(task: Task) -> str | None:
    details = {each.name: each.value for one in task.attachments for each in one.details}
    return details.get("subnetId")


def network_of(vpc: Vpc) -> NetworkSpec:
    """The network of the engine that a VPC is; VPCs of one range are the same one."""
    name = vpc.cidr.replace("/", "-")
    return NetworkSpec(name=f"openecs-{name}", cidr=vpc.cidr)


def exhausted(subnet: Subnet) -> str:
    """Why a task cannot stand in a full subnet."""
    return f"The specified subnet {subnet.id} does not have enough free addresses"
