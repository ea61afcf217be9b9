"""What operations on networks ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2"; Amazon
EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from openecs.api.access import Context, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.api.ec2 import network, network_acls
from openecs.api.ec2.tags import KINDS
from openecs.model.identity import Scope
from openecs.store.base import View
from openecs.store.kinds import ADDRESSES

#: Resource types to the member that names one of them.
_Named = tuple[tuple[str, str], ...]
_ACL = ("network-acl", "NetworkAclId")
_ADDRESS = ("elastic-ip", "AllocationId")
_DHCP = ("dhcp-options", "DhcpOptionsId")
_GATEWAY = ("internet-gateway", "InternetGatewayId")
_GROUP = ("security-group", "GroupId")
_NAT = ("natgateway", "NatGatewayId")
_PREFIXES = ("prefix-list", "PrefixListId")
_SUBNET = ("subnet", "SubnetId")
_TABLE = ("route-table", "RouteTableId")
_TABLES = ("route-table", "RouteTableIds")
_VPC = ("vpc", "VpcId")
_ON: Mapping[str, _Named] = {
    "AssociateDhcpOptions": (_DHCP, _VPC),
    "AssociateRouteTable": (_TABLE, _SUBNET),
    "AttachInternetGateway": (_GATEWAY, _VPC),
    "AuthorizeSecurityGroupEgress": (_GROUP,),
    "AuthorizeSecurityGroupIngress": (_GROUP,),
    "CreateNatGateway": (_SUBNET, _ADDRESS),
    "CreateNetworkAcl": (_VPC,),
    "CreateNetworkAclEntry": (_ACL,),
    "CreateRoute": (_TABLE,),
    "CreateRouteTable": (_VPC,),
    "CreateSecurityGroup": (_VPC,),
    "CreateSubnet": (_VPC,),
    "CreateVpcEndpoint": (_VPC, _TABLES),
    "DeleteDhcpOptions": (_DHCP,),
    "DeleteInternetGateway": (_GATEWAY,),
    "DeleteManagedPrefixList": (_PREFIXES,),
    "DeleteNatGateway": (_NAT,),
    "DeleteNetworkAcl": (_ACL,),
    "DeleteNetworkAclEntry": (_ACL,),
    "DeleteRoute": (_TABLE,),
    "DeleteRouteTable": (_TABLE,),
    "DeleteSecurityGroup": (_GROUP,),
    "DeleteSubnet": (_SUBNET,),
    "DeleteVpc": (_VPC,),
    "DeleteVpcEndpoints": (("vpc-endpoint", "VpcEndpointIds"),),
    "DescribeVpcAttribute": (_VPC,),
    "DisassociateAddress": (("elastic-ip", "AssociationId"),),
    "DisassociateRouteTable": (("route-table", "AssociationId"),),
    "DetachInternetGateway": (_GATEWAY, _VPC),
    "GetManagedPrefixListEntries": (_PREFIXES,),
    "ModifyManagedPrefixList": (_PREFIXES,),
    "ModifySecurityGroupRules": (_GROUP,),
    "ModifySubnetAttribute": (_SUBNET,),
    "ModifyVpcAttribute": (_VPC,),
    "ModifyVpcEndpoint": (
        ("vpc-endpoint", "VpcEndpointId"),
        ("route-table", "AddRouteTableIds"),
        ("route-table", "RemoveRouteTableIds"),
    ),
    "ReleaseAddress": (_ADDRESS,),
    "ReplaceNetworkAclAssociation": (_ACL, ("subnet", "AssociationId")),
    "ReplaceNetworkAclEntry": (_ACL,),
    "ReplaceRoute": (_TABLE,),
    "ReplaceRouteTableAssociation": (_TABLE,),
    "RevokeSecurityGroupEgress": (_GROUP,),
    "RevokeSecurityGroupIngress": (_GROUP,),
    "UpdateSecurityGroupRuleDescriptionsEgress": (_GROUP,),
    "UpdateSecurityGroupRuleDescriptionsIngress": (_GROUP,),
}
#: What is made is known by its type only.
_MADE = {
    "AllocateAddress": "elastic-ip",
    "CreateDhcpOptions": "dhcp-options",
    "CreateInternetGateway": "internet-gateway",
    "CreateManagedPrefixList": "prefix-list",
    "CreateNatGateway": "natgateway",
    "CreateNetworkAcl": "network-acl",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateVpc": "vpc",
    "CreateVpcEndpoint": "vpc-endpoint",
}
#: What the prefixes of ids are of.
_TYPES = {
    "sgr": "security-group-rule",
    **{prefix: resource_type for prefix, (_, resource_type) in KINDS.items()},
}
#: The condition keys with resources' own ids.
_ID_KEYS = {
    "elastic-ip": "allocationid",
    "internet-gateway": "internetgatewayid",
    "network-acl": "networkaclid",
    "route-table": "routetableid",
    "security-group": "securitygroupid",
    "subnet": "subnetid",
    "vpc": "vpcid",
}
#: Those that a region starts with, and so are there before they are stored.
_AT_START: Mapping[str, Callable[[View, Scope], Sequence[Any]]] = {
    "internet-gateway": network.internet_gateways,
    "network-acl": network.network_acls,
    "route-table": network.route_tables,
    "security-group": network.security_groups,
    "subnet": network.subnets,
    "vpc": network.vpcs,
}
_KINDS = {resource_type: kind for kind, resource_type in KINDS.values()}


def access(operations: Iterable[str]) -> Mapping[str, Access]:
    """What each of the operations asks."""
    return {name: _access(name) for name in operations}


def _access(operation: str) -> Access:
    if operation in {"CreateTags", "DeleteTags"}:
        return _on_tags(operation)
    if operation in _ON or operation in _MADE:
        return _on_some(operation)
    return _on_all(operation)


def _on_some(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        if operation in _MADE:
            yield _making(call, operation, request)
        for resource_type, member in _ON.get(operation, ()):
            for name in _named(view, call.scope, request, resource_type, member):
                yield _asked(view, call, f"ec2:{operation}", (resource_type, name), {})
        if operation == "ModifySecurityGroupRules":
            for rule in request.get("SecurityGroupRules") or ():
                named = ("security-group-rule", rule.get("SecurityGroupRuleId") or "*")
                yield _asked(view, call, f"ec2:{operation}", named, {})
        yield from _tagging(call, operation, request)

    return asks


def _on_tags(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        told = _request_tags(request.get("Tags") or ())
        for name in request.get("Resources") or ():
            resource_type = _TYPES.get(name.partition("-")[0], "*")
            yield _asked(view, call, f"ec2:{operation}", (resource_type, name), told)

    return asks


def _on_all(operation: str) -> Access:
    """No policy can allow Describe operations on some resources only."""

    def asks(_: View, call: Call, __: Members) -> Iterator[Asked]:
        yield Asked(action=f"ec2:{operation}", resource="*", context=_region(call.scope))

    return asks


def _making(call: Call, operation: str, request: Members) -> Asked:
    made = _MADE[operation]
    context = {**_region(call.scope), **_specified(request, made)}
    if request.get("VpcId"):
        context["ec2:vpc"] = (call.scope.arn("ec2", f"vpc/{request['VpcId']}"),)
    arn = call.scope.arn("ec2", f"{made}/*")
    return Asked(action=f"ec2:{operation}", resource=arn, context=context)


def _tagging(call: Call, operation: str, request: Members) -> Iterator[Asked]:
    """What is made with tags needs the right to give them, too."""
    for one in request.get("TagSpecifications") or ():
        resource_type = one.get("ResourceType") or "*"
        context = {**_region(call.scope), **_specified(request, resource_type)}
        yield Asked(
            action="ec2:CreateTags",
            resource=call.scope.arn("ec2", f"{resource_type}/*"),
            context={**context, "ec2:createaction": (operation,)},
        )


def _named(
    view: View, scope: Scope, request: Members, resource_type: str, member: str
) -> Sequence[str]:
    """The ids of what a request names; ``*``: it is not known; none: it is on none of this type."""
    given = request.get(member)
    if member.endswith("Ids"):
        return given or ()
    if given and member == "AssociationId":
        return [_ASSOCIATED[resource_type](view, scope, given) or "*"]
    if not given and resource_type == "security-group":
        return [_group_of_name(view, scope, request.get("GroupName")) or "*"]
    is_optional = (resource_type, member) == _ADDRESS and "SubnetId" in request
    if given:
        return [given]
    return () if is_optional else ["*"]


def _group_of_name(view: View, scope: Scope, name: str | None) -> str | None:
    default = next((vpc.id for vpc in network.vpcs(view, scope) if vpc.is_default), None)
    groups = network.security_groups(view, scope)
    return next((g.id for g in groups if (g.vpc_id, g.name) == (default, name)), None)


def _address_of(view: View, scope: Scope, association: str) -> str | None:
    found = view.scan(ADDRESSES, scope)
    return next((one.id for one in found if one.association_id == association), None)


def _table_of(view: View, scope: Scope, association: str) -> str | None:
    for table in network.route_tables(view, scope):
        if any(one.id == association for one in table.associations):
            return table.id
    return None


def _subnet_of(view: View, scope: Scope, association: str) -> str | None:
    found = network.subnets(view, scope)
    return next((one.id for one in found if network_acls.association(one) == association), None)


_ASSOCIATED: Mapping[str, Callable[[View, Scope, str], str | None]] = {
    "elastic-ip": _address_of,
    "route-table": _table_of,
    "subnet": _subnet_of,
}


def _asked(view: View, call: Call, action: str, named: tuple[str, str], told: Context) -> Asked:
    arn = call.scope.arn("ec2", "/".join(named))
    return Asked(
        action=action,
        resource=arn,
        context={**_region(call.scope), **told, **_of_resource(view, call.scope, *named)},
    )


def _of_resource(view: View, scope: Scope, resource_type: str, name: str) -> Context:
    """The condition keys that a resource tells: its id, its VPC and its tags."""
    found, vpc_id = _found(view, scope, resource_type, name)
    if found is None:
        return {}
    context = dict(resource_tags(found.tags, "ec2"))
    if resource_type in _ID_KEYS:
        context[f"ec2:{_ID_KEYS[resource_type]}"] = (name,)
    if vpc_id:
        context["ec2:vpc"] = (scope.arn("ec2", f"vpc/{vpc_id}"),)
    return context


def _found(view: View, scope: Scope, resource_type: str, name: str) -> tuple[Any, str | None]:
    """The resource and the VPC that it is in."""
    if resource_type == "security-group-rule":
        for group in network.security_groups(view, scope):
            for rule in group.rules:
                if rule.id == name:
                    return rule, group.vpc_id
        return None, None
    if resource_type in _AT_START:
        everything = _AT_START[resource_type](view, scope)
        found = next((one for one in everything if one.id == name), None)
    else:
        found = view.get(_KINDS[resource_type], scope, name) if resource_type in _KINDS else None
    return found, getattr(found, "vpc_id", None)


def _region(scope: Scope) -> Context:
    return {"ec2:region": (scope.region,)}


def _specified(request: Members, resource_type: str) -> dict[str, tuple[str, ...]]:
    specified = request.get("TagSpecifications") or ()
    tags = (
        t
        for one in specified
        if one.get("ResourceType") == resource_type
        for t in one.get("Tags") or ()
    )
    return _request_tags(tags)


def _request_tags(tags: Iterable[Members]) -> dict[str, tuple[str, ...]]:
    return dict(request_tags((tag.get("Key", ""), tag.get("Value") or "") for tag in tags))
