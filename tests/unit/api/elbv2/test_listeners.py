"""Listeners, their rules and their targets, over the operations."""

from __future__ import annotations

import pytest

from openecs.decide.default_network import default_network
from openecs.store.kinds import CONTAINER_INSTANCES, LISTENERS, RULES, TARGETS
from openecs.testing.builders import SCOPE, a_container_instance

NETWORK = default_network(SCOPE)
PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*", "/b"]}}


@pytest.fixture
async def setting(world):
    """A load balancer and two target groups: the world, and their ARNs."""
    subnets = [subnet.id for subnet in NETWORK.subnets[:2]]
    made = await world.do("CreateLoadBalancer", Name="front", Subnets=subnets)
    arns = [made["LoadBalancers"][0]["LoadBalancerArn"]]
    for name in ("one", "other"):
        request = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": NETWORK.vpc.id}
        group = await world.do("CreateTargetGroup", **request)
        arns.append(group["TargetGroups"][0]["TargetGroupArn"])
    return world, *arns


def forward(group):
    return [{"Type": "forward", "TargetGroupArn": group}]


def listening(balancer, group, **changes):
    request = {"LoadBalancerArn": balancer, "Protocol": "HTTP", "Port": 80}
    return {**request, "DefaultActions": forward(group), **changes}


async def listen(world, balancer, group, **changes):
    made = await world.do("CreateListener", **listening(balancer, group, **changes))
    return made["Listeners"][0]


async def rule(world, listener, priority, actions, *conditions):
    request = {"ListenerArn": listener["ListenerArn"], "Priority": priority}
    given = {"Actions": actions, "Conditions": list(conditions or [PATH])}
    return (await world.do("CreateRule", **request, **given))["Rules"][0]


@pytest.mark.covers("elbv2:CreateListener", "elbv2:DescribeListeners")
async def test_a_listener_shows_both_forms_of_a_forward(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    assert (listener["Protocol"], listener["Port"]) == ("HTTP", 80)
    (action,) = listener["DefaultActions"]
    assert action["TargetGroupArn"] == group
    assert action["ForwardConfig"]["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    assert await listen(world, balancer, group) == listener
    for request in ({"LoadBalancerArn": balancer}, {"ListenerArns": [listener["ListenerArn"]]}):
        assert (await world.do("DescribeListeners", **request))["Listeners"] == [listener]


def sticky(group, **config):
    stickiness = {"Enabled": True, **config}
    config = {
        "TargetGroups": [{"TargetGroupArn": group}],
        "TargetGroupStickinessConfig": stickiness,
    }
    return [{"Type": "forward", "ForwardConfig": config}]


async def test_clients_may_stay_with_a_target_group(setting) -> None:
    world, balancer, group, _ = setting
    actions = sticky(group, DurationSeconds=60)
    listener = await listen(world, balancer, group, DefaultActions=actions)
    (action,) = listener["DefaultActions"]
    shown = action["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert shown == {"Enabled": True, "DurationSeconds": 60}


@pytest.mark.parametrize("config", [{}, {"DurationSeconds": 0}, {"DurationSeconds": 604801}])
async def test_for_how_long_they_cannot(setting, config) -> None:
    world, balancer, group, _ = setting
    request = listening(balancer, group, DefaultActions=sticky(group, **config))
    assert (await world.refused("CreateListener", **request))[0] == "ValidationError"


async def flows(world, protocol, *names):
    """A network load balancer and target groups of a protocol: their ARNs."""
    subnets = [NETWORK.subnets[0].id]
    made = await world.do("CreateLoadBalancer", Name="net", Type="network", Subnets=subnets)
    request = {"Protocol": protocol, "Port": 53, "VpcId": NETWORK.vpc.id}
    groups = [await world.do("CreateTargetGroup", Name=name, **request) for name in names]
    arns = [group["TargetGroups"][0]["TargetGroupArn"] for group in groups]
    return made["LoadBalancers"][0]["LoadBalancerArn"], *arns


@pytest.mark.parametrize("protocol", ["UDP", "TCP_UDP"])
async def test_listeners_for_datagrams(world, protocol) -> None:
    balancer, group, other = await flows(world, protocol, "one", "other")
    request = {"LoadBalancerArn": balancer, "Protocol": protocol, "Port": 53}

    def shared(first: int, second: int):
        weights = {group: first, other: second}
        both = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": both}}]

    refused = await world.refused("CreateListener", **request, DefaultActions=shared(0, 0))
    assert refused[1].startswith("OpenECS does not build listeners for datagrams")
    made = await world.do("CreateListener", **request, DefaultActions=shared(3, 1))
    assert made["Listeners"][0]["Protocol"] == protocol


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"Protocol": "TCP"}, "ValidationError", "must be one of 'HTTPS, HTTP'"),
        ({"Protocol": None}, "ValidationError", "A protocol must be specified"),
        ({"Port": None}, "ValidationError", "A port must be specified"),
        ({"Protocol": "HTTPS"}, "ValidationError", "A certificate must be specified"),
        (
            {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "arn:x"}]},
            "CertificateNotFound",
            "Certificate 'arn:x' not found",
        ),
        (
            {"SslPolicy": "ELBSecurityPolicy-2016-08"},
            "InvalidConfigurationRequest",
            "cannot be specified for HTTP",
        ),
        ({"DefaultActions": []}, "ValidationError", "At least one action"),
        (
            {"DefaultActions": [{"Type": "authenticate-cognito"}]},
            "InvalidConfigurationRequest",
            "OpenECS does not build",
        ),
        (
            {
                "DefaultActions": [
                    {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}
                ]
            },
            "InvalidLoadBalancerAction",
            "creates a loop",
        ),
    ],
)
async def test_what_a_listener_cannot_be(setting, changes, code, part) -> None:
    world, balancer, group, _ = setting
    request = {k: v for k, v in listening(balancer, group, **changes).items() if v is not None}
    refused = await world.refused("CreateListener", **request)
    assert refused[0] == code
    assert part in refused[1]


