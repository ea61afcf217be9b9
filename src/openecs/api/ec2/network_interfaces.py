"""DescribeNetworkInterfaces: those of NAT gateways, and those of awsvpc tasks while they live."""

from __future__ import annotations

from openecs.api.base import Call, Members
from openecs.api.ec2 import nat_gateways, task_interfaces
from openecs.api.ec2.describing import Listing
from openecs.store.base import View

INTERFACES = Listing(
    answer="NetworkInterfaces",
    id="NetworkInterfaceId",
    ids="NetworkInterfaceIds",
    paths={
        "addresses.private-ip-address": "PrivateIpAddresses.PrivateIpAddress",
        "association.allocation-id": "Association.AllocationId",
        "association.public-ip": "Association.PublicIp",
        "attachment.attachment-id": "Attachment.AttachmentId",
        "attachment.instance-id": "Attachment.InstanceId",
        "attachment.instance-owner-id": "Attachment.InstanceOwnerId",
        "attachment.status": "Attachment.Status",
        "availability-zone": "AvailabilityZone",
        "description": "Description",
        "group-id": "Groups.GroupId",
        "group-name": "Groups.GroupName",
        "interface-type": "InterfaceType",
        "network-interface-id": "NetworkInterfaceId",
        "owner-id": "OwnerId",
        "private-ip-address": "PrivateIpAddress",
        "requester-id": "RequesterId",
        "requester-managed": "RequesterManaged",
        "status": "Status",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    },
    missing=("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '{}' does not exist"),
)


def describe_network_interfaces(view: View, call: Call, request: Members) -> Members:
    """``DescribeNetworkInterfaces``."""
    gateways = [nat_gateways.interface(view, g) for g in nat_gateways.all_of(view, call.scope)]
    live = task_interfaces.of_tasks(view, call.scope)
    tasks = [shown for each in live if (shown := task_interfaces.shown(view, each))]
    answer: Members = INTERFACES.describe(request, [*gateways, *tasks])
    return answer
