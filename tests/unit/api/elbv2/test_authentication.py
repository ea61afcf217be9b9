"""Actions that authenticate, over the operations."""

from __future__ import annotations

import pytest

from openecs.decide.default_network import default_network
from openecs.store.kinds import CERTIFICATES, LISTENERS, RULES
from openecs.testing.builders import SCOPE, a_certificate

NETWORK = default_network(SCOPE)
SHOWN = a_certificate()
PATH = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}}
OIDC = {
    "Issuer": "https://idp.test",
    "AuthorizationEndpoint": "https://idp.test/authorize",
    "TokenEndpoint": "https://idp.test/token",
    "UserInfoEndpoint": "https://idp.test/userinfo",
    "ClientId": "me",
    "ClientSecret": "hidden",
}


class Setting:
    """A load balancer with a listener that speaks TLS, and a target group."""

    def __init__(self, world, balancer, group) -> None:
        self.world, self.balancer, self.group = world, balancer, group

    def actions(self, **changes):
        config = {k: v for k, v in {**OIDC, **changes}.items() if v is not None}
        first = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": config}
        return [first, {"Type": "forward", "Order": 2, "TargetGroupArn": self.group}]

    def listening(self, actions, **changes):
        request = {"LoadBalancerArn": self.balancer, "Protocol": "HTTPS", "Port": 443}
        secure = {"Certificates": [{"CertificateArn": SHOWN.arn}]}
        return {**request, **secure, "DefaultActions": actions, **changes}

    async def listen(self, actions):
        made = await self.world.do("CreateListener", **self.listening(actions))
        return made["Listeners"][0]

    async def secrets(self, kind, scope=SCOPE):
        found = await self.world.store.read(lambda view: view.scan(kind, scope))
        return [a.oidc.client_secret for each in found for a in each.forwarding if a.oidc]


@pytest.fixture
async def setting(world):
    await world.store.write(lambda tx: tx.put(CERTIFICATES, SHOWN))
    subnets = [subnet.id for subnet in NETWORK.subnets[:2]]
    made = await world.do("CreateLoadBalancer", Name="front", Subnets=subnets)
    request = {"Name": "one", "Protocol": "HTTP", "Port": 80, "VpcId": NETWORK.vpc.id}
    group = (await world.do("CreateTargetGroup", **request))["TargetGroups"][0]
    return Setting(world, made["LoadBalancers"][0]["LoadBalancerArn"], group["TargetGroupArn"])


@pytest.mark.covers("elbv2:CreateListener", "elbv2:DescribeListeners")
async def test_all_is_shown_but_the_secret(setting) -> None:
    listener = await setting.listen(setting.actions())
    first, last = listener["DefaultActions"]
    assert first["AuthenticateOidcConfig"] == {
        **{key: value for key, value in OIDC.items() if key != "ClientSecret"},
        "SessionCookieName": "AWSELBAuthSessionCookie",
        "Scope": "openid",
        "SessionTimeout": 604800,
        "OnUnauthenticatedRequest": "authenticate",
    }
    assert last["Type"] == "forward"
    arn = listener["ListenerArn"]
    told = await setting.world.do("DescribeListeners", ListenerArns=[arn])
    assert "hidden" not in repr(told)
    stored = await setting.world.store.read(lambda view: view.scan(LISTENERS, SCOPE))
    assert "hidden" not in repr(stored)
    assert await setting.secrets(LISTENERS) == ["hidden"]


@pytest.mark.covers("elbv2:CreateRule", "elbv2:ModifyRule", "elbv2:ModifyListener")
async def test_the_secret_that_is_there_goes_on(setting) -> None:
    listener = await setting.listen(setting.actions())
    arn, again = listener["ListenerArn"], {"ClientSecret": None, "UseExistingClientSecret": True}
    actions = setting.actions(**again, Scope="openid email")
    await setting.world.do("ModifyListener", ListenerArn=arn, DefaultActions=actions)
    assert await setting.secrets(LISTENERS) == ["hidden"]
    request = {"ListenerArn": arn, "Priority": 1, "Conditions": [PATH]}
    refused = await setting.world.refused("CreateRule", **request, Actions=actions)
    assert refused[0] == "InvalidLoadBalancerAction"
    rule = await setting.world.do("CreateRule", **request, Actions=setting.actions())
    arn = rule["Rules"][0]["RuleArn"]
    await setting.world.do("ModifyRule", RuleArn=arn, Actions=actions)
    assert await setting.secrets(RULES) == ["hidden"]


