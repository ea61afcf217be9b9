from __future__ import annotations

import pytest

from openecs.decide.default_network import default_network
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, TARGET_GROUPS
from openecs.testing.builders import NOW, SCOPE, a_listener, a_load_balancer, a_target_group

VPC = default_network(SCOPE).vpc.id
ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}"
HTTP = {"Name": "web", "Protocol": "HTTP", "Port": 80, "VpcId": VPC}
TCP = {"Name": "flows", "Protocol": "TCP", "Port": 80, "VpcId": VPC}


async def create(world, **request):
    made = await world.do("CreateTargetGroup", **request)
    return made["TargetGroups"][0]


@pytest.mark.covers("elbv2:CreateTargetGroup")
async def test_a_new_target_group(world) -> None:
    assert await create(world, **HTTP) == {
        "TargetGroupArn": ARN.format("web/" + "1".zfill(16)),
        "TargetGroupName": "web",
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "Port": 80,
        "VpcId": VPC,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "LoadBalancerArns": [],
        "TargetType": "instance",
        "IpAddressType": "ipv4",
    }
    stored = await world.store.read(lambda view: view.scan(TARGET_GROUPS, SCOPE))
    assert stored[0].created_at == NOW


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        (TCP, ("TCP", 10, None, None)),
        ({**TCP, "HealthCheckProtocol": "HTTP"}, ("HTTP", 6, "/", {"HttpCode": "200-399"})),
        (
            {**HTTP, "ProtocolVersion": "GRPC"},
            ("HTTP", 5, "/AWS.ALB/healthcheck", {"GrpcCode": "12"}),
        ),
        (
            {**HTTP, "HealthCheckPath": "/up", "Matcher": {"HttpCode": "200-299,404"}},
            ("HTTP", 5, "/up", {"HttpCode": "200-299,404"}),
        ),
    ],
)
async def test_health_checks_follow_the_protocol(world, request_, shown) -> None:
    made = await create(world, **request_)
    seen = (
        made["HealthCheckProtocol"],
        made["HealthCheckTimeoutSeconds"],
        made.get("HealthCheckPath"),
        made.get("Matcher"),
    )
    assert seen == shown


async def test_creating_the_same_again_shows_the_first(world) -> None:
    first = await create(world, **HTTP)
    assert await create(world, **HTTP) == first
    code, message = await world.refused("CreateTargetGroup", **{**HTTP, "Port": 81})
    assert code == "DuplicateTargetGroupName"
    assert message == "A target group with the same name 'web' exists, but with different settings"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Name": "x" * 33}, f"Target group name '{'x' * 33}' cannot be longer than '32'"),
        ({"Name": "a.b"}, "Target group name 'a.b' can only contain"),
        ({"Name": "a-"}, "Target group name 'a-' cannot begin or end with '-'"),
        ({"Protocol": None}, "A protocol must be specified"),
        ({"Port": None}, "A port must be specified"),
        ({"VpcId": None}, "A VPC ID must be specified"),
        ({"VpcId": "vpc-x"}, "The VPC ID 'vpc-x' is not found"),
        (
            {"HealthCheckTimeoutSeconds": 30},
            "Health check timeout '30' must be smaller than the interval '30'",
        ),
        ({"Matcher": {"HttpCode": "ok"}}, "HttpCode must be like 200 | 200-399 | 200,201 ..."),
        ({"Matcher": {"HttpCode": "500"}}, "HttpCode '500' must be within the range '200-499'"),
        ({"HealthCheckProtocol": "TCP"}, "Health check protocol 'TCP' must be one of"),
        ({"HealthCheckPath": "up"}, "Health check path 'up' must begin with a '/'"),
        ({"HealthCheckPort": "0"}, "Health check port '0' must be in the range"),
        ({"HealthCheckEnabled": False}, "Health check enabled must be true"),
        ({"ProtocolVersion": "HTTP3"}, "Protocol version must be one of"),
        ({"Protocol": "TCP", "ProtocolVersion": "HTTP2"}, "Protocol version cannot be specified"),
    ],
)
async def test_what_may_not_be(world, change, message: str) -> None:
    code, said = await world.refused("CreateTargetGroup", **{**HTTP, **change})
    assert code == "ValidationError"
    assert said.startswith(message)


