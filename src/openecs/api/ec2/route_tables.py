"""Route tables, their routes and associations: ``CreateRouteTable`` and its neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from openecs.api.base import Call, Members, ServiceError
from openecs.api.ec2 import internet_gateways, nat_gateways, network, ranges, subnets, tagging, vpcs
from openecs.api.ec2.describing import Listing
from openecs.model.identity import Scope
from openecs.model.routing import Route, RouteTable, RouteTableAssociation
from openecs.store.base import Transaction, View
from openecs.store.kinds import ROUTE_TABLES

LISTING = Listing(
    answer="RouteTables",
    id="RouteTableId",
    ids="RouteTableIds",
    paths={
        "association.main": "Associations.Main",
        "association.route-table-association-id": "Associations.RouteTableAssociationId",
        "association.route-table-id": "Associations.RouteTableId",
        "association.subnet-id": "Associations.SubnetId",
        "owner-id": "OwnerId",
        "route-table-id": "RouteTableId",
        "route.destination-cidr-block": "Routes.DestinationCidrBlock",
        "route.gateway-id": "Routes.GatewayId",
        "route.nat-gateway-id": "Routes.NatGatewayId",
        "route.origin": "Routes.Origin",
        "route.state": "Routes.State",
        "vpc-id": "VpcId",
    },
    missing=("InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
)


def create_route_table(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateRouteTable``: with the local route alone."""
    vpc = vpcs.existing(tx, call.scope, request["VpcId"])
    tags = tagging.given(request, "route-table")
    name = tagging.new_id(call, "rtb")
    table = RouteTable(scope=call.scope, id=name, vpc_id=vpc.id, tags=tags)
    _put(tx, table)
    return {"RouteTable": _shown(table, vpc.cidr, frozenset())}


