"""Gateway endpoints over the wire."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def service(ec2):
    return f"com.amazonaws.{ec2.meta.region_name}.s3"


@pytest.fixture
def table(ec2, vpc):
    return ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]


def endpoint_of(ec2, name):
    (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    return found


@pytest.mark.covers(
    "ec2:CreateVpcEndpoint",
    "ec2:DeleteVpcEndpoints",
    "ec2:DescribeVpcEndpoints",
    "ec2:ModifyVpcEndpoint",
)
def test_a_gateway_endpoint(ec2, vpc, service, table, refused):
    tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "team", "Value": "a"}]}]
    name = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName=service, RouteTableIds=[table], TagSpecifications=tags
    )["VpcEndpoint"]["VpcEndpointId"]
    found = endpoint_of(ec2, name)
    assert (found["State"], found["VpcEndpointType"]) == ("available", "Gateway")
    assert (found["RouteTableIds"], found["Tags"]) == ([table], tags[0]["Tags"])
    assert json.loads(found["PolicyDocument"])["Statement"][0]["Effect"] == "Allow"
    again = refused(ec2.create_vpc_endpoint, VpcId=vpc, ServiceName=service, RouteTableIds=[table])
    assert again[0] == "RouteAlreadyExists"
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    ec2.modify_vpc_endpoint(VpcEndpointId=name, RemoveRouteTableIds=[table], PolicyDocument=policy)
    found = endpoint_of(ec2, name)
    assert (found["RouteTableIds"], found["PolicyDocument"]) == ([], policy)
    ec2.modify_vpc_endpoint(VpcEndpointId=name, AddRouteTableIds=[table], ResetPolicy=True)
    assert json.loads(endpoint_of(ec2, name)["PolicyDocument"])["Statement"]
    ec2.delete_route_table(RouteTableId=table)
    assert endpoint_of(ec2, name)["RouteTableIds"] == []
    assert refused(ec2.delete_vpc, VpcId=vpc)[0] == "DependencyViolation"
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[name, "vpce-0"])
    (failed,) = answer["Unsuccessful"]
    assert (failed["ResourceId"], failed["Error"]["Code"]) == (
        "vpce-0",
        "InvalidVpcEndpointId.NotFound",
    )
    gone = refused(ec2.describe_vpc_endpoints, VpcEndpointIds=[name])
    assert gone == ("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{name}' does not exist")
    ec2.delete_vpc(VpcId=vpc)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"VpcEndpointType": "Interface"}, "UnsupportedOperation"),
        ({"ServiceName": "com.amazonaws.nowhere.s3"}, "InvalidServiceName"),
        ({"SubnetIds": ["subnet-1"]}, "InvalidParameter"),
        ({"PrivateDnsEnabled": True}, "InvalidParameter"),
        ({"PolicyDocument": "no policy"}, "InvalidParameter"),
        ({"RouteTableIds": ["rtb-0"]}, "InvalidRouteTableID.NotFound"),
        ({"VpcId": "vpc-0"}, "InvalidVpcID.NotFound"),
    ],
)
def test_what_is_refused(ec2, vpc, service, refused, members, code):
    asked = {"VpcId": vpc, "ServiceName": service, **members}
    assert refused(ec2.create_vpc_endpoint, **asked)[0] == code


@pytest.mark.covers("ec2:DescribeVpcEndpointServices")
def test_services_with_gateway_endpoints(ec2, service, refused):
    found = ec2.describe_vpc_endpoint_services()
    assert service in found["ServiceNames"]
    wanted = [{"Name": "service-name", "Values": ["*.s3"]}]
    (one,) = ec2.describe_vpc_endpoint_services(Filters=wanted)["ServiceDetails"]
    assert one["ServiceType"] == [{"ServiceType": "Gateway"}]
    unknown = refused(ec2.describe_vpc_endpoint_services, ServiceNames=["com.amazonaws.x"])
    assert unknown[0] == "InvalidServiceName"
