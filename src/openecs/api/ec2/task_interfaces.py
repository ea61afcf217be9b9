"""The network interfaces of awsvpc tasks, while they live.

Amazon EC2 API Reference, ``NetworkInterface``; ECS Developer Guide, "Task networking with the
awsvpc network mode".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openecs.api.base import Members
from openecs.api.ec2 import network
from openecs.model.identity import Scope
from openecs.model.network import SecurityGroup, Subnet
from openecs.model.tasks import Attachment, Task, TaskStatus
from openecs.store.base import View
from openecs.store.kinds import TASKS


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInterface:
    """The network interface of an awsvpc task."""

    task: Task
    attachment: Attachment
    id: str
    address: str
    mac_address: str
    subnet_id: str


def of_tasks(view: View, scope: Scope) -> Iterator[TaskInterface]:
    """The interfaces of the tasks of a region that have not stopped."""
    return among(view.scan(TASKS, scope))


def among(tasks: Iterable[Task]) -> Iterator[TaskInterface]:
    """The interfaces of those tasks that have not stopped."""
    for task in tasks:
        if task.last_status is TaskStatus.STOPPED:
            continue
        for attachment in task.attachments:
            details = {each.name: each.value for each in attachment.details}
            if attachment.status == "ATTACHED":
                yield TaskInterface(
                    task=task,
                    attachment=attachment,
                    id=details["networkInterfaceId"],
                    address=details["privateIPv4Address"],
                    mac_address=details.get("macAddress", ""),
                    subnet_id=details["subnetId"],
                )


def security_groups(view: View, interface: TaskInterface) -> list[SecurityGroup]:
    """The security groups of a task's interface: those asked for, or the VPC's own."""
    return groups_in(view, interface.task, interface.subnet_id)


def groups_in(view: View, task: Task, subnet_id: str) -> list[SecurityGroup]:
    """The security groups of a task in a subnet."""
    named = task.network_configuration.security_groups if task.network_configuration else ()
    if named:
        found = (network.security_group(view, task.scope, name) for name in named)
        return [group for group in found if group]
    subnet = network.subnet(view, task.scope, subnet_id)
    own = network.default_security_group(view, task.scope, subnet.vpc_id) if subnet else None
    return [own] if own else []


def shown(view: View, interface: TaskInterface) -> Members | None:
    """As EC2 shows it; None where its subnet has gone."""
    subnet = network.subnet(view, interface.task.scope, interface.subnet_id)
    return None if subnet is None else _members(view, interface, subnet)


def _members(view: View, interface: TaskInterface, subnet: Subnet) -> Members:
    task, attachment = interface.task, interface.attachment
    arn = task.scope.arn("ecs", f"attachment/{attachment.id}")
    own = {"Primary": True, "PrivateIpAddress": interface.address}
    groups = security_groups(view, interface)
    return {
        "NetworkInterfaceId": interface.id,
        "InterfaceType": "interface",
        "Description": arn,
        "Attachment": {
            "AttachmentId": f"eni-attach-{attachment.id.replace('-', '')[:17]}",
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "InstanceOwnerId": "amazon-aws",
            "Status": "attached",
        },
        "AvailabilityZone": subnet.availability_zone,
        "Groups": [{"GroupId": group.id, "GroupName": group.name} for group in groups],
        "MacAddress": interface.mac_address,
        "OwnerId": task.scope.account,
        "PrivateIpAddress": interface.address,
        "PrivateIpAddresses": [own],
        "RequesterManaged": True,
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": subnet.id,
        "TagSet": [],
        "VpcId": subnet.vpc_id,
    }
