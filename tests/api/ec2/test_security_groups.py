"""Security groups and their rules over the wire."""

from __future__ import annotations

import pytest

HTTP = {
    "IpProtocol": "tcp",
    "FromPort": 80,
    "ToPort": 80,
    "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all"}],
}


@pytest.fixture
def group(ec2, vpc):
    return ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]


def rules(ec2, group):
    of_group = [{"Name": "group-id", "Values": [group]}]
    return ec2.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]


@pytest.mark.covers(
    "ec2:CreateSecurityGroup", "ec2:DeleteSecurityGroup", "ec2:DescribeSecurityGroups"
)
def test_a_group_comes_and_goes(ec2, vpc, group, refused):
    (found,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert (found["GroupName"], found["VpcId"], found["IpPermissions"]) == ("web", vpc, [])
    (out,) = found["IpPermissionsEgress"]
    assert (out["IpProtocol"], out["IpRanges"]) == ("-1", [{"CidrIp": "0.0.0.0/0"}])
    again = {"GroupName": "web", "Description": "web", "VpcId": vpc}
    text = f"The security group 'web' already exists for VPC '{vpc}'"
    assert refused(ec2.create_security_group, **again) == ("InvalidGroup.Duplicate", text)
    ec2.delete_security_group(GroupId=group)
    text = f"The security group '{group}' does not exist"
    assert refused(ec2.delete_security_group, GroupId=group) == ("InvalidGroup.NotFound", text)


def test_the_default_group_stays(ec2, refused):
    (default,) = ec2.describe_security_groups(GroupNames=["default"])["SecurityGroups"]
    code, _ = refused(ec2.delete_security_group, GroupId=default["GroupId"])
    assert code == "CannotDelete"


@pytest.mark.covers(
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupIngress",
    "ec2:DescribeSecurityGroupRules",
)
def test_rules_let_in(ec2, group, refused):
    answer = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[HTTP])
    (rule,) = answer["SecurityGroupRules"]
    assert (rule["CidrIpv4"], rule["Description"], rule["FromPort"]) == ("0.0.0.0/0", "all", 80)
    again = {"GroupId": group, "IpPermissions": [HTTP]}
    peer = "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW"
    text = f'the specified rule "{peer}" already exists'
    error = refused(ec2.authorize_security_group_ingress, **again)
    assert error == ("InvalidPermission.Duplicate", text)
    assert rule["SecurityGroupRuleId"] in [r["SecurityGroupRuleId"] for r in rules(ec2, group)]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[HTTP])
    assert refused(ec2.revoke_security_group_ingress, **again)[0] == "InvalidPermission.NotFound"


@pytest.mark.covers("ec2:AuthorizeSecurityGroupEgress", "ec2:RevokeSecurityGroupEgress")
def test_rules_let_out(ec2, group):
    (everything,) = rules(ec2, group)
    name = everything["SecurityGroupRuleId"]
    ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=[name])
    assert rules(ec2, group) == []
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[HTTP])
    (rule,) = rules(ec2, group)
    assert rule["IsEgress"]


@pytest.mark.covers(
    "ec2:ModifySecurityGroupRules",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
)
def test_rules_change(ec2, group):
    answer = ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="6", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8"
    )
    name = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    words = {"SecurityGroupRuleId": name, "Description": "shell"}
    ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group, SecurityGroupRuleDescriptions=[words]
    )
    (rule,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[name])["SecurityGroupRules"]
    assert (rule["IpProtocol"], rule["Description"]) == ("tcp", "shell")
    wanted = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "ReferencedGroupId": group}
    update = {"SecurityGroupRuleId": name, "SecurityGroupRule": wanted}
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[update])
    (rule,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[name])["SecurityGroupRules"]
    assert rule["ReferencedGroupInfo"]["GroupId"] == group
    assert (rule["IpProtocol"], rule["FromPort"], "CidrIpv4" in rule) == ("udp", 53, False)
    out = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "out"}]}
    ec2.update_security_group_rule_descriptions_egress(GroupId=group, IpPermissions=[out])
    assert "out" in [one.get("Description") for one in rules(ec2, group)]


def test_a_group_that_a_rule_refers_to_stays(ec2, vpc, group, refused):
    other = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc)["GroupId"]
    from_web = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[from_web])
    text = f"resource {group} has a dependent object"
    assert refused(ec2.delete_security_group, GroupId=group) == ("DependencyViolation", text)