@pytest.mark.covers("elbv2:CreateListener")
@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"TokenEndpoint": "idp.test/token"}, "ValidationError", "'TokenEndpoint'"),
        ({"Issuer": "https://idp.test:port"}, "ValidationError", "'Issuer'"),
        ({"AuthorizationEndpoint": "https://a\r\nb"}, "ValidationError", "full URL"),
        ({"ClientSecret": None}, "ValidationError", "A 'ClientSecret'"),
        ({"UseExistingClientSecret": True}, "ValidationError", "cannot be specified"),
        ({"SessionTimeout": 0}, "ValidationError", "Session timeout '0'"),
        ({"SessionCookieName": "a b"}, "ValidationError", "cookie name"),
        (
            {"AuthenticationRequestExtraParams": {f"p{n}": "" for n in range(11)}},
            "ValidationError",
            "cannot exceed '10'",
        ),
    ],
)
async def test_what_authentication_cannot_be(setting, changes, code, part) -> None:
    request = setting.listening(setting.actions(**changes))
    refused = await setting.world.refused("CreateListener", **request)
    assert refused[0] == code
    assert part in refused[1]


@pytest.mark.covers("elbv2:CreateListener", "elbv2:ModifyListener")
async def test_authentication_is_for_listeners_that_speak_tls(setting) -> None:
    plain = {"Protocol": "HTTP", "Certificates": []}
    request = setting.listening(setting.actions(), **plain)
    assert (await setting.world.refused("CreateListener", **request))[0] == (
        "InvalidLoadBalancerAction"
    )
    listener = await setting.listen(setting.actions())
    request = {"ListenerArn": listener["ListenerArn"], "Protocol": "HTTP", "Certificates": []}
    refused = await setting.world.refused("ModifyListener", **request)
    assert "only on HTTPS listeners" in refused[1]


@pytest.mark.covers("elbv2:CreateListener")
@pytest.mark.parametrize("type_", ["authenticate-cognito"])
async def test_other_kinds_are_refused_by_name(setting, type_) -> None:
    actions = [{"Type": type_, "Order": 1}, setting.actions()[1]]
    refused = await setting.world.refused("CreateListener", **setting.listening(actions))
    assert refused[0] == "InvalidConfigurationRequest"
    assert type_ in refused[1]


@pytest.mark.covers("elbv2:CreateListener")
async def test_one_authenticates_and_once(setting) -> None:
    first, last = setting.actions()
    actions = [first, {**first, "Order": 2}, {**last, "Order": 3}]
    refused = await setting.world.refused("CreateListener", **setting.listening(actions))
    assert refused[0] == "InvalidLoadBalancerAction"
    request = setting.listening([{"Type": "authenticate-oidc", "Order": 1}, last])
    assert (await setting.world.refused("CreateListener", **request))[0] == "ValidationError"


JWT = {
    "JwksEndpoint": "https://idp.test/keys",
    "Issuer": "https://idp.test",
    "AdditionalClaims": [{"Name": "scope", "Format": "string-array", "Values": ["a", "b"]}],
}


def validating(setting, **changes):
    action = {"Type": "jwt-validation", "Order": 1, "JwtValidationConfig": {**JWT, **changes}}
    return [action, setting.actions()[1]]


@pytest.mark.covers("elbv2:CreateListener", "elbv2:DescribeListeners")
async def test_the_validation_of_tokens_is_shown(setting) -> None:
    listener = await setting.listen(validating(setting))
    assert listener["DefaultActions"][0]["JwtValidationConfig"] == JWT


@pytest.mark.covers("elbv2:CreateListener")
@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"JwksEndpoint": "keys"}, "'JwksEndpoint'"),
        ({"Issuer": "i" * 257}, "'Issuer'"),
        ({"AdditionalClaims": JWT["AdditionalClaims"] * 11}, "cannot exceed '10'"),
        (
            {"AdditionalClaims": [{"Name": "iss", "Format": "single-string", "Values": ["a"]}]},
            "claim 'iss'",
        ),
        (
            {"AdditionalClaims": [{"Name": "a", "Format": "single-string", "Values": ["a", "b"]}]},
            "number of values",
        ),
        (
            {
                "AdditionalClaims": [
                    {"Name": "a", "Format": "space-separated-values", "Values": ["a b"]}
                ]
            },
            "cannot include spaces",
        ),
    ],
)
async def test_what_validation_cannot_be(setting, changes, part) -> None:
    request = setting.listening(validating(setting, **changes))
    refused = await setting.world.refused("CreateListener", **request)
    assert refused[0] == "ValidationError"
    assert part in refused[1]
