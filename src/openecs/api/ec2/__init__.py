"""Amazon EC2: the network that load balancers and tasks stand in."""

from __future__ import annotations

from collections.abc import Callable

from openecs.api.base import Call, Members, Operation, Reads, Service, ServiceError, Writes
from openecs.api.ec2 import (
    access,
    addresses,
    dhcp_options,
    internet_gateways,
    nat_gateways,
    network_acls,
    network_interfaces,
    prefix_lists,
    route_tables,
    security_groups,
    subnets,
    tags,
    vpc_endpoints,
    vpcs,
    zones,
)
from openecs.api.ec2 import security_group_rules as rules
from openecs.store.base import Transaction, View

_READS: dict[str, Callable[[View, Call, Members], Members]] = {
    "DescribeAccountAttributes": zones.describe_account_attributes,
    "DescribeAddresses": addresses.describe_addresses,
    "DescribeAddressesAttribute": addresses.describe_addresses_attribute,
    "DescribeAvailabilityZones": zones.describe_availability_zones,
    "DescribeDhcpOptions": dhcp_options.describe_dhcp_options,
    "DescribeInternetGateways": internet_gateways.describe_internet_gateways,
    "DescribeManagedPrefixLists": prefix_lists.describe_managed_prefix_lists,
    "DescribeNatGateways": nat_gateways.describe_nat_gateways,
    "DescribeNetworkAcls": network_acls.describe_network_acls,
    "DescribeNetworkInterfaces": network_interfaces.describe_network_interfaces,
    "DescribePrefixLists": prefix_lists.describe_prefix_lists,
    "DescribeRegions": zones.describe_regions,
    "DescribeRouteTables": route_tables.describe_route_tables,
    "DescribeSecurityGroupRules": rules.describe,
    "DescribeSecurityGroups": security_groups.describe_security_groups,
    "DescribeSubnets": subnets.describe_subnets,
    "DescribeTags": tags.describe_tags,
    "DescribeVpcAttribute": vpcs.describe_vpc_attribute,
    "DescribeVpcEndpointServices": vpc_endpoints.describe_vpc_endpoint_services,
    "DescribeVpcEndpoints": vpc_endpoints.describe_vpc_endpoints,
    "DescribeVpcs": vpcs.describe_vpcs,
    "DisassociateAddress": addresses.disassociate_address,
    "GetManagedPrefixListEntries": prefix_lists.get_managed_prefix_list_entries,
}

_WRITES: dict[str, Callable[[Transaction, Call, Members], Members]] = {
    "AllocateAddress": addresses.allocate_address,
    "AssociateDhcpOptions": dhcp_options.associate_dhcp_options,
    "AssociateRouteTable": route_tables.associate_route_table,
    "AttachInternetGateway": internet_gateways.attach_internet_gateway,
    "AuthorizeSecurityGroupEgress": rules.authorize(is_egress=True),
    "AuthorizeSecurityGroupIngress": rules.authorize(is_egress=False),
    "CreateDefaultVpc": vpcs.create_default_vpc,
    "CreateDhcpOptions": dhcp_options.create_dhcp_options,
    "CreateInternetGateway": internet_gateways.create_internet_gateway,
    "CreateManagedPrefixList": prefix_lists.create_managed_prefix_list,
    "CreateNatGateway": nat_gateways.create_nat_gateway,
    "CreateNetworkAcl": network_acls.create_network_acl,
    "CreateNetworkAclEntry": network_acls.create_network_acl_entry,
    "CreateRoute": route_tables.create_route,
    "CreateRouteTable": route_tables.create_route_table,
    "CreateSecurityGroup": security_groups.create_security_group,
    "CreateSubnet": subnets.create_subnet,
    "CreateTags": tags.create_tags,
    "CreateVpc": vpcs.create_vpc,
    "DeleteDhcpOptions": dhcp_options.delete_dhcp_options,
    "CreateVpcEndpoint": vpc_endpoints.create_vpc_endpoint,
    "DeleteInternetGateway": internet_gateways.delete_internet_gateway,
    "DeleteManagedPrefixList": prefix_lists.delete_managed_prefix_list,
    "DeleteNatGateway": nat_gateways.delete_nat_gateway,
    "DeleteNetworkAcl": network_acls.delete_network_acl,
    "DeleteNetworkAclEntry": network_acls.delete_network_acl_entry,
    "DeleteRoute": route_tables.delete_route,
    "DeleteRouteTable": route_tables.delete_route_table,
    "DeleteSecurityGroup": security_groups.delete_security_group,
    "DeleteSubnet": subnets.delete_subnet,
    "DeleteTags": tags.delete_tags,
    "DeleteVpc": vpcs.delete_vpc,
    "DeleteVpcEndpoints": vpc_endpoints.delete_vpc_endpoints,
    "DetachInternetGateway": internet_gateways.detach_internet_gateway,
    "DisassociateRouteTable": route_tables.disassociate_route_table,
    "ModifyManagedPrefixList": prefix_lists.modify_managed_prefix_list,
    "ModifySecurityGroupRules": rules.modify,
    "ModifySubnetAttribute": subnets.modify_subnet_attribute,
    "ModifyVpcAttribute": vpcs.modify_vpc_attribute,
    "ModifyVpcEndpoint": vpc_endpoints.modify_vpc_endpoint,
    "ReleaseAddress": addresses.release_address,
    "ReplaceNetworkAclAssociation": network_acls.replace_network_acl_association,
    "ReplaceNetworkAclEntry": network_acls.replace_network_acl_entry,
    "ReplaceRoute": route_tables.replace_route,
    "ReplaceRouteTableAssociation": route_tables.replace_route_table_association,
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

SERVICE = Service(name="ec2", operations=_OPERATIONS, access=access.access(_OPERATIONS))
