"""Gateway endpoints: Amazon EC2 API Reference, ``CreateVpcEndpoint`` and its neighbours.

Like route tables they are records, and carry nothing: what a task may reach is up to its security
groups. Interface endpoints would be addresses at which nobody answers, and are refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import filters, network, route_tables, tagging, vpcs
from openecs.api.ec2.describing import Listing
from openecs.decide.default_network import ZONES
from openecs.model.identity import Scope
from openecs.model.network import VpcEndpoint
from openecs.store.base import Transaction, View
from openecs.store.network import VPC_ENDPOINTS

_GATEWAY = "Gateway"
#: AWS PrivateLink Guide, "Gateway endpoints".
_SERVICES = ("dynamodb", "s3")
#: What gateway endpoints have nothing of.
_OF_OTHERS = ("SubnetIds", "SecurityGroupIds", "SubnetConfigurations", "PrivateDnsEnabled")
_OPEN = json.dumps(
    {
        "Version": "2008-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
)

LISTING = Listing(
    answer="VpcEndpoints",
    id="VpcEndpointId",
    ids="VpcEndpointIds",
    paths={
        "ip-address-type": "IpAddressType",
        "service-name": "ServiceName",
        "vpc-endpoint-id": "VpcEndpointId",
        "vpc-endpoint-state": "State",
        "vpc-endpoint-type": "VpcEndpointType",
        "vpc-id": "VpcId",
    },
    missing=("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),
)
_SERVICE_PATHS = {"service-name": "ServiceName", "service-type": "ServiceType.ServiceType"}


def create_vpc_endpoint(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateVpcEndpoint``: a gateway endpoint, available at once."""
    kind = request.get("VpcEndpointType") or _GATEWAY
    if kind != _GATEWAY:
        text = f"Endpoints of type {kind} are not built: tasks reach services by their URL."
        raise ServiceError("UnsupportedOperation", text)
    _check_members(request)
    vpc = vpcs.existing(tx, call.scope, request["VpcId"])
    endpoint = VpcEndpoint(
        scope=call.scope,
        id=tagging.new_id(call, "vpce"),
        vpc_id=vpc.id,
        service_name=_service(call.scope, request.get("ServiceName")),
        created_at=call.now,
        policy=_policy(request),
        tags=tagging.given(request, "vpc-endpoint"),
    )
    endpoint = _with_tables(tx, endpoint, request.get("RouteTableIds") or ())
    network.write_down(tx, call.scope)
    tx.put(VPC_ENDPOINTS, endpoint)
    return {"VpcEndpoint": _shown(tx, endpoint), "ClientToken": request.get("ClientToken")}


def modify_vpc_endpoint(tx: Transaction, call: Call, request: Members) -> Members:
    """``ModifyVpcEndpoint``: other route tables, another policy."""
    endpoint = existing(tx, call.scope, request["VpcEndpointId"])
    _check_members(request, "Add", "Remove")
    gone = request.get("RemoveRouteTableIds") or ()
    left = tuple(name for name in endpoint.route_tables if name not in gone)
    changed = replace(endpoint, route_tables=left)
    if request.get("ResetPolicy"):
        changed = replace(changed, policy=None)
    elif request.get("PolicyDocument"):
        changed = replace(changed, policy=_policy(request))
    tx.put(VPC_ENDPOINTS, _with_tables(tx, changed, request.get("AddRouteTableIds") or ()))
    return {"Return": True}