@pytest.mark.parametrize(
    "change",
    [
        {"TargetType": "lambda"},
        {"Protocol": "GENEVE"},
        {"Protocol": "QUIC"},
        {"IpAddressType": "ipv6"},
        {"TargetControlPort": 1},
    ],
)
async def test_what_is_not_built_is_refused(world, change) -> None:
    code, message = await world.refused("CreateTargetGroup", **{**HTTP, **change})
    assert code == "InvalidConfigurationRequest"
    assert message.startswith("OpenECS does not build ")


async def test_a_tcp_check_has_no_path(world) -> None:
    code, _ = await world.refused("CreateTargetGroup", **TCP, HealthCheckPath="/")
    assert code == "InvalidConfigurationRequest"


@pytest.mark.covers("elbv2:DescribeTargetGroups")
async def test_target_groups_are_found_in_several_ways(world) -> None:
    used, unused = a_target_group("used"), a_target_group("unused")
    await world.put(TARGET_GROUPS, [used, unused])
    await world.put(LOAD_BALANCERS, [a_load_balancer()])
    await world.put(LISTENERS, [a_listener(used)])

    async def found(**request) -> list[str]:
        answer = await world.do("DescribeTargetGroups", **request)
        return [group["TargetGroupName"] for group in answer["TargetGroups"]]

    assert await found() == ["unused", "used"]
    assert await found(Names=["unused"]) == ["unused"]
    assert await found(TargetGroupArns=[used.arn]) == ["used"]
    assert await found(LoadBalancerArn=a_load_balancer().arn) == ["used"]
    shown = await world.do("DescribeTargetGroups", Names=["used"])
    assert shown["TargetGroups"][0]["LoadBalancerArns"] == [a_load_balancer().arn]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"Names": ["none"]}, "TargetGroupNotFound"),
        ({"TargetGroupArns": [ARN.format("none/1")]}, "TargetGroupNotFound"),
        ({"TargetGroupArns": ["arn:bad"]}, "ValidationError"),
        ({"TargetGroupArns": [ARN.format("none/1")], "Names": ["none"]}, "ValidationError"),
        ({"LoadBalancerArn": a_load_balancer().arn}, "LoadBalancerNotFound"),
    ],
)
async def test_target_groups_that_are_not_there(world, request_, code: str) -> None:
    assert (await world.refused("DescribeTargetGroups", **request_))[0] == code


@pytest.mark.covers("elbv2:ModifyTargetGroup")
async def test_health_checks_are_changed_one_by_one(world) -> None:
    made = await create(world, **HTTP, HealthCheckPath="/up")
    arn = made["TargetGroupArn"]
    changed = await world.do("ModifyTargetGroup", TargetGroupArn=arn, HealthCheckIntervalSeconds=10)
    assert changed["TargetGroups"] == [{**made, "HealthCheckIntervalSeconds": 10}]
    assert changed["TargetGroups"] == (await world.do("DescribeTargetGroups"))["TargetGroups"]
    code, _ = await world.refused(
        "ModifyTargetGroup", TargetGroupArn=arn, HealthCheckTimeoutSeconds=10
    )
    assert code == "ValidationError"


async def test_another_protocol_of_checks_starts_from_its_defaults(world) -> None:
    arn = (await create(world, **TCP))["TargetGroupArn"]
    changed = await world.do("ModifyTargetGroup", TargetGroupArn=arn, HealthCheckProtocol="HTTP")
    assert changed["TargetGroups"][0]["Matcher"] == {"HttpCode": "200-399"}
    assert changed["TargetGroups"][0]["HealthCheckPath"] == "/"


@pytest.mark.covers("elbv2:DeleteTargetGroup")
async def test_target_groups_in_use_stay(world) -> None:
    group = a_target_group()
    await world.put(TARGET_GROUPS, [group])
    await world.put(LISTENERS, [a_listener(group)])
    assert await world.refused("DeleteTargetGroup", TargetGroupArn=group.arn) == (
        "ResourceInUse",
        f"Target group '{group.arn}' is currently in use by a listener or a rule",
    )


async def test_a_deleted_target_group_may_be_deleted_again(world) -> None:
    arn = (await create(world, **HTTP))["TargetGroupArn"]
    for _ in range(2):
        assert await world.do("DeleteTargetGroup", TargetGroupArn=arn) == {}
    assert await world.do("DescribeTargetGroups") == {"TargetGroups": []}


