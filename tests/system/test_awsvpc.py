"""awsvpc tasks stand in the subnets of their VPC, with interfaces that come and go with them."""

from ipaddress import ip_address, ip_network

import pytest

from openecs_server import docker, eventually
from services import RUNS, Services

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]

SERVES = RUNS | {
    "command": ["sh", "-c", "mkdir /w; hostname -i > /w/index.html; exec httpd -f -p 80 -h /w"],
    "portMappings": [{"containerPort": 80}],
}


@pytest.fixture
def network(services):
    """A VPC with two subnets, and their ids."""
    ec2 = services.server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    zones = ("us-east-1a", "us-east-1b")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{n}.0/24", AvailabilityZone=zone)["Subnet"]
        for n, zone in enumerate(zones, 1)
    ]
    return vpc, [subnet["SubnetId"] for subnet in subnets]


def placed(*subnets, **members) -> dict:
    return {"awsvpcConfiguration": {"subnets": list(subnets), **members}}


def address_of(task: dict) -> str:
    return task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"]


@pytest.mark.covers("ec2:DescribeNetworkInterfaces", "ec2:DeleteSubnet")
def test_a_task_has_an_address_of_its_subnet(services: Services, network):
    vpc, (first, second) = network
    ec2 = services.server.client("ec2")
    definition = services.define("f", SERVES, networkMode="awsvpc")
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    for name, subnet in (("one", first), ("other", second)):
        network_configuration = placed(subnet, securityGroups=[group])
        services.create(name, definition, networkConfiguration=network_configuration)
    (one,), (other,) = (services.running_of(name, 1) for name in ("one", "other"))
    assert ip_address(address_of(one)) in ip_network("10.77.1.0/24")
    assert ip_address(address_of(other)) in ip_network("10.77.2.0/24")

    details = {d["name"]: d["value"] for d in one["attachments"][0]["details"]}
    filters = [{"Name": "subnet-id", "Values": [first]}]
    (interface,) = ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert interface["NetworkInterfaceId"] == details["networkInterfaceId"]
    assert interface["PrivateIpAddress"] == address_of(one) == details["privateIPv4Address"]
    assert interface["MacAddress"] == details["macAddress"]
    assert interface["Groups"] == [{"GroupId": group, "GroupName": "web"}]
    assert interface["Description"].endswith(f":attachment/{one['attachments'][0]['id']}")

    runtime = one["containers"][0]["runtimeId"]
    asked = docker("exec", runtime, "nc", "-w", "3", address_of(other), "80", check=False)
    assert asked == ""
    for call in (
        lambda: ec2.delete_subnet(SubnetId=first),
        lambda: ec2.delete_security_group(GroupId=group),
    ):
        with pytest.raises(ec2.exceptions.ClientError, match="DependencyViolation"):
            call()
    for name in ("one", "other"):
        services.delete(name, force=True)
    eventually(lambda: not ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])
    ec2.delete_subnet(SubnetId=first)
    ec2.delete_security_group(GroupId=group)


def test_what_is_not_there_is_refused(services: Services, network):
    _, (first, _) = network
    ecs, definition = services.ecs, services.define("f", RUNS, networkMode="awsvpc")
    for configuration, part in (
        (placed("subnet-0"), "The subnet ID 'subnet-0' does not exist"),
        (placed(first, securityGroups=["sg-0"]), "The security group 'sg-0' does not exist"),
    ):
        with pytest.raises(ecs.exceptions.InvalidParameterException, match=part):
            services.run(definition, networkConfiguration=configuration)


def test_a_range_the_machine_has_is_told(services: Services):
    ec2 = services.server.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="172.17.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="172.17.9.0/24")["Subnet"]["SubnetId"]
    definition = services.define("f", RUNS, networkMode="awsvpc")
    arn = services.start(definition, networkConfiguration=placed(subnet))
    task = services.stopped(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert (
        "the VPC's range 172.17.0.0/16 cannot be a network of the engine" in (task["stoppedReason"])
    )