def delete_route_table(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteRouteTable``: ``DependencyViolation`` while a subnet or the VPC uses it."""
    table = existing(tx, call.scope, request["RouteTableId"])
    if table.associations:
        text = f"The routeTable '{table.id}' has dependencies and cannot be deleted."
        raise ServiceError("DependencyViolation", text)
    network.write_down(tx, call.scope)
    tx.delete(ROUTE_TABLES, call.scope, table.id)
    return {}


def describe_route_tables(view: View, call: Call, request: Members) -> Members:
    """``DescribeRouteTables``."""
    cidrs = {one.id: one.cidr for one in network.vpcs(view, call.scope)}
    targets = frozenset(_targets(view, call.scope))
    found = network.route_tables(view, call.scope)
    return LISTING.describe(request, [_shown(one, cidrs[one.vpc_id], targets) for one in found])


def create_route(tx: Transaction, call: Call, request: Members) -> Members:
    """``CreateRoute``: to an internet or a NAT gateway."""
    table = existing(tx, call.scope, request["RouteTableId"])
    route = _asked(tx, call, table, request)
    if any(one.destination == route.destination for one in table.routes):
        text = f"The route identified by {route.destination} already exists."
        raise ServiceError("RouteAlreadyExists", text)
    _put(tx, replace(table, routes=(*table.routes, route)))
    return {"Return": True}


def replace_route(tx: Transaction, call: Call, request: Members) -> Members:
    """``ReplaceRoute``: another target for a destination."""
    table = existing(tx, call.scope, request["RouteTableId"])
    route = _asked(tx, call, table, request)
    others = _without(table, route.destination)
    _put(tx, replace(table, routes=(*others, route)))
    return {}


def delete_route(tx: Transaction, call: Call, request: Members) -> Members:
    """``DeleteRoute``."""
    table = existing(tx, call.scope, request["RouteTableId"])
    _put(tx, replace(table, routes=_without(table, _destination(request))))
    return {}


def associate_route_table(tx: Transaction, call: Call, request: Members) -> Members:
    """``AssociateRouteTable``: with a subnet that has no table of its own yet."""
    if request.get("GatewayId"):
        raise ServiceError("UnsupportedOperation", "Edge associations are not built.")
    table = existing(tx, call.scope, request["RouteTableId"])
    subnet = subnets.existing(tx, call.scope, request["SubnetId"])
    if subnet.vpc_id != table.vpc_id:
        text = f"Route table {table.id} and subnet {subnet.id} belong to different networks"
        raise ServiceError("InvalidParameterValue", text)
    for other in network.route_tables(tx, call.scope):
        if any(one.subnet_id == subnet.id for one in other.associations):
            text = (
                f"the specified association for route table {other.id} conflicts with an existing"
            )
            raise ServiceError("Resource.AlreadyAssociated", f"{text} association")
    made = RouteTableAssociation(id=tagging.new_id(call, "rtbassoc"), subnet_id=subnet.id)
    _put(tx, replace(table, associations=(*table.associations, made)))
    return {"AssociationId": made.id, "AssociationState": {"State": "associated"}}


def disassociate_route_table(tx: Transaction, call: Call, request: Members) -> Members:
    """``DisassociateRouteTable``: not the main association."""
    table, association = _association(tx, call.scope, request["AssociationId"])
    if association.subnet_id is None:
        text = f"cannot disassociate the main route table association {association.id}"
        raise ServiceError("InvalidParameterValue", text)
    _put(tx, _left(table, association))
    return {}


def replace_route_table_association(tx: Transaction, call: Call, request: Members) -> Members:
    """``ReplaceRouteTableAssociation``: a new association, of a subnet or as the main table."""
    table = existing(tx, call.scope, request["RouteTableId"])
    old, association = _association(tx, call.scope, request["AssociationId"])
    if old.vpc_id != table.vpc_id:
        text = f"Route tables {old.id} and {table.id} belong to different networks"
        raise ServiceError("InvalidParameterValue", text)
    made = replace(association, id=tagging.new_id(call, "rtbassoc"))
    _put(tx, _left(old, association))
    table = existing(tx, call.scope, table.id)
    _put(tx, replace(table, associations=(*table.associations, made)))
    return {"NewAssociationId": made.id, "AssociationState": {"State": "associated"}}


def existing(view: View, scope: Scope, table_id: str) -> RouteTable:
    """The route table. Raises ``InvalidRouteTableID.NotFound``."""
    for one in network.route_tables(view, scope):
        if one.id == table_id:
            return one
    raise LISTING.unknown(table_id)


def _put(tx: Transaction, table: RouteTable) -> None:
    network.write_down(tx, table.scope)
    tx.put(ROUTE_TABLES, table)


def _association(
    view: View, scope: Scope, association_id: str
) -> tuple[RouteTable, RouteTableAssociation]:
    for table in network.route_tables(view, scope):
        for one in table.associations:
            if one.id == association_id:
                return table, one
    text = f"The association ID '{association_id}' does not exist"
    raise ServiceError("InvalidAssociationID.NotFound", text)


def _left(table: RouteTable, gone: RouteTableAssociation) -> RouteTable:
    return replace(table, associations=tuple(one for one in table.associations if one != gone))


def _without(table: RouteTable, destination: str) -> tuple[Route, ...]:
    left = tuple(one for one in table.routes if one.destination != destination)
    if len(left) == len(table.routes):
        text = f"no route with destination-cidr-block {destination} in route table {table.id}"
        raise ServiceError("InvalidRoute.NotFound", text)
    return left


def _destination(request: Members) -> str:
    if request.get("DestinationCidrBlock") is None:
        raise ServiceError("UnsupportedOperation", "Only routes of IPv4 destinations are built.")
    return str(ranges.read(request["DestinationCidrBlock"], "destinationCidrBlock"))


def _asked(view: View, call: Call, table: RouteTable, request: Members) -> Route:
    destination = _destination(request)
    local = ranges.read(vpcs.existing(view, call.scope, table.vpc_id).cidr)
    if ranges.read(destination).subnet_of(local):
        text = f"The destination CIDR block {destination} is equal to or more specific than"
        raise ServiceError("InvalidParameterValue", f"{text} one of this VPC's CIDR blocks.")
    if nat := request.get("NatGatewayId"):
        return Route(
            destination=destination, target=nat_gateways.existing(view, call.scope, nat).id
        )
    if gateway := request.get("GatewayId"):
        return Route(destination=destination, target=_gateway(view, call.scope, table, gateway))
    raise ServiceError("UnsupportedOperation", "Routes lead to internet and NAT gateways only.")


def _gateway(view: View, scope: Scope, table: RouteTable, gateway_id: str) -> str:
    found = internet_gateways.existing(view, scope, gateway_id)
    if found.vpc_id != table.vpc_id:
        text = f"route table {table.id} and network gateway {found.id} belong to different networks"
        raise ServiceError("InvalidParameterValue", text)
    return found.id


def _targets(view: View, scope: Scope) -> Iterator[str]:
    """The gateways that routes do not end at in nothing."""
    yield from (one.id for one in network.internet_gateways(view, scope) if one.vpc_id)
    yield from (one.id for one in nat_gateways.all_of(view, scope))


def _shown(table: RouteTable, local: str, targets: frozenset[str]) -> Members:
    return {
        "RouteTableId": table.id,
        "VpcId": table.vpc_id,
        "OwnerId": table.scope.account,
        "PropagatingVgws": [],
        "Associations": [_shown_association(table, one) for one in table.associations],
        "Routes": [
            {
                "DestinationCidrBlock": local,
                "GatewayId": "local",
                "Origin": "CreateRouteTable",
                "State": "active",
            },
            *(_shown_route(one, targets) for one in table.routes),
        ],
        "Tags": tagging.shown(table.tags),
    }


def _shown_association(table: RouteTable, association: RouteTableAssociation) -> Members:
    return {
        "Main": association.subnet_id is None,
        "RouteTableAssociationId": association.id,
        "RouteTableId": table.id,
        "SubnetId": association.subnet_id,
        "AssociationState": {"State": "associated"},
    }


def _shown_route(route: Route, targets: frozenset[str]) -> Members:
    member = "NatGatewayId" if route.target.startswith("nat-") else "GatewayId"
    return {
        "DestinationCidrBlock": route.destination,
        member: route.target,
        "Origin": "CreateRoute",
        "State": "active" if route.target in targets else "blackhole",
    }