@pytest.mark.covers("elbv2:ModifyListener", "elbv2:DeleteListener")
async def test_a_listener_changes_and_goes_with_its_rules(setting) -> None:
    world, balancer, group, other = setting
    listener = await listen(world, balancer, group)
    await listen(world, balancer, group, Port=81)
    arn = listener["ListenerArn"]
    await rule(world, listener, 1, forward(other))
    assert (await world.refused("ModifyListener", ListenerArn=arn, Port=81))[0] == (
        "DuplicateListener"
    )
    changed = await world.do("ModifyListener", ListenerArn=arn, DefaultActions=forward(other))
    assert changed["Listeners"][0]["DefaultActions"][0]["TargetGroupArn"] == other
    await world.do("DeleteListener", ListenerArn=arn)
    assert await world.refused("DescribeListeners", ListenerArns=[arn]) == (
        "ListenerNotFound",
        "One or more listeners not found",
    )
    assert not await world.store.read(lambda view: view.scan(RULES, SCOPE))
    assert len(await world.store.read(lambda view: view.scan(LISTENERS, SCOPE))) == 1


@pytest.mark.covers("elbv2:DescribeListenerAttributes", "elbv2:ModifyListenerAttributes")
async def test_attributes_of_a_network_listener(setting) -> None:
    world, *_ = setting
    subnets = [subnet.id for subnet in NETWORK.subnets[:1]]
    made = await world.do("CreateLoadBalancer", Name="net", Type="network", Subnets=subnets)
    request = {"Name": "flows", "Protocol": "TCP", "Port": 80, "VpcId": NETWORK.vpc.id}
    group = await world.do("CreateTargetGroup", **request)
    listener = await listen(
        world,
        made["LoadBalancers"][0]["LoadBalancerArn"],
        group["TargetGroups"][0]["TargetGroupArn"],
        Protocol="TCP",
    )
    arn, key = listener["ListenerArn"], "tcp.idle_timeout.seconds"
    shown = await world.do("DescribeListenerAttributes", ListenerArn=arn)
    assert shown["Attributes"] == [{"Key": key, "Value": "350"}]
    attributes = [{"Key": key, "Value": "60"}]
    await world.do("ModifyListenerAttributes", ListenerArn=arn, Attributes=attributes)
    shown = await world.do("DescribeListenerAttributes", ListenerArn=arn)
    assert shown["Attributes"] == attributes