def delete_vpc_endpoints(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteVpcEndpoints``: those there are; of the others the answer tells."""
    failed = []
    for name in request["VpcEndpointIds"]:
        if tx.get(VPC_ENDPOINTS, call.scope, name) is None:
            error = LISTING.unknown(name)
            told = {"Code": error.code, "Message": error.message}
            failed.append({"ResourceId": name, "Error": told})
        else:
            tx.delete(VPC_ENDPOINTS, call.scope, name)
    return {"Unsuccessful": failed}


def describe_vpc_endpoints(view: View, call: Call, request: Members) -> Members:
    """``DescribeVpcEndpoints``."""
    found = view.scan(VPC_ENDPOINTS, call.scope)
    return LISTING.describe(request, [_shown(view, one) for one in found])


def describe_vpc_endpoint_services(_: View, call: Call, request: Members) -> Members:
    """``DescribeVpcEndpointServices``: those that have gateway endpoints."""
    details = [_detail(call.scope, name) for name in _SERVICES]
    names = [one["ServiceName"] for one in details]
    for name in request.get("ServiceNames") or ():
        if name not in names:
            raise _no_service(name)
    wanted = request.get("ServiceNames") or names
    kept = filters.keep(details, request.get("Filters") or (), _SERVICE_PATHS)
    shown = [one for one in kept if one["ServiceName"] in wanted]
    return {"ServiceNames": [one["ServiceName"] for one in shown], "ServiceDetails": shown}


def existing(view: View, scope: Scope, name: str) -> VpcEndpoint:
    """The endpoint. Raises ``InvalidVpcEndpointId.NotFound``."""
    found = view.get(VPC_ENDPOINTS, scope, name)
    if found is None:
        raise LISTING.unknown(name)
    return found


def _check_members(request: Members, *prefixes: str) -> None:
    for name in _OF_OTHERS:
        if any(request.get(f"{prefix}{name}") for prefix in ("", *prefixes)):
            text = f"{name} cannot be specified for endpoints of type {_GATEWAY}."
            raise ServiceError("InvalidParameter", text)


def _service(scope: Scope, name: str | None) -> str:
    if name not in {_service_name(scope, each) for each in _SERVICES}:
        raise _no_service(name or "")
    return name or ""


def _service_name(scope: Scope, service: str) -> str:
    return f"com.amazonaws.{scope.region}.{service}"


def _no_service(name: str) -> ServiceError:
    text = f"The Vpc Endpoint Service '{name}' does not exist"
    return ServiceError("InvalidServiceName", text)


def _policy(request: Members) -> str | None:
    given: str | None = request.get("PolicyDocument")
    if not given:
        return None
    try:
        if isinstance(json.loads(given), dict):
            return given
    except ValueError:
        pass
    raise ServiceError("InvalidParameter", "PolicyDocument is not a valid policy document.")


def _with_tables(view: View, endpoint: VpcEndpoint, names: Sequence[str]) -> VpcEndpoint:
    for name in names:
        table = route_tables.existing(view, endpoint.scope, name)
        if table.vpc_id != endpoint.vpc_id:
            text = f"Route table {table.id} and endpoint belong to different networks"
            raise ServiceError("InvalidParameter", text)
        if _is_taken(view, endpoint, table.id):
            text = (
                f"route table {table.id} already has a route with destination-prefix-list-id "
                f"of {endpoint.service_name}"
            )
            raise ServiceError("RouteAlreadyExists", text)
    return replace(endpoint, route_tables=tuple(dict.fromkeys((*endpoint.route_tables, *names))))


def _is_taken(view: View, endpoint: VpcEndpoint, table: str) -> bool:
    """Whether the way to the service from a route table is another endpoint's."""
    return any(
        other.id != endpoint.id
        and other.service_name == endpoint.service_name
        and table in other.route_tables
        for other in view.scan(VPC_ENDPOINTS, endpoint.scope)
    )


def _detail(scope: Scope, service: str) -> Members:
    return {
        "ServiceName": _service_name(scope, service),
        "ServiceType": [{"ServiceType": _GATEWAY}],
        "ServiceRegion": scope.region,
        "AvailabilityZones": [f"{scope.region}{letter}" for letter in ZONES],
        "Owner": "amazon",
        "VpcEndpointPolicySupported": True,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "SupportedIpAddressTypes": ["ipv4"],
    }


def _shown(view: View, endpoint: VpcEndpoint) -> Members:
    tables = {one.id for one in network.route_tables(view, endpoint.scope)}
    return {
        "VpcEndpointId": endpoint.id,
        "VpcEndpointType": _GATEWAY,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service_name,
        "ServiceRegion": endpoint.scope.region,
        "State": "available",
        "PolicyDocument": endpoint.policy or _OPEN,
        "RouteTableIds": [name for name in endpoint.route_tables if name in tables],
        "SubnetIds": [],
        "Groups": [],
        "IpAddressType": "ipv4",
        "PrivateDnsEnabled": False,
        "RequesterManaged": False,
        "NetworkInterfaceIds": [],
        "DnsEntries": [],
        "CreationTimestamp": endpoint.created_at,
        "OwnerId": endpoint.scope.account,
        "Tags": tagging.shown(endpoint.tags),
    }
