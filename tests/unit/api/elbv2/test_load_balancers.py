from __future__ import annotations

import pytest

from openecs.decide.default_network import default_network
from openecs.model.load_balancing import LoadBalancerState, LoadBalancerStateCode
from openecs.store.kinds import LOAD_BALANCER_STATES, LOAD_BALANCERS
from openecs.testing.builders import NOW, SCOPE, a_load_balancer

NETWORK = default_network(SCOPE)
SUBNETS = [subnet.id for subnet in NETWORK.subnets]
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/{}"


async def create(world, name: str = "web", **request):
    made = await world.do("CreateLoadBalancer", **{"Name": name, "Subnets": SUBNETS, **request})
    return made["LoadBalancers"][0]


@pytest.mark.covers("elbv2:CreateLoadBalancer")
async def test_a_new_load_balancer(world) -> None:
    made = await create(world)
    identifier = "0" * 15 + "1"
    assert made == {
        "LoadBalancerArn": ARN.format(f"web/{identifier}"),
        "DNSName": "web-1000000002.eu-central-1.elb.localhost",
        "CanonicalHostedZoneId": "Z215JYRZR1TBD5",
        "CreatedTime": NOW,
        "LoadBalancerName": "web",
        "Scheme": "internet-facing",
        "VpcId": NETWORK.vpc.id,
        "State": {"Code": "provisioning"},
        "Type": "application",
        "AvailabilityZones": [
            {"ZoneName": f"eu-central-1{zone}", "SubnetId": subnet, "LoadBalancerAddresses": []}
            for zone, subnet in zip("abc", SUBNETS, strict=True)
        ],
        "SecurityGroups": [NETWORK.security_group.id],
        "IpAddressType": "ipv4",
    }


async def test_names_of_internal_and_network_load_balancers(world) -> None:
    internal = await create(world, Scheme="internal")
    assert internal["DNSName"].startswith("internal-web-1")
    network = await create(world, "net", Type="network", Subnets=SUBNETS[:1])
    identifier = network["LoadBalancerArn"].rpartition("/")[2]
    assert "/net/net/" in network["LoadBalancerArn"]
    assert network["DNSName"] == f"net-{identifier}.elb.eu-central-1.localhost"
    assert "SecurityGroups" not in network
    assert network["CanonicalHostedZoneId"] == "Z3F0SRJ5LGBH90"


async def test_each_has_a_loopback_address_of_its_own(world) -> None:
    for number in range(20):
        await create(world, f"b{number}")
    made = await world.store.read(lambda view: view.scan(LOAD_BALANCERS, None))
    assert len({each.loopback_address for each in made}) == 20


async def test_creating_the_same_again_shows_the_first(world) -> None:
    first = await create(world)
    assert await create(world, Subnets=SUBNETS[::-1]) == first
    code, message = await world.refused(
        "CreateLoadBalancer", Name="web", Subnets=SUBNETS, Scheme="internal"
    )
    assert code == "DuplicateLoadBalancerName"
    assert message == (
        "A load balancer with the same name 'web' exists, but with different settings"
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Name": "x" * 33}, "ValidationError"),
        ({"Name": "a_b"}, "ValidationError"),
        ({"Name": "-a"}, "ValidationError"),
        ({"Name": "internal-a"}, "ValidationError"),
        ({"Subnets": SUBNETS[:1]}, "ValidationError"),
        ({"Subnets": [SUBNETS[0], SUBNETS[0]]}, "ValidationError"),
        ({"Subnets": [], "Type": "network"}, "ValidationError"),
        ({"Subnets": [SUBNETS[0], "subnet-none"]}, "SubnetNotFound"),
        ({"SubnetMappings": [{"SubnetId": SUBNETS[0]}]}, "ValidationError"),
        ({"SecurityGroups": ["sg-none"]}, "InvalidConfigurationRequest"),
        ({"IpAddressType": "dualstack"}, "InvalidSubnet"),
        ({"EnablePrefixForIpv6SourceNat": "on"}, "InvalidSubnet"),
        ({"Type": "gateway"}, "InvalidConfigurationRequest"),
        ({"CustomerOwnedIpv4Pool": "pool"}, "InvalidConfigurationRequest"),
        ({"Tags": [{"Key": "a"}, {"Key": "a"}]}, "DuplicateTagKeys"),
        ({"Tags": [{"Key": f"k{n}"} for n in range(51)]}, "TooManyTags"),
        ({"Tags": [{"Key": "aws:a"}]}, "ValidationError"),
    ],
)
async def test_what_is_refused(world, request_, code: str) -> None:
    request = {"Name": "web", "Subnets": SUBNETS, **request_}
    assert (await world.refused("CreateLoadBalancer", **request))[0] == code


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"SubnetId": SUBNETS[0], "AllocationId": "eipalloc-1"}, "AllocationIdNotFound"),
        ({"SubnetId": SUBNETS[0], "IPv6Address": "::1"}, "InvalidSubnet"),
        ({"SubnetId": SUBNETS[0], "PrivateIPv4Address": "10.0.0.1"}, "InvalidConfigurationRequest"),
        ({"SubnetId": SUBNETS[0], "PrivateIPv4Address": "nonsense"}, "ValidationError"),
        ({"PrivateIPv4Address": "172.31.0.9"}, "ValidationError"),
    ],
)
async def test_subnet_mappings_that_are_refused(world, mapping, code: str) -> None:
    request = {"Name": "n", "Type": "network", "Scheme": "internal", "SubnetMappings": [mapping]}
    assert (await world.refused("CreateLoadBalancer", **request))[0] == code


