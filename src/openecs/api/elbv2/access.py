"""What operations on load balancers ask of policies.

Service Authorization Reference, "Actions, resources, and condition keys for AWS Elastic Load
Balancing V2"; Elastic Load Balancing User Guide, "Tag load balancers and target groups during
creation".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from openecs.api.access import Context, request_tags, resource_tags
from openecs.api.base import Access, Asked, Call, Members
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import SERVICE
from openecs.store.base import Kind, View
from openecs.store.kinds import LISTENERS, LOAD_BALANCERS, RULES, TARGET_GROUPS, TRUST_STORES

#: Operations, and the member with the ARN or the ARNs of what they are on.
_ON_ARNS = {
    "AddListenerCertificates": "ListenerArn",
    "AddTags": "ResourceArns",
    "AddTrustStoreRevocations": "TrustStoreArn",
    "CreateListener": "LoadBalancerArn",
    "CreateRule": "ListenerArn",
    "DeleteListener": "ListenerArn",
    "DeleteLoadBalancer": "LoadBalancerArn",
    "DeleteRule": "RuleArn",
    "DeleteTargetGroup": "TargetGroupArn",
    "DeleteTrustStore": "TrustStoreArn",
    "DeregisterTargets": "TargetGroupArn",
    "DescribeTrustStoreAssociations": "TrustStoreArn",
    "DescribeTrustStoreRevocations": "TrustStoreArn",
    "GetTrustStoreCaCertificatesBundle": "TrustStoreArn",
    "GetTrustStoreRevocationContent": "TrustStoreArn",
    "ModifyCapacityReservation": "LoadBalancerArn",
    "ModifyIpPools": "LoadBalancerArn",
    "ModifyListener": "ListenerArn",
    "ModifyListenerAttributes": "ListenerArn",
    "ModifyLoadBalancerAttributes": "LoadBalancerArn",
    "ModifyRule": "RuleArn",
    "ModifyTargetGroup": "TargetGroupArn",
    "ModifyTargetGroupAttributes": "TargetGroupArn",
    "ModifyTrustStore": "TrustStoreArn",
    "RegisterTargets": "TargetGroupArn",
    "RemoveListenerCertificates": "ListenerArn",
    "RemoveTags": "ResourceArns",
    "RemoveTrustStoreRevocations": "TrustStoreArn",
    "SetIpAddressType": "LoadBalancerArn",
    "SetRulePriorities": "RulePriorities",
    "SetSecurityGroups": "LoadBalancerArn",
    "SetSubnets": "LoadBalancerArn",
}
_TYPES = {"network": "net", "gateway": "gwy"}
#: What is made, of which only a part of the ARN is known before.
_MADE: Mapping[str, Callable[[Call, Members], str]] = {
    "CreateListener": lambda _, request: _below(request.get("LoadBalancerArn"), "listener"),
    "CreateLoadBalancer": lambda call, request: _new(
        call, f"loadbalancer/{_TYPES.get(request.get('Type') or '', 'app')}", request
    ),
    "CreateRule": lambda _, request: _below(request.get("ListenerArn"), "listener-rule"),
    "CreateTargetGroup": lambda call, request: _new(call, "targetgroup", request),
    "CreateTrustStore": lambda call, request: _new(call, "truststore", request),
}
#: Operations that no policy can allow on some resources only.
_ON_ALL = (
    "DescribeAccountLimits",
    "DescribeCapacityReservation",
    "DescribeListenerAttributes",
    "DescribeListenerCertificates",
    "DescribeListeners",
    "DescribeLoadBalancerAttributes",
    "DescribeLoadBalancers",
    "DescribeRules",
    "DescribeSSLPolicies",
    "DescribeTags",
    "DescribeTargetGroupAttributes",
    "DescribeTargetGroups",
    "DescribeTargetHealth",
    "DescribeTrustStores",
)
_KINDS: Mapping[str, Kind[Any]] = {
    "listener": LISTENERS,
    "listener-rule": RULES,
    "loadbalancer": LOAD_BALANCERS,
    "targetgroup": TARGET_GROUPS,
    "truststore": TRUST_STORES,
}
#: Condition keys, and the members that tell them.
_KEYS = {
    "listenerprotocol": "Protocol",
    "scheme": "Scheme",
    "securitygroup": "SecurityGroups",
    "securitypolicy": "SslPolicy",
    "subnet": "Subnets",
}
_WITH_KEYS: Mapping[str, tuple[str, ...]] = {
    "CreateListener": ("listenerprotocol", "securitypolicy"),
    "CreateLoadBalancer": ("scheme", "securitygroup", "subnet"),
    "ModifyListener": ("listenerprotocol", "securitypolicy"),
    "SetSecurityGroups": ("securitygroup",),
    "SetSubnets": ("subnet",),
}


def _asks(operation: str) -> Access:
    def asks(view: View, call: Call, request: Members) -> Iterator[Asked]:
        told = _told(operation, request)
        for arn in _resources(operation, call, request):
            context = {**told, **_tags(view, call, arn)}
            yield Asked(action=f"{SERVICE}:{operation}", resource=arn, context=context)
        if operation in _MADE and request.get("Tags"):
            context = {**_given_tags(request), f"{SERVICE}:createaction": (operation,)}
            made = _MADE[operation](call, request)
            yield Asked(action=f"{SERVICE}:AddTags", resource=made, context=context)

    return asks


ACCESS: Mapping[str, Access] = {name: _asks(name) for name in {*_ON_ARNS, *_MADE, *_ON_ALL}}


def _resources(operation: str, call: Call, request: Members) -> list[str]:
    if operation in _ON_ALL:
        return ["*"]
    if operation not in _ON_ARNS:
        return [_MADE[operation](call, request)]
    given = request.get(_ON_ARNS[operation]) or ()
    if isinstance(given, str):
        return [given]
    return [one["RuleArn"] if isinstance(one, Mapping) else one for one in given]


def _new(call: Call, word: str, request: Members) -> str:
    return call.scope.arn(SERVICE, f"{word}/{request.get('Name') or ''}/*")


def _below(parent: str | None, word: str) -> str:
    """The ARN of what is made in a load balancer or a listener."""
    start, _, path = (parent or "").partition("/")
    return f"{start.rpartition(':')[0]}:{word}/{path}/*"


def _told(operation: str, request: Members) -> Context:
    context = {**_given_tags(request)}
    if keys := request.get("TagKeys"):
        context["aws:tagkeys"] = tuple(keys)
    for key in _WITH_KEYS.get(operation, ()):
        given = _subnets(request) if key == "subnet" else request.get(_KEYS[key])
        if given:
            values = (given,) if isinstance(given, str) else tuple(given)
            context[f"{SERVICE}:{key}"] = values
    return context


def _subnets(request: Members) -> list[str]:
    mapped = [one.get("SubnetId") or "" for one in request.get("SubnetMappings") or ()]
    return [*(request.get("Subnets") or ()), *mapped]


def _given_tags(request: Members) -> Context:
    tags = request.get("Tags") or ()
    return request_tags((tag.get("Key", ""), tag.get("Value") or "") for tag in tags)


def _tags(view: View, call: Call, arn: str) -> Context:
    parsed = parse_arn(arn)
    if parsed is None or parsed.scope != call.scope:
        return {}
    word, _, key = parsed.resource.partition("/")
    found = view.get(_KINDS[word], call.scope, key) if word in _KINDS else None
    return resource_tags(found.tags, SERVICE) if found else {}