@pytest.mark.covers(
    "elbv2:CreateRule", "elbv2:DescribeRules", "elbv2:ModifyRule", "elbv2:DeleteRule"
)
async def test_rules_in_their_order_and_the_default_last(setting) -> None:
    world, balancer, group, other = setting
    listener = await listen(world, balancer, group)
    late, early = [await rule(world, listener, priority, forward(other)) for priority in (20, 3)]
    assert early["Conditions"] == [{**PATH, "Values": ["/a/*", "/b"]}]
    found = await world.do("DescribeRules", ListenerArn=listener["ListenerArn"])
    assert [r["Priority"] for r in found["Rules"]] == ["3", "20", "default"]
    default = found["Rules"][-1]
    assert default["IsDefault"]
    assert default["Actions"] == listener["DefaultActions"]
    both = await world.do("DescribeRules", RuleArns=[late["RuleArn"], default["RuleArn"]])
    assert both["Rules"] == [late, default]
    changed = await world.do("ModifyRule", RuleArn=late["RuleArn"], Actions=forward(group))
    assert changed["Rules"][0]["Actions"][0]["TargetGroupArn"] == group
    assert changed["Rules"][0]["Conditions"] == late["Conditions"]
    await world.do("DeleteRule", RuleArn=late["RuleArn"])
    for operation in ("DeleteRule", "ModifyRule"):
        refused = await world.refused(operation, RuleArn=default["RuleArn"])
        assert refused[0] == "OperationNotPermitted"
    taken = await world.refused(
        "CreateRule",
        ListenerArn=listener["ListenerArn"],
        Priority=3,
        Conditions=[PATH],
        Actions=forward(group),
    )
    assert taken == ("PriorityInUse", "Priority '3' is currently in use")


@pytest.mark.covers("elbv2:SetRulePriorities")
async def test_priorities_change_all_at_once(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    one, two = [await rule(world, listener, n, forward(group)) for n in (1, 2)]
    swapped = [
        {"RuleArn": one["RuleArn"], "Priority": 2},
        {"RuleArn": two["RuleArn"], "Priority": 1},
    ]
    await world.do("SetRulePriorities", RulePriorities=swapped)
    found = await world.do("DescribeRules", ListenerArn=listener["ListenerArn"])
    assert [r["RuleArn"] for r in found["Rules"][:2]] == [two["RuleArn"], one["RuleArn"]]
    twice = [{**each, "Priority": 5} for each in swapped]
    assert await world.refused("SetRulePriorities", RulePriorities=twice) == (
        "ValidationError",
        "Priority '5' was provided multiple times",
    )


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ({"Field": "x"}, "Condition field 'x' must be one of '[path-pattern, host-header, "),
        ({"Field": "path-pattern"}, "A condition value must be specified"),
        ({"Field": "http-header"}, "A 'HttpHeaderConfig' must be specified with 'http-header'"),
        ({"Field": "http-header", "Values": ["x"]}, "The 'Values' field is not compatible"),
        ({"Field": "path-pattern", "Values": ["/a", "/b"]}, "the limit is '1'"),
        (
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["get"]}},
            "the allowed characters are A-Z, hyphen and underscore",
        ),
        (
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k"}]}},
            "A 'Value' must be specified in 'QueryStringKeyValuePair'",
        ),
        *(
            (
                {"Field": "source-ip", "SourceIpConfig": {"Values": [value]}},
                f"The 'source-ip' value '{value}' must be in CIDR format",
            )
            for value in ("10.0.0.0", "10.0.0.0/33", "10.*/8", "::/129", "10.0.0.0/255.0.0.0")
        ),
        (
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["a"], "RegexValues": ["a"]}},
            "Only one of 'Values' and 'RegexValues' can be specified",
        ),
        (
            {"Field": "source-ip", "SourceIpConfig": {}, "RegexValues": ["a"]},
            "The 'RegexValues' field is not compatible with 'source-ip'",
        ),
        (
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["x" * 129]}},
            "The regex value is too long; the limit is '128'",
        ),
    ],
)
async def test_what_a_condition_cannot_be(setting, condition, part) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    refused = await world.refused(
        "CreateRule",
        ListenerArn=listener["ListenerArn"],
        Priority=1,
        Conditions=[condition],
        Actions=forward(group),
    )
    assert part in refused[1]


