"""Who may do what with which security group and VPC, through the door."""

from __future__ import annotations

import pytest

from gateway_door import ACCOUNT

from .conftest import allow

ARN = f"arn:aws:ec2:eu-central-1:{ACCOUNT}"
DENIED = "UnauthorizedOperation"
PERMISSION = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
RULE = [{**PERMISSION, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]


@pytest.fixture
def root(client):
    return client("ec2")


def a_group(ec2, name, **more):
    return ec2.create_security_group(GroupName=name, Description="d", **more)["GroupId"]


def tagged(resource_type, **tags):
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": resource_type, "Tags": pairs}]


def test_a_policy_on_one_security_group_opens_that_one_only(client, root, user, refused):
    own, other = a_group(root, "own"), a_group(root, "other")
    opens = allow("ec2:*", resource=f"{ARN}:security-group/{own}")
    ada = client("ec2", user("ada", opens))
    ada.authorize_security_group_ingress(GroupId=own, IpPermissions=RULE)
    ada.revoke_security_group_ingress(GroupName="own", IpPermissions=RULE)
    code, text = refused(ada.authorize_security_group_ingress, GroupId=other, IpPermissions=RULE)
    assert code == DENIED
    assert text == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: "
        f"ec2:AuthorizeSecurityGroupIngress on resource: {ARN}:security-group/{other} because no "
        "identity-based policy allows the ec2:AuthorizeSecurityGroupIngress action"
    )
    tags = [{"Key": "a", "Value": "b"}]
    ada.create_tags(Resources=[own], Tags=tags)
    assert refused(ada.create_tags, Resources=[own, other], Tags=tags)[0] == DENIED
    assert refused(ada.describe_security_groups)[0] == DENIED
    ada.delete_security_group(GroupId=own)


def test_a_policy_on_one_vpc_opens_what_is_in_it(client, root, user, refused):
    own, other = (
        root.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for cidr in ("10.0.0.0/16", "10.1.0.0/16")
    )
    inside = {"ArnEquals": {"ec2:Vpc": f"{ARN}:vpc/{own}"}}
    ada = client(
        "ec2",
        user(
            "ada",
            allow("ec2:CreateSecurityGroup", resource=f"{ARN}:vpc/{own}"),
            allow("ec2:CreateSecurityGroup", resource=f"{ARN}:security-group/*"),
            allow("ec2:DeleteSecurityGroup", Condition=inside),
        ),
    )
    assert refused(a_group, ec2=ada, name="g", VpcId=other)[0] == DENIED
    made = a_group(ada, "g", VpcId=own)
    theirs = a_group(root, "g", VpcId=other)
    assert refused(ada.delete_security_group, GroupId=theirs)[0] == DENIED
    ada.delete_security_group(GroupId=made)


def test_tags_at_the_making_need_a_right_of_their_own(client, user, refused):
    making = allow("ec2:CreateVpc")
    condition = {
        "StringEquals": {"ec2:CreateAction": "CreateVpc", "aws:RequestTag/team": "a"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
    }
    bob = client("ec2", user("bob", making))
    ada = client("ec2", user("ada", making, allow("ec2:CreateTags", Condition=condition)))
    asked = {"CidrBlock": "10.0.0.0/16", "TagSpecifications": tagged("vpc", team="a")}
    code, text = refused(bob.create_vpc, **asked)
    assert code == DENIED
    assert f"ec2:CreateTags on resource: {ARN}:vpc/*" in text
    made = ada.create_vpc(**asked)["Vpc"]["VpcId"]
    tags = [{"Key": "team", "Value": "a"}]
    assert refused(ada.create_tags, Resources=[made], Tags=tags)[0] == DENIED
    more = tagged("vpc", team="a", other="b")
    assert refused(ada.create_vpc, CidrBlock="10.0.0.0/16", TagSpecifications=more)[0] == DENIED


def test_tags_of_rules_and_of_what_an_association_names(client, root, user, refused):
    group = a_group(root, "g")
    rule = root.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=RULE,
        TagSpecifications=tagged("security-group-rule", team="a"),
    )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    vpc = root.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = root.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    table = root.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    association = root.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    team = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    ada = client(
        "ec2",
        user(
            "ada",
            allow("ec2:DeleteTags", Condition=team),
            allow("ec2:DisassociateRouteTable", resource=f"{ARN}:route-table/{table}"),
            allow("ec2:ReleaseAddress", resource=f"{ARN}:elastic-ip/eipalloc-1"),
        ),
    )
    assert refused(ada.delete_tags, Resources=[group])[0] == DENIED
    ada.delete_tags(Resources=[rule])
    ada.disassociate_route_table(AssociationId=association)
    other = root.allocate_address()["AllocationId"]
    assert refused(ada.release_address, AllocationId=other)[0] == DENIED


def test_all_that_a_request_names_must_be_allowed(client, root, user, refused):
    vpc = root.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    own, other = (
        root.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)
    )
    parts = [f"{ARN}:vpc-endpoint/*", f"{ARN}:vpc/{vpc}", f"{ARN}:route-table/{own}"]
    ada = client("ec2", user("ada", allow("ec2:CreateVpcEndpoint", resource=parts)))
    asked = {"VpcId": vpc, "ServiceName": "com.amazonaws.eu-central-1.s3"}
    code, text = refused(ada.create_vpc_endpoint, RouteTableIds=[own, other], **asked)
    assert code == DENIED
    assert f"on resource: {ARN}:route-table/{other}" in text
    ada.create_vpc_endpoint(RouteTableIds=[own], **asked)


def test_a_policy_on_one_prefix_list_opens_that_one_only(client, root, user, refused):
    asked = {"AddressFamily": "IPv4", "MaxEntries": 1}
    own, other = (
        root.create_managed_prefix_list(PrefixListName=name, **asked)["PrefixList"]["PrefixListId"]
        for name in ("own", "other")
    )
    ada = client("ec2", user("ada", allow("ec2:*", resource=f"{ARN}:prefix-list/{own}")))
    ada.get_managed_prefix_list_entries(PrefixListId=own)
    assert refused(ada.get_managed_prefix_list_entries, PrefixListId=other)[0] == DENIED
    ada.delete_managed_prefix_list(PrefixListId=own)
    assert refused(ada.delete_managed_prefix_list, PrefixListId=other)[0] == DENIED