@pytest.mark.covers("elbv2:DescribeTargetGroupAttributes", "elbv2:ModifyTargetGroupAttributes")
async def test_attributes_have_defaults(world) -> None:
    arn = (await create(world, **HTTP))["TargetGroupArn"]
    shown = await world.do("DescribeTargetGroupAttributes", TargetGroupArn=arn)
    assert len(shown["Attributes"]) == 14
    assert {"Key": "stickiness.type", "Value": "lb_cookie"} in shown["Attributes"]
    change = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
    after = await world.do("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=[change])
    assert change in after["Attributes"]


@pytest.mark.parametrize(
    ("request_", "key", "value"),
    [
        (TCP, "preserve_client_ip.enabled", "true"),
        ({**TCP, "TargetType": "ip"}, "preserve_client_ip.enabled", "false"),
        ({**TCP, "Protocol": "UDP", "TargetType": "ip"}, "preserve_client_ip.enabled", "true"),
        (TCP, "stickiness.type", "source_ip"),
        (
            {**TCP, "Protocol": "UDP"},
            "deregistration_delay.connection_termination.enabled",
            "true",
        ),
    ],
)
async def test_attributes_of_network_groups(world, request_, key: str, value: str) -> None:
    arn = (await create(world, **request_))["TargetGroupArn"]
    shown = await world.do("DescribeTargetGroupAttributes", TargetGroupArn=arn)
    assert {"Key": key, "Value": value} in shown["Attributes"]


@pytest.mark.parametrize(
    ("request_", "given"),
    [
        (HTTP, {"stickiness.enabled": "true"}),
        (TCP, {"stickiness.enabled": "true"}),
        (TCP, {"proxy_protocol_v2.enabled": "true"}),
        (TCP, {"preserve_client_ip.enabled": "false"}),
        (TCP, {"preserve_client_ip.enabled": "true"}),
        (HTTP, {"slow_start.duration_seconds": "30"}),
        *(
            (HTTP, {f"target_group_health.unhealthy_state_routing.minimum_healthy_targets.{k}": v})
            for k, v in (("count", "2"), ("percentage", "50"))
        ),
        (
            HTTP,
            {
                "load_balancing.algorithm.type": "weighted_random",
                "load_balancing.algorithm.anomaly_mitigation": "on",
            },
        ),
        (
            HTTP,
            {
                "stickiness.enabled": "true",
                "stickiness.type": "app_cookie",
                "stickiness.app_cookie.cookie_name": "session",
            },
        ),
    ],
)
async def test_attributes_that_traffic_follows(world, request_, given) -> None:
    arn = (await create(world, **request_))["TargetGroupArn"]
    wanted = [{"Key": key, "Value": value} for key, value in given.items()]
    after = await world.do("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=wanted)
    assert all(each in after["Attributes"] for each in wanted)


@pytest.mark.parametrize(
    "key",
    ["preserve_client_ip.enabled", "deregistration_delay.connection_termination.enabled"],
)
async def test_what_connections_cannot_be_is_refused_by_its_name(world, key) -> None:
    arn = (await create(world, **TCP, TargetType="ip"))["TargetGroupArn"]
    wanted = [{"Key": key, "Value": "true"}]
    asked = {"TargetGroupArn": arn, "Attributes": wanted}
    code, message = await world.refused("ModifyTargetGroupAttributes", **asked)
    assert code == "InvalidConfigurationRequest"
    assert f"'{key}'" in message


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"deregistration_delay.timeout_seconds": "3601"}, "ValidationError"),
        ({"slow_start.duration_seconds": "29"}, "ValidationError"),
        ({"proxy_protocol_v2.enabled": "true"}, "ValidationError"),
        (
            {"stickiness.enabled": "true", "stickiness.type": "app_cookie"},
            "InvalidConfigurationRequest",
        ),
        (
            {"stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "AWSALBX"},
            "InvalidConfigurationRequest",
        ),
        (
            {
                "slow_start.duration_seconds": "30",
                "load_balancing.algorithm.type": "weighted_random",
            },
            "InvalidConfigurationRequest",
        ),
        ({"load_balancing.algorithm.anomaly_mitigation": "on"}, "InvalidConfigurationRequest"),
    ],
)
async def test_attributes_that_may_not_be(world, given, code: str) -> None:
    arn = (await create(world, **HTTP))["TargetGroupArn"]
    wanted = [{"Key": key, "Value": value} for key, value in given.items()]
    asked = {"TargetGroupArn": arn, "Attributes": wanted}
    assert (await world.refused("ModifyTargetGroupAttributes", **asked))[0] == code
