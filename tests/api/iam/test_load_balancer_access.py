"""Who may do what with which load balancer and target group, through the door."""

from __future__ import annotations

import pytest

from gateway_door import ACCOUNT
from openecs.api import elbv2

from .conftest import allow

REGION = "eu-central-1"
ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"


@pytest.fixture
def root(client):
    return client("elbv2")


@pytest.fixture
def vpc(client):
    return client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]


@pytest.fixture
def subnets(client):
    found = client("ec2").describe_subnets()["Subnets"]
    return [one["SubnetId"] for one in found][:2]


def a_group(elb, name, vpc, **more):
    made = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, **more)
    return made["TargetGroups"][0]["TargetGroupArn"]


def a_balancer(elb, name, subnets, **more):
    made = elb.create_load_balancer(Name=name, Subnets=subnets, **more)
    return made["LoadBalancers"][0]["LoadBalancerArn"]


def test_every_operation_says_what_it_asks():
    assert elbv2.SERVICE.operations.keys() <= elbv2.SERVICE.access.keys()


def test_a_policy_on_one_target_group_opens_that_one_only(client, root, user, refused, vpc):
    own, other = a_group(root, "own", vpc), a_group(root, "other", vpc)
    ada = client("elbv2", user("ada", allow("elasticloadbalancing:*", resource=own)))
    ada.modify_target_group(TargetGroupArn=own, HealthCheckPath="/ok")
    code, text = refused(ada.modify_target_group, TargetGroupArn=other, HealthCheckPath="/ok")
    assert code == "AccessDenied"
    assert text == (
        f"User: arn:aws:iam::{ACCOUNT}:user/ada is not authorized to perform: "
        f"elasticloadbalancing:ModifyTargetGroup on resource: {other} because no identity-based "
        "policy allows the elasticloadbalancing:ModifyTargetGroup action"
    )
    tags = [{"Key": "a", "Value": "b"}]
    ada.add_tags(ResourceArns=[own], Tags=tags)
    assert refused(ada.add_tags, ResourceArns=[own, other], Tags=tags)[0] == "AccessDenied"
    assert refused(ada.describe_target_groups)[0] == "AccessDenied"


def test_what_is_made_is_known_by_its_name(client, user, refused, vpc):
    named = allow(
        "elasticloadbalancing:CreateTargetGroup", resource=f"{ARN}:targetgroup/team-a-*/*"
    )
    ada = client("elbv2", user("ada", named))
    assert a_group(ada, "team-a-web", vpc)
    assert refused(a_group, elb=ada, name="web", vpc=vpc)[0] == "AccessDenied"


def test_tags_at_the_making_need_a_right_of_their_own(client, user, refused, vpc):
    making = allow("elasticloadbalancing:CreateTargetGroup")
    condition = {
        "StringEquals": {
            "elasticloadbalancing:CreateAction": "CreateTargetGroup",
            "aws:RequestTag/team": "a",
        }
    }
    tagging = allow("elasticloadbalancing:AddTags", Condition=condition)
    bob = client("elbv2", user("bob", making))
    ada = client("elbv2", user("ada", making, tagging))
    tags = [{"Key": "team", "Value": "a"}]
    _, text = refused(a_group, elb=bob, name="tagged", vpc=vpc, Tags=tags)
    assert f"elasticloadbalancing:AddTags on resource: {ARN}:targetgroup/tagged/*" in text
    own = a_group(ada, "tagged", vpc, Tags=tags)
    assert refused(ada.add_tags, ResourceArns=[own], Tags=tags)[0] == "AccessDenied"


def test_conditions_on_tags_schemes_and_protocols(client, root, user, refused, subnets):
    scheme = {"StringEquals": {"elasticloadbalancing:Scheme": "internal"}}
    tagged = {"StringEquals": {"elasticloadbalancing:ResourceTag/team": "a"}}
    secure = {"StringEquals": {"elasticloadbalancing:ListenerProtocol": "HTTPS"}}
    ada = client(
        "elbv2",
        user(
            "ada",
            allow("elasticloadbalancing:CreateLoadBalancer", Condition=scheme),
            allow("elasticloadbalancing:DeleteLoadBalancer", Condition=tagged),
            allow("elasticloadbalancing:CreateListener", Condition=secure),
        ),
    )
    plain = a_balancer(ada, "inner", subnets, Scheme="internal")
    assert refused(a_balancer, elb=ada, name="outer", subnets=subnets)[0] == "AccessDenied"
    mine = a_balancer(root, "mine", subnets, Tags=[{"Key": "team", "Value": "a"}])
    assert refused(ada.delete_load_balancer, LoadBalancerArn=plain)[0] == "AccessDenied"
    ada.delete_load_balancer(LoadBalancerArn=mine)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    listener = {"LoadBalancerArn": plain, "Port": 80, "DefaultActions": [answer]}
    assert refused(ada.create_listener, Protocol="HTTP", **listener)[0] == "AccessDenied"
