"""VPCs, subnets, zones, tags, filters and pages over the wire."""

from __future__ import annotations

import pytest

NAMED = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "main"}]}]


@pytest.mark.covers(
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeRegions",
)
def test_every_region_starts_with_a_default_network(ec2):
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert (vpc["CidrBlock"], vpc["IsDefault"]) == ("172.31.0.0/16", True)
    assert "Tags" not in vpc
    zones = [one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = ec2.describe_subnets()["Subnets"]
    assert sorted(one["AvailabilityZone"] for one in subnets) == zones
    assert {one["AvailableIpAddressCount"] for one in subnets} == {4091}
    (default,) = ec2.describe_account_attributes(AttributeNames=["default-vpc"])[
        "AccountAttributes"
    ]
    assert default["AttributeValues"] == [{"AttributeValue": vpc["VpcId"]}]
    assert ec2.meta.region_name in [one["RegionName"] for one in ec2.describe_regions()["Regions"]]


@pytest.mark.covers("ec2:CreateVpc", "ec2:DeleteVpc", "ec2:CreateDefaultVpc")
def test_a_vpc_comes_and_goes_with_its_parts(ec2, vpc, refused):
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    (group,) = ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
    (table,) = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    (acl,) = ec2.describe_network_acls(Filters=of_vpc)["NetworkAcls"]
    assert group["GroupName"] == "default"
    assert table["Associations"][0]["Main"]
    assert acl["IsDefault"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    text = f"The vpc '{vpc}' has dependencies and cannot be deleted."
    assert refused(ec2.delete_vpc, VpcId=vpc) == ("DependencyViolation", text)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=vpc)
    text = f"The vpc ID '{vpc}' does not exist"
    assert refused(ec2.describe_vpcs, VpcIds=[vpc]) == ("InvalidVpcID.NotFound", text)
    assert len(ec2.describe_security_groups()["SecurityGroups"]) == 1
    assert refused(ec2.create_default_vpc)[0] == "DefaultVpcAlreadyExists"


def test_a_default_vpc_is_made_anew(ec2):
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    for one in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=one["SubnetId"])
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    name = gateway["InternetGatewayId"]
    ec2.detach_internet_gateway(InternetGatewayId=name, VpcId=vpc["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=name)
    ec2.delete_vpc(VpcId=vpc["VpcId"])
    assert ec2.describe_vpcs()["Vpcs"] == []
    assert ec2.create_default_vpc()["Vpc"]["IsDefault"]
    assert len(ec2.describe_subnets()["Subnets"]) == 3


@pytest.mark.covers("ec2:ModifyVpcAttribute", "ec2:DescribeVpcAttribute")
def test_vpc_attributes(ec2, vpc):
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    assert answer["EnableDnsHostnames"] == {"Value": True}
    answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
    assert answer["EnableDnsSupport"] == {"Value": True}


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.0.0.0/29"])
def test_a_vpc_has_a_size(ec2, refused, cidr):
    error = ("InvalidVpc.Range", f"The CIDR '{cidr}' is invalid.")
    assert refused(ec2.create_vpc, CidrBlock=cidr) == error


def test_what_is_no_range_is_refused(ec2, refused):
    code, text = refused(ec2.create_vpc, CidrBlock="ten/16")
    assert code == "InvalidParameterValue"
    assert text == (
        "Value (ten/16) for parameter cidrBlock is invalid. This is not a valid CIDR block."
    )


@pytest.mark.covers("ec2:CreateSubnet", "ec2:DeleteSubnet", "ec2:ModifySubnetAttribute")
def test_subnets_share_a_range(ec2, vpc, refused):
    zone = f"{ec2.meta.region_name}b"
    made = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", AvailabilityZone=zone)["Subnet"]
    assert (made["AvailabilityZone"], made["AvailableIpAddressCount"]) == (zone, 251)
    name = made["SubnetId"]
    again = refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.0.1.128/25")
    text = "The CIDR '10.0.1.128/25' conflicts with another subnet"
    assert again == ("InvalidSubnet.Conflict", text)
    outside = refused(ec2.create_subnet, VpcId=vpc, CidrBlock="10.1.0.0/24")
    assert outside == ("InvalidSubnet.Range", "The CIDR '10.1.0.0/24' is invalid.")
    ec2.modify_subnet_attribute(SubnetId=name, MapPublicIpOnLaunch={"Value": True})
    assert ec2.describe_subnets(SubnetIds=[name])["Subnets"][0]["MapPublicIpOnLaunch"]
    ec2.delete_subnet(SubnetId=name)
    text = f"The subnet ID '{name}' does not exist"
    assert refused(ec2.delete_subnet, SubnetId=name) == ("InvalidSubnetID.NotFound", text)


def test_a_dry_run_changes_nothing(ec2, refused):
    code, text = refused(ec2.create_vpc, CidrBlock="10.0.0.0/16", DryRun=True)
    assert code == "DryRunOperation"
    assert text == "Request would have succeeded, but DryRun flag is set."
    assert len(ec2.describe_vpcs()["Vpcs"]) == 1


def test_pages(ec2, vpc):
    for number in range(4):
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")
    first = ec2.describe_subnets(MaxResults=5)
    second = ec2.describe_subnets(MaxResults=5, NextToken=first["NextToken"])
    names = {one["SubnetId"] for one in first["Subnets"] + second["Subnets"]}
    assert (len(first["Subnets"]), len(names), second.get("NextToken")) == (5, 7, None)


@pytest.mark.covers("ec2:CreateTags", "ec2:DeleteTags", "ec2:DescribeTags")
def test_tags(ec2, refused):
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=NAMED)["Vpc"]
    assert vpc["Tags"] == [{"Key": "Name", "Value": "main"}]
    name = vpc["VpcId"]
    ec2.create_tags(Resources=[name], Tags=[{"Key": "team", "Value": "a*b"}])
    for filtered in (
        {"Name": "tag:team", "Values": ["a\\*b"]},
        {"Name": "tag:Name", "Values": ["nobody", "ma?n"]},
        {"Name": "tag-key", "Values": ["te*"]},
    ):
        (found,) = ec2.describe_vpcs(Filters=[filtered])["Vpcs"]
        assert found["VpcId"] == name
    assert ec2.describe_vpcs(Filters=[{"Name": "tag:team", "Values": ["a\\?b"]}])["Vpcs"] == []
    (tag,) = ec2.describe_tags(Filters=[{"Name": "key", "Values": ["team"]}])["Tags"]
    assert tag == {"Key": "team", "ResourceId": name, "ResourceType": "vpc", "Value": "a*b"}
    ec2.delete_tags(Resources=[name], Tags=[{"Key": "team", "Value": "other"}, {"Key": "Name"}])
    (found,) = ec2.describe_vpcs(VpcIds=[name])["Vpcs"]
    assert found["Tags"] == [{"Key": "team", "Value": "a*b"}]
    unknown = [{"Name": "colour", "Values": ["red"]}]
    assert refused(ec2.describe_vpcs, Filters=unknown) == (
        "InvalidParameterValue",
        "The filter 'colour' is invalid",
    )


@pytest.mark.covers(
    "ec2:CreateDhcpOptions",
    "ec2:AssociateDhcpOptions",
    "ec2:DescribeDhcpOptions",
    "ec2:DeleteDhcpOptions",
)
def test_dhcp_options_are_a_vpcs_until_others_are(ec2, vpc, refused):
    given = [
        {"Key": "domain-name", "Values": ["shop.internal"]},
        {"Key": "domain-name-servers", "Values": ["10.0.0.2", "AmazonProvidedDNS"]},
    ]
    tags = [{"ResourceType": "dhcp-options", "Tags": [{"Key": "Name", "Value": "shop"}]}]
    made = ec2.create_dhcp_options(DhcpConfigurations=given, TagSpecifications=tags)["DhcpOptions"]
    name = made["DhcpOptionsId"]
    assert [
        {"Key": each["Key"], "Values": [value["Value"] for value in each["Values"]]}
        for each in made["DhcpConfigurations"]
    ] == given
    ec2.associate_dhcp_options(DhcpOptionsId=name, VpcId=vpc)
    of_options = [{"Name": "dhcp-options-id", "Values": [name]}]
    assert [each["VpcId"] for each in ec2.describe_vpcs(Filters=of_options)["Vpcs"]] == [vpc]
    by_value = [{"Name": "value", "Values": ["shop.internal"]}]
    (found,) = ec2.describe_dhcp_options(Filters=by_value)["DhcpOptions"]
    assert found["Tags"] == [{"Key": "Name", "Value": "shop"}]
    text = f"The dhcpOptions '{name}' has dependencies and cannot be deleted."
    assert refused(ec2.delete_dhcp_options, DhcpOptionsId=name) == ("DependencyViolation", text)
    ec2.associate_dhcp_options(DhcpOptionsId="default", VpcId=vpc)
    ec2.delete_dhcp_options(DhcpOptionsId=name)
    text = f"The dhcpOption ID '{name}' does not exist"
    missing = ("InvalidDhcpOptionID.NotFound", text)
    assert refused(ec2.describe_dhcp_options, DhcpOptionsIds=[name]) == missing
    assert refused(ec2.associate_dhcp_options, DhcpOptionsId=name, VpcId=vpc) == missing


@pytest.mark.parametrize(
    "option",
    [
        {"Key": "colour", "Values": ["blue"]},
        {"Key": "domain-name", "Values": ["a", "b"]},
        {"Key": "domain-name-servers", "Values": []},
    ],
)
def test_dhcp_options_that_there_are_not(ec2, refused, option):
    code, _ = refused(ec2.create_dhcp_options, DhcpConfigurations=[option])
    assert code == "InvalidParameterValue"