async def test_an_internal_network_load_balancer_has_the_address_asked_for(world) -> None:
    mapping = {"SubnetId": SUBNETS[0], "PrivateIPv4Address": "172.31.0.9"}
    asked = {"Type": "network", "SubnetMappings": [mapping], "Subnets": []}
    made = await create(world, Scheme="internal", **asked)
    addresses = made["AvailabilityZones"][0]["LoadBalancerAddresses"]
    assert addresses == [{"PrivateIPv4Address": "172.31.0.9"}]
    code, _ = await world.refused("CreateLoadBalancer", Name="other", **asked)
    assert code == "InvalidConfigurationRequest"


@pytest.mark.covers("elbv2:DescribeLoadBalancers")
async def test_load_balancers_are_found_by_arn_and_by_name(world) -> None:
    one, two = [await create(world, name) for name in ("one", "two")]
    described = await world.do("DescribeLoadBalancers")
    assert described == {"LoadBalancers": [one, two]}
    by_name = await world.do("DescribeLoadBalancers", Names=["two"])
    by_arn = await world.do("DescribeLoadBalancers", LoadBalancerArns=[two["LoadBalancerArn"]])
    assert by_name == by_arn == {"LoadBalancers": [two]}


async def test_load_balancers_page_by_page(world) -> None:
    made = [await create(world, name) for name in ("a", "b", "c")]
    first = await world.do("DescribeLoadBalancers", PageSize=2)
    assert first["LoadBalancers"] == made[:2]
    second = await world.do("DescribeLoadBalancers", PageSize=2, Marker=first["NextMarker"])
    assert second == {"LoadBalancers": made[2:]}
    assert (await world.refused("DescribeLoadBalancers", Marker="x"))[0] == "ValidationError"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Names": ["none"]}, "LoadBalancerNotFound"),
        ({"LoadBalancerArns": [ARN.format("none/1")]}, "LoadBalancerNotFound"),
        (
            {"LoadBalancerArns": [ARN.format("none/1").replace("central", "west")]},
            "LoadBalancerNotFound",
        ),
        ({"LoadBalancerArns": ["arn:bad"]}, "ValidationError"),
        ({"LoadBalancerArns": [ARN.format("x")]}, "ValidationError"),
        ({"LoadBalancerArns": [ARN.format("x/1")], "Names": ["x"]}, "ValidationError"),
    ],
)
async def test_load_balancers_that_are_not_there(world, request_, code: str) -> None:
    assert (await world.refused("DescribeLoadBalancers", **request_))[0] == code


async def test_the_state_is_what_the_data_plane_says(world) -> None:
    balancer = a_load_balancer()
    failed = LoadBalancerState(
        scope=SCOPE,
        load_balancer=balancer.path,
        code=LoadBalancerStateCode.FAILED,
        reason="Port 80 is taken",
    )
    await world.put(LOAD_BALANCERS, [balancer])
    await world.put(LOAD_BALANCER_STATES, [failed])
    described = await world.do("DescribeLoadBalancers")
    assert described["LoadBalancers"][0]["State"] == {
        "Code": "failed",
        "Reason": "Port 80 is taken",
    }
    await world.do("DeleteLoadBalancer", LoadBalancerArn=balancer.arn)
    assert not await world.store.read(lambda view: view.scan(LOAD_BALANCER_STATES, None))


@pytest.mark.covers("elbv2:DeleteLoadBalancer")
async def test_a_deleted_load_balancer_is_gone_and_may_be_deleted_again(world) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    assert await world.do("DeleteLoadBalancer", LoadBalancerArn=arn) == {}
    assert await world.do("DescribeLoadBalancers") == {"LoadBalancers": []}
    assert await world.do("DeleteLoadBalancer", LoadBalancerArn=arn) == {}