URL = {
    "Type": "url-rewrite",
    "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a/(.*)", "Replace": "/$1"}]},
}
HOST = {
    "Type": "host-header-rewrite",
    "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "[.]org$", "Replace": ".test"}]},
}


async def test_transforms_of_a_rule(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    request = {"ListenerArn": listener["ListenerArn"], "Priority": 1, "Conditions": [PATH]}
    asked = {**request, "Actions": forward(group), "Transforms": [URL, HOST]}
    made = (await world.do("CreateRule", **asked))["Rules"][0]
    assert made["Transforms"] == [URL, HOST]
    arn = made["RuleArn"]
    both = {"RuleArn": arn, "Transforms": [URL], "ResetTransforms": True}
    assert (await world.refused("ModifyRule", **both))[0] == "ValidationError"
    changed = await world.do("ModifyRule", RuleArn=arn, Transforms=[URL])
    assert changed["Rules"] == [{**made, "Transforms": [URL]}]
    changed = await world.do("ModifyRule", RuleArn=arn, ResetTransforms=True)
    assert changed["Rules"] == [{**made, "Transforms": []}]


@pytest.mark.parametrize(
    ("transforms", "part"),
    [
        ([URL, URL], "one transform of each type"),
        ([{"Type": "url-rewrite"}], "must have exactly one rewrite"),
        ([{"Type": "x"}], "Transform type 'x' must be one of"),
        (
            [
                {
                    "Type": "url-rewrite",
                    "UrlRewriteConfig": {"Rewrites": [{"Regex": "(a)", "Replace": "$2"}]},
                }
            ],
            "names a group that is not there",
        ),
    ],
)
async def test_what_a_transform_cannot_be(setting, transforms, part) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    request = {"ListenerArn": listener["ListenerArn"], "Priority": 1, "Conditions": [PATH]}
    asked = {**request, "Actions": forward(group), "Transforms": transforms}
    assert part in (await world.refused("CreateRule", **asked))[1]


async def test_transforms_are_for_requests_that_go_to_targets(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    request = {"ListenerArn": listener["ListenerArn"], "Priority": 1, "Conditions": [PATH]}
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    refused = await world.refused("CreateRule", **request, Actions=fixed, Transforms=[URL])
    assert refused[1].startswith("OpenECS does not build transforms")


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24", "2001:db8::/32"]}},
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/v[0-9]+/"]}},
        {
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": "X-Kind", "RegexValues": ["^a$", "b"]},
        },
    ],
)
async def test_conditions_are_shown_as_they_were_given(setting, condition) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    made = await rule(world, listener, 1, forward(group), condition)
    assert made["Conditions"] == [{**condition, "Values": []}]


