"""Gateways, route tables, elastic addresses and network ACLs over the wire."""

from __future__ import annotations

import pytest


@pytest.fixture
def gateway(ec2, vpc):
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc)
    return made


@pytest.fixture
def subnet(ec2, vpc):
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


@pytest.fixture
def table(ec2, vpc):
    return ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]


def table_of(ec2, name):
    (found,) = ec2.describe_route_tables(RouteTableIds=[name])["RouteTables"]
    return found


@pytest.mark.covers(
    "ec2:CreateInternetGateway",
    "ec2:AttachInternetGateway",
    "ec2:DetachInternetGateway",
    "ec2:DeleteInternetGateway",
    "ec2:DescribeInternetGateways",
)
def test_internet_gateways(ec2, vpc, gateway, refused):
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    (found,) = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    assert found["InternetGatewayId"] == gateway
    again = refused(ec2.attach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc)
    assert again[0] == "Resource.AlreadyAssociated"
    early = refused(ec2.delete_internet_gateway, InternetGatewayId=gateway)
    assert early[0] == "DependencyViolation"
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    gone = refused(ec2.delete_internet_gateway, InternetGatewayId=gateway)
    text = f"The internetGateway ID '{gateway}' does not exist"
    assert gone == ("InvalidInternetGatewayID.NotFound", text)


@pytest.mark.covers(
    "ec2:CreateRouteTable",
    "ec2:CreateRoute",
    "ec2:ReplaceRoute",
    "ec2:DeleteRoute",
    "ec2:DescribeRouteTables",
    "ec2:DeleteRouteTable",
)
def test_routes(ec2, table, gateway, refused):
    out = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
    ec2.create_route(**out, GatewayId=gateway)
    local, route = table_of(ec2, table)["Routes"]
    assert (local["GatewayId"], local["DestinationCidrBlock"]) == ("local", "10.0.0.0/16")
    assert (route["GatewayId"], route["State"], route["Origin"]) == (
        gateway,
        "active",
        "CreateRoute",
    )
    text = "The route identified by 0.0.0.0/0 already exists."
    assert refused(ec2.create_route, **out, GatewayId=gateway) == ("RouteAlreadyExists", text)
    ec2.replace_route(**out, GatewayId=gateway)
    ec2.delete_route(**out)
    text = f"no route with destination-cidr-block 0.0.0.0/0 in route table {table}"
    assert refused(ec2.delete_route, **out) == ("InvalidRoute.NotFound", text)
    ec2.delete_route_table(RouteTableId=table)
    text = f"The routeTable ID '{table}' does not exist"
    gone = refused(ec2.delete_route_table, RouteTableId=table)
    assert gone == ("InvalidRouteTableID.NotFound", text)


@pytest.mark.covers(
    "ec2:AssociateRouteTable",
    "ec2:ReplaceRouteTableAssociation",
    "ec2:DisassociateRouteTable",
)
def test_associations(ec2, vpc, table, subnet, refused):
    name = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    assert refused(ec2.delete_route_table, RouteTableId=table)[0] == "DependencyViolation"
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    answer = ec2.replace_route_table_association(AssociationId=name, RouteTableId=other)
    assert table_of(ec2, table)["Associations"] == []
    (association,) = table_of(ec2, other)["Associations"]
    assert (association["SubnetId"], association["Main"]) == (subnet, False)
    ec2.disassociate_route_table(AssociationId=answer["NewAssociationId"])
    gone = refused(ec2.disassociate_route_table, AssociationId=answer["NewAssociationId"])
    assert gone[0] == "InvalidAssociationID.NotFound"


