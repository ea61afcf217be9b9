"""Internet gateways: Amazon EC2 API Reference, ``CreateInternetGateway`` and its neighbours."""

from __future__ import annotations

from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import network, tagging, vpcs
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.routing import InternetGateway
from openecs.store.base import Transaction, View
from openecs.store.kinds import INTERNET_GATEWAYS, NAT_GATEWAYS

LISTING = Listing(
    answer="InternetGateways",
    id="InternetGatewayId",
    ids="InternetGatewayIds",
    paths={
        "attachment.state": "Attachments.State",
        "attachment.vpc-id": "Attachments.VpcId",
        "internet-gateway-id": "InternetGatewayId",
        "owner-id": "OwnerId",
    },
    missing=("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
)


def create_internet_gateway(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateInternetGateway``: attached to nothing yet."""
    tags = tagging.given(request, "internet-gateway")
    gateway = InternetGateway(scope=call.scope, id=tagging.new_id(call, "igw"), tags=tags)
    network.write_down(tx, call.scope)
    tx.put(INTERNET_GATEWAYS, gateway)
    return {"InternetGateway": _shown(gateway)}


def delete_internet_gateway(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteInternetGateway``: ``DependencyViolation`` while it is attached."""
    gateway = existing(tx, call.scope, request["InternetGatewayId"])
    if gateway.vpc_id is not None:
        text = f"The internetGateway '{gateway.id}' has dependencies and cannot be deleted."
        raise ServiceError("DependencyViolation", text)
    network.write_down(tx, call.scope)
    tx.delete(INTERNET_GATEWAYS, call.scope, gateway.id)
    return {}


def attach_internet_gateway(tx: Transaction, call: Call, request: Members) -> Members:
    """``AttachInternetGateway``: one gateway to a VPC, one VPC to a gateway."""
    gateway = existing(tx, call.scope, request["InternetGatewayId"])
    vpc = vpcs.existing(tx, call.scope, request["VpcId"])
    if gateway.vpc_id is not None:
        text = f"resource {gateway.id} is already attached to network {gateway.vpc_id}"
        raise ServiceError("Resource.AlreadyAssociated", text)
    if any(one.vpc_id == vpc.id for one in network.internet_gateways(tx, call.scope)):
        text = f"Network {vpc.id} already has an internet gateway attached"
        raise ServiceError("InvalidParameterValue", text)
    network.write_down(tx, call.scope)
    tx.put(INTERNET_GATEWAYS, replace(gateway, vpc_id=vpc.id))
    return {}


def detach_internet_gateway(tx: Transaction, call: Call, request: Members) -> Members:
    """``DetachInternetGateway``: not while a public NAT gateway needs it."""
    gateway = existing(tx, call.scope, request["InternetGatewayId"])
    vpc_id = request["VpcId"]
    if gateway.vpc_id != vpc_id:
        text = f"resource {gateway.id} is not attached to network {vpc_id}"
        raise ServiceError("Gateway.NotAttached", text)
    nats = tx.scan(NAT_GATEWAYS, call.scope)
    if any(one.vpc_id == vpc_id and one.allocation_id for one in nats):
        text = (
            f"Network {vpc_id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway."
        )
        raise ServiceError("DependencyViolation", text)
    network.write_down(tx, call.scope)
    tx.put(INTERNET_GATEWAYS, replace(gateway, vpc_id=None))
    return {}


def describe_internet_gateways(view: View, call: Call, request: Members) -> Members:
    """``DescribeInternetGateways``."""
    found = network.internet_gateways(view, call.scope)
    return LISTING.describe(request, [_shown(one) for one in found])


def existing(view: View, scope: Scope, gateway_id: str) -> InternetGateway:
    """The gateway. Raises ``InvalidInternetGatewayID.NotFound``."""
    for one in network.internet_gateways(view, scope):
        if one.id == gateway_id:
            return one
    raise LISTING.unknown(gateway_id)


def _shown(gateway: InternetGateway) -> Members:
    attached = [{"State": "available", "VpcId": gateway.vpc_id}] if gateway.vpc_id else []
    return {
        "InternetGatewayId": gateway.id,
        "Attachments": attached,
        "OwnerId": gateway.scope.account,
        "Tags": tagging.shown(gateway.tags),
    }