@pytest.mark.covers(
    "elbv2:RegisterTargets", "elbv2:DeregisterTargets", "elbv2:DescribeTargetHealth"
)
async def test_a_target_from_registration_to_its_end(setting) -> None:
    world, balancer, group, _ = setting
    instance = a_container_instance()
    await world.put(CONTAINER_INSTANCES, [instance])
    target = {"Id": instance.ec2_instance_id, "Port": 8080}
    await world.do("RegisterTargets", TargetGroupArn=group, Targets=[target])

    async def health():
        found = await world.do("DescribeTargetHealth", TargetGroupArn=group, Targets=[target])
        (description,) = found["TargetHealthDescriptions"]
        assert description["Target"] == target
        assert description["HealthCheckPort"] == "8080"
        return description["TargetHealth"]["State"], description["TargetHealth"]["Reason"]

    assert await health() == ("unused", "Target.NotInUse")
    await listen(world, balancer, group)
    assert await health() == ("initial", "Elb.RegistrationInProgress")
    await world.do("DeregisterTargets", TargetGroupArn=group, Targets=[target])
    assert await health() == ("draining", "Target.DeregistrationInProgress")
    await world.store.write(lambda tx: tx.delete(TARGETS, SCOPE, tx.scan(TARGETS, SCOPE)[0].key))
    assert await health() == ("unused", "Target.NotRegistered")
    refused = await world.refused(
        "RegisterTargets", TargetGroupArn=group, Targets=[{"Id": "i-0123"}]
    )
    assert refused == (
        "InvalidTarget",
        ("The following targets are not in a running state and cannot be registered: 'i-0123'"),
    )


@pytest.mark.covers("elbv2:DescribeCapacityReservation")
async def test_nothing_is_reserved(setting) -> None:
    world, balancer, *_ = setting
    assert await world.do("DescribeCapacityReservation", LoadBalancerArn=balancer) == {
        "DecreaseRequestsRemaining": 2,
        "CapacityReservationState": [],
    }