@pytest.mark.covers(
    "ec2:AllocateAddress",
    "ec2:DescribeAddresses",
    "ec2:DescribeAddressesAttribute",
    "ec2:DisassociateAddress",
    "ec2:ReleaseAddress",
    "ec2:CreateNatGateway",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DeleteNatGateway",
)
def test_a_nat_gateway_has_an_elastic_address(ec2, vpc, subnet, gateway, refused):
    address = ec2.allocate_address(Domain="vpc")
    eip = address["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=eip)["NatGateway"]["NatGatewayId"]
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    (found,) = ec2.describe_nat_gateways(Filter=in_vpc)["NatGateways"]
    (own,) = found["NatGatewayAddresses"]
    assert (own["PrivateIp"], own["PublicIp"]) == ("10.0.1.4", address["PublicIp"])
    (interface,) = ec2.describe_network_interfaces(Filters=in_vpc)["NetworkInterfaces"]
    assert interface["NetworkInterfaceId"] == own["NetworkInterfaceId"]
    assert refused(ec2.release_address, AllocationId=eip)[0] == "InvalidIPAddress.InUse"
    assert refused(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    detach = {"InternetGatewayId": gateway, "VpcId": vpc}
    assert refused(ec2.detach_internet_gateway, **detach)[0] == "DependencyViolation"
    own = {"AssociationId": own["AssociationId"]}
    assert refused(ec2.disassociate_address, **own)[0] == "AuthFailure"
    ec2.delete_nat_gateway(NatGatewayId=nat)
    assert refused(ec2.disassociate_address, **own)[0] == "InvalidAssociationID.NotFound"
    text = f"The Nat Gateway {nat} was not found"
    gone = refused(ec2.describe_nat_gateways, NatGatewayIds=[nat])
    assert gone == ("NatGatewayNotFound", text)
    (free,) = ec2.describe_addresses(PublicIps=[address["PublicIp"]])["Addresses"]
    assert "AssociationId" not in free
    (free,) = ec2.describe_addresses_attribute(AllocationIds=[eip])["Addresses"]
    assert free["AllocationId"] == eip
    ec2.release_address(AllocationId=eip)
    assert ec2.describe_addresses()["Addresses"] == []


@pytest.mark.covers(
    "ec2:DescribeNetworkAcls",
    "ec2:CreateNetworkAclEntry",
    "ec2:DeleteNetworkAclEntry",
    "ec2:ReplaceNetworkAclEntry",
    "ec2:ReplaceNetworkAclAssociation",
)
def test_network_acls(ec2, vpc, subnet, refused):
    in_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    (acl,) = ec2.describe_network_acls(Filters=in_vpc)["NetworkAcls"]
    assert [one["SubnetId"] for one in acl["Associations"]] == [subnet]
    assert len(acl["Entries"]) == 4
    same = acl["Associations"][0]["NetworkAclAssociationId"]
    answer = ec2.replace_network_acl_association(
        AssociationId=same, NetworkAclId=acl["NetworkAclId"]
    )
    assert answer["NewAssociationId"] == same
    which = {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": 90, "Egress": False}
    entry = {"Protocol": "6", "RuleAction": "deny", "CidrBlock": "10.9.0.0/16"}
    ports = {"PortRange": {"From": 1, "To": 9}}
    ec2.create_network_acl_entry(**which, **entry, **ports)
    again = refused(ec2.create_network_acl_entry, **which, **entry, **ports)
    assert again[0] == "NetworkAclEntryAlreadyExists"
    (acl,) = ec2.describe_network_acls(Filters=in_vpc)["NetworkAcls"]
    (shown,) = [one for one in acl["Entries"] if one["RuleNumber"] == 90]
    assert (shown["RuleAction"], shown["PortRange"]) == ("deny", {"From": 1, "To": 9})
    denied = {**which, **entry, **ports, "RuleAction": "deny", "CidrBlock": "192.0.2.0/24"}
    ec2.replace_network_acl_entry(**denied)
    (found,) = ec2.describe_network_acls(NetworkAclIds=[which["NetworkAclId"]])["NetworkAcls"]
    assert [
        (one["RuleAction"], one["CidrBlock"])
        for one in found["Entries"]
        if (one["RuleNumber"], one["Egress"]) == (which["RuleNumber"], which["Egress"])
    ] == [("deny", "192.0.2.0/24")]
    ec2.delete_network_acl_entry(**which)
    gone = refused(ec2.replace_network_acl_entry, **denied)
    assert gone[0] == "InvalidNetworkAclEntry.NotFound"
    gone = refused(ec2.delete_network_acl_entry, **which)
    assert gone[0] == "InvalidNetworkAclEntry.NotFound"


@pytest.mark.covers("ec2:CreateNetworkAcl", "ec2:DeleteNetworkAcl")
def test_a_network_acl_of_ones_own(ec2, vpc, subnet, refused):
    made = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]
    assert not made["IsDefault"]
    assert [one["RuleAction"] for one in made["Entries"]] == ["deny", "deny"]
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (default,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
    assert default["IsDefault"]
    names = {one["SubnetId"]: one["NetworkAclAssociationId"] for one in default["Associations"]}
    own = {"NetworkAclId": made["NetworkAclId"]}
    assert refused(ec2.delete_network_acl, NetworkAclId=default["NetworkAclId"])[0] == (
        "InvalidParameterValue"
    )
    ec2.replace_network_acl_association(AssociationId=names[subnet], **own)
    (found,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
    assert found["NetworkAclId"] == made["NetworkAclId"]
    assert refused(ec2.delete_network_acl, **own)[0] == "DependencyViolation"
    ec2.replace_network_acl_association(
        AssociationId=names[subnet], NetworkAclId=default["NetworkAclId"]
    )
    ec2.delete_network_acl(**own)
    (found,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
    assert found["IsDefault"]


def test_a_subnet_that_goes_leaves_its_network_acl(ec2, vpc, subnet):
    own = {"NetworkAclId": ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]}
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (default,) = ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
    name = default["Associations"][0]["NetworkAclAssociationId"]
    ec2.replace_network_acl_association(AssociationId=name, **own)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_network_acl(**own)
    ec2.delete_vpc(VpcId=vpc)