async def test_a_protected_load_balancer_stays(world) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    await world.do("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=[protection])
    assert await world.refused("DeleteLoadBalancer", LoadBalancerArn=arn) == (
        "OperationNotPermitted",
        f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
    )


@pytest.mark.covers("elbv2:DescribeLoadBalancerAttributes", "elbv2:ModifyLoadBalancerAttributes")
async def test_attributes_have_defaults(world) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    before = await world.do("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
    assert len(before["Attributes"]) == 23
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "60"} in before["Attributes"]
    change = {"Key": "idle_timeout.timeout_seconds", "Value": "4000"}
    after = await world.do("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=[change])
    assert change in after["Attributes"]
    assert after == await world.do("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)


async def test_attributes_depend_on_type_and_scheme(world) -> None:
    made = await create(world, "n", Type="network", Scheme="internal")
    shown = await world.do(
        "DescribeLoadBalancerAttributes", LoadBalancerArn=made["LoadBalancerArn"]
    )
    values = {each["Key"]: each["Value"] for each in shown["Attributes"]}
    assert values["load_balancing.cross_zone.enabled"] == "false"
    assert values["ipv6.deny_all_igw_traffic"] == "true"
    assert "idle_timeout.timeout_seconds" not in values


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("nonsense", "1", "ValidationError"),
        ("idle_timeout.timeout_seconds", "4001", "ValidationError"),
        ("idle_timeout.timeout_seconds", "x", "ValidationError"),
        ("routing.http2.enabled", "yes", "ValidationError"),
        ("load_balancing.cross_zone.enabled", "false", "ValidationError"),
        ("access_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
        ("connection_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
        ("health_check_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
    ],
)
async def test_attributes_that_may_not_be(world, key: str, value: str, code: str) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    asked = {"LoadBalancerArn": arn, "Attributes": [{"Key": key, "Value": value}]}
    assert (await world.refused("ModifyLoadBalancerAttributes", **asked))[0] == code


async def test_an_attribute_given_twice_is_refused(world) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    twice = [{"Key": "routing.http2.enabled", "Value": "false"}] * 2
    code, _ = await world.refused(
        "ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=twice
    )
    assert code == "ValidationError"


def access_logs(bucket: str, prefix: str, kind: str = "access_logs"):
    values = {"enabled": "true", "bucket": bucket, "prefix": prefix}
    return [{"Key": f"{kind}.s3.{key}", "Value": value} for key, value in values.items()]


@pytest.mark.parametrize(
    ("type_", "kind"), [("application", "connection_logs"), ("network", "access_logs")]
)
async def test_logs_of_connections(world, type_: str, kind: str) -> None:
    arn = (await create(world, Type=type_))["LoadBalancerArn"]
    asked = {"LoadBalancerArn": arn, "Attributes": access_logs("my-logs", "a", kind)}
    after = await world.do("ModifyLoadBalancerAttributes", **asked)
    assert all(each in after["Attributes"] for each in asked["Attributes"])
    asked["Attributes"] = access_logs("..", "", kind)
    code, _ = await world.refused("ModifyLoadBalancerAttributes", **asked)
    assert code == "InvalidConfigurationRequest"


@pytest.mark.parametrize(("bucket", "prefix"), [("my-logs", ""), ("a.b-1", "team/web_1")])
async def test_access_logs(world, bucket: str, prefix: str) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    asked = {"LoadBalancerArn": arn, "Attributes": access_logs(bucket, prefix)}
    after = await world.do("ModifyLoadBalancerAttributes", **asked)
    assert all(each in after["Attributes"] for each in asked["Attributes"])


@pytest.mark.parametrize(
    ("bucket", "prefix"),
    [
        ("", ""),
        ("..", ""),
        ("a..b", ""),
        ("a/b", ""),
        ("Upper", ""),
        ("logs", "../x"),
        ("logs", "a/.."),
        ("logs", "/a"),
        ("logs", "a/"),
        ("logs", "a//b"),
        ("logs", "x/AWSLogs"),
    ],
)
async def test_where_access_logs_cannot_go(world, bucket: str, prefix: str) -> None:
    arn = (await create(world))["LoadBalancerArn"]
    asked = {"LoadBalancerArn": arn, "Attributes": access_logs(bucket, prefix)}
    code, _ = await world.refused("ModifyLoadBalancerAttributes", **asked)
    assert code == "InvalidConfigurationRequest"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dns_record.client_routing_policy", "availability_zone_affinity"),
        ("secondary_ips.auto_assigned.per_subnet", "1"),
        ("zonal_shift.config.enabled", "true"),
    ],
)
async def test_attributes_without_effect_stay_as_they_are(world, key: str, value: str) -> None:
    made = await create(world, Type="network")
    asked = {"LoadBalancerArn": made["LoadBalancerArn"]}
    shown = await world.do("DescribeLoadBalancerAttributes", **asked)
    (default,) = (each for each in shown["Attributes"] if each["Key"] == key)
    await world.do("ModifyLoadBalancerAttributes", **asked, Attributes=[default])
    code, message = await world.refused(
        "ModifyLoadBalancerAttributes", **asked, Attributes=[{"Key": key, "Value": value}]
    )
    assert code == "InvalidConfigurationRequest"
    assert message.startswith("OpenECS does not build")