@pytest.mark.covers("elbv2:AddTags", "elbv2:RemoveTags", "elbv2:DescribeTags")
async def test_tags_of_everything(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    made = await rule(world, listener, 1, forward(group))
    arns = [balancer, group, listener["ListenerArn"], made["RuleArn"]]
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    await world.do("AddTags", ResourceArns=arns, Tags=tags)
    await world.do("RemoveTags", ResourceArns=arns, TagKeys=["a"])
    shown = await world.do("DescribeTags", ResourceArns=arns)
    assert shown["TagDescriptions"] == [
        {"ResourceArn": arn, "Tags": [{"Key": "b", "Value": "2"}]} for arn in arns
    ]


async def test_target_groups_serve_one_load_balancer(setting) -> None:
    world, balancer, group, _ = setting
    await listen(world, balancer, group)
    subnets = [subnet.id for subnet in NETWORK.subnets[:2]]
    made = await world.do("CreateLoadBalancer", Name="side", Subnets=subnets)
    request = listening(made["LoadBalancers"][0]["LoadBalancerArn"], group)
    assert (await world.refused("CreateListener", **request))[0] == "TargetGroupAssociationLimit"


async def test_a_condition_on_the_source_is_shown_as_it_was_given(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    condition = {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8", "::1/128"]}}
    made = await rule(world, listener, 1, forward(group), condition)
    assert made["Conditions"] == [{**condition, "Values": []}]


async def test_sessions_may_stay_with_a_target_group(setting) -> None:
    world, balancer, group, other = setting
    both = [{"TargetGroupArn": arn, "Weight": 1} for arn in (group, other)]

    def sticky(**config):
        groups = {"TargetGroups": both, "TargetGroupStickinessConfig": {"Enabled": True, **config}}
        return [{"Type": "forward", "ForwardConfig": groups}]

    listener = await listen(world, balancer, group, DefaultActions=sticky(DurationSeconds=60))
    shown = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert shown == {"Enabled": True, "DurationSeconds": 60}
    for config, part in (({}, "must be specified"), ({"DurationSeconds": 0}, "between '1-604800'")):
        arn = listener["ListenerArn"]
        refused = await world.refused(
            "ModifyListener", ListenerArn=arn, DefaultActions=sticky(**config)
        )
        assert part in refused[1]


@pytest.mark.covers("elbv2:DescribeSSLPolicies")
async def test_security_policies(world) -> None:
    told = (await world.do("DescribeSSLPolicies"))["SslPolicies"]
    names = [each["Name"] for each in told]
    assert len(names) == len(set(names)) == 39
    (default,) = (await world.do("DescribeSSLPolicies", Names=["ELBSecurityPolicy-2016-08"]))[
        "SslPolicies"
    ]
    assert default["SslProtocols"] == ["TLSv1.2", "TLSv1.1", "TLSv1"]
    first, *_, last = default["Ciphers"]
    assert first == {"Name": "ECDHE-ECDSA-AES128-GCM-SHA256", "Priority": 1}
    assert last == {"Name": "AES256-SHA", "Priority": 18}
    assert await world.refused("DescribeSSLPolicies", Names=["x"]) == (
        "SSLPolicyNotFound",
        "SSL policy 'x' not found",
    )
    wanted = [f"ELBSecurityPolicy-TLS13-1-{number}-2021-06" for number in (3, 0, 1)]
    first = await world.do("DescribeSSLPolicies", Names=wanted, PageSize=2)
    rest = await world.do("DescribeSSLPolicies", Names=wanted, Marker=first["NextMarker"])
    shown = [each["Name"] for each in (*first["SslPolicies"], *rest["SslPolicies"])]
    assert shown == sorted(wanted)
    gateways = await world.do("DescribeSSLPolicies", LoadBalancerType="gateway")
    assert gateways["SslPolicies"] == []


@pytest.mark.covers("elbv2:DescribeAccountLimits")
async def test_account_limits_come_in_pages(world) -> None:
    told = await world.do("DescribeAccountLimits", PageSize=3)
    rest = await world.do("DescribeAccountLimits", Marker=told["NextMarker"])
    limits = {each["Name"]: each["Max"] for each in (*told["Limits"], *rest["Limits"])}
    assert len(told["Limits"]) == 3
    assert limits["rules-per-application-load-balancer"] == "100"


async def test_certificates_are_for_listeners_that_show_some(setting) -> None:
    world, balancer, group, _ = setting
    listener = await listen(world, balancer, group)
    given = {"ListenerArn": listener["ListenerArn"], "Certificates": [{"CertificateArn": "arn:x"}]}
    assert await world.refused("AddListenerCertificates", **given) == (
        "InvalidConfigurationRequest",
        "Certificates cannot be specified for HTTP listeners",
    )


@pytest.mark.covers("elbv2:SetSubnets", "elbv2:SetSecurityGroups", "elbv2:SetIpAddressType")
async def test_a_load_balancer_moves(setting) -> None:
    world, balancer, *_ = setting
    arn, subnets = {"LoadBalancerArn": balancer}, [subnet.id for subnet in NETWORK.subnets[1:3]]
    moved = await world.do("SetSubnets", **arn, Subnets=subnets)
    assert [each["SubnetId"] for each in moved["AvailabilityZones"]] == subnets
    assert (await world.refused("SetSubnets", **arn, Subnets=subnets[:1]))[0] == "ValidationError"
    group = NETWORK.security_group.id
    given = await world.do("SetSecurityGroups", **arn, SecurityGroups=[group])
    assert given["SecurityGroupIds"] == [group]
    for groups in ([], ["sg-0"]):
        refused = await world.refused("SetSecurityGroups", **arn, SecurityGroups=groups)
        assert refused[0] == "InvalidConfigurationRequest"
    assert (await world.do("SetIpAddressType", **arn, IpAddressType="ipv4")) == {
        "IpAddressType": "ipv4"
    }
    refused = await world.refused("SetIpAddressType", **arn, IpAddressType="dualstack")
    assert refused[0] == "InvalidSubnet"
    (shown,) = (await world.do("DescribeLoadBalancers"))["LoadBalancers"]
    assert [each["SubnetId"] for each in shown["AvailabilityZones"]] == subnets


async def test_a_network_load_balancer_loses_no_subnet(world) -> None:
    subnets = [subnet.id for subnet in NETWORK.subnets]
    made = await world.do("CreateLoadBalancer", Name="net", Type="network", Subnets=subnets[:2])
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    assert await world.refused("SetSubnets", LoadBalancerArn=arn, Subnets=subnets[1:]) == (
        "InvalidSubnet",
        "Subnet removal is not supported for Network Load Balancers",
    )
    moved = await world.do("SetSubnets", LoadBalancerArn=arn, Subnets=subnets)
    assert len(moved["AvailabilityZones"]) == 3
