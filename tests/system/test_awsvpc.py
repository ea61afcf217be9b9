"""awsvpc tasks stand in the subnets of their VPC, with interfaces that come and go with them."""

import urllib.request
from ipaddress import ip_address, ip_network

import pytest

from openecs_server import containers_of, docker, eventually, free_port
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


def answers(asking: dict, address: str) -> bool:
    """Whether one task reaches the address of another."""
    request = f"printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 1 {address} 80"
    runtime = asking["containers"][0]["runtimeId"]
    return address in docker("exec", runtime, "sh", "-c", request, check=False)


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

    for call in (
        lambda: ec2.delete_subnet(SubnetId=first),
        lambda: ec2.delete_security_group(GroupId=group),
    ):
        with pytest.raises(ec2.exceptions.ClientError, match="DependencyViolation"):
            call()
    for name in ("one", "other"):
        services.delete(name, force=True)
    filters = [{"Name": "group-id", "Values": [group]}]
    eventually(lambda: not ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])
    ec2.delete_subnet(SubnetId=first)
    ec2.delete_security_group(GroupId=group)


@pytest.mark.covers("ec2:AssociateDhcpOptions")
def test_a_task_asks_the_name_servers_of_its_vpc(services: Services, network):
    vpc, (first, _) = network
    ec2 = services.server.client("ec2")
    given = [
        {"Key": "domain-name", "Values": ["shop.internal"]},
        {"Key": "domain-name-servers", "Values": ["192.0.2.53"]},
    ]
    options = ec2.create_dhcp_options(DhcpConfigurations=given)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    definition = services.define("f", SERVES, networkMode="awsvpc")
    services.create("s", definition, networkConfiguration=placed(first))
    (task,) = services.running_of("s", 1)
    resolv = docker("exec", task["containers"][0]["runtimeId"], "cat", "/etc/resolv.conf")
    assert "search shop.internal" in resolv
    # The engine's own name server is in between, and asks those.
    ids = containers_of(task["taskArn"])
    assert "[192.0.2.53]" in docker("inspect", "--format", "{{.HostConfig.Dns}}", *ids)


@pytest.mark.covers("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")
def test_security_groups_are_enforced(services: Services, network):
    vpc, (first, second) = network
    ec2 = services.server.client("ec2")
    definition = services.define("f", SERVES, networkMode="awsvpc")
    web, client = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("web", "client")
    )
    for name, subnet, group in (("web", first, web), ("client", second, client)):
        configuration = placed(subnet, securityGroups=[group])
        services.create(name, definition, networkConfiguration=configuration)
    (served,), (asking,) = (services.running_of(name, 1) for name in ("web", "client"))

    def is_answered() -> bool:
        return answers(asking, address_of(served))

    with urllib.request.urlopen(f"http://{address_of(served)}/", timeout=5) as page:
        assert address_of(served) in page.read().decode()
    assert not is_answered()
    allowed = {
        "GroupId": web,
        "IpPermissions": [
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 80,
                "UserIdGroupPairs": [{"GroupId": client}],
            }
        ],
    }
    ec2.authorize_security_group_ingress(**allowed)
    eventually(is_answered, within=10)
    ec2.revoke_security_group_ingress(**allowed)
    eventually(lambda: not is_answered(), within=10)
    blocks = [{"Cidr": "10.77.2.0/24"}]
    prefixes = ec2.create_managed_prefix_list(
        PrefixListName="clients", AddressFamily="IPv4", MaxEntries=1, Entries=blocks
    )["PrefixList"]["PrefixListId"]
    by_list = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": prefixes}]}
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[by_list])
    eventually(is_answered, within=10)
    ec2.modify_managed_prefix_list(PrefixListId=prefixes, CurrentVersion=1, RemoveEntries=blocks)
    eventually(lambda: not is_answered(), within=10)
    for name in ("web", "client"):
        services.delete(name, force=True)
        eventually(lambda name=name: not services.tasks_of(name))


def test_tasks_that_are_open_to_their_load_balancer_only(services: Services, network):
    vpc, subnets = network
    ec2, elb = (services.server.client(name) for name in ("ec2", "elbv2"))
    front, app, other = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        for name in ("front", "app", "other")
    )
    port = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    for group, source in (
        (front, {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
        (app, {"UserIdGroupPairs": [{"GroupId": front}]}),
    ):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**port, **source}])
    balancer = elb.create_load_balancer(Name="front", Subnets=subnets, SecurityGroups=[front])
    balancer = balancer["LoadBalancers"][0]
    target_group = elb.create_target_group(
        Name="app", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    listener_port = free_port()
    elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=listener_port,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )
    definition = services.define("f", SERVES, networkMode="awsvpc")
    served = [{"targetGroupArn": target_group, "containerName": "app", "containerPort": 80}]
    services.create(
        "app",
        definition,
        networkConfiguration=placed(subnets[0], securityGroups=[app]),
        loadBalancers=served,
    )
    configuration = placed(subnets[1], securityGroups=[other])
    services.create("other", definition, networkConfiguration=configuration)
    (task,), (asking,) = (services.running_of(name, 1) for name in ("app", "other"))

    def is_answered() -> bool:
        url = f"http://127.0.0.1:{listener_port}/"
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                return address_of(task) in page.read().decode()
        except OSError:
            return False

    eventually(is_answered, within=20)
    assert not answers(asking, address_of(task))
    for name in ("app", "other"):
        services.delete(name, force=True)
        eventually(lambda name=name: not services.tasks_of(name))
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    elb.delete_target_group(TargetGroupArn=target_group)


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
