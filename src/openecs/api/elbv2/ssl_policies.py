"""DescribeSSLPolicies. Elastic Load Balancing API Reference, ``SslPolicy``."""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.elbv2 import errors, paging
from openecs.model.load_balancing import LoadBalancerType
from openecs.model.tls_policies import POLICIES, TlsPolicy
from openecs.store.base import View

_TYPES = [str(LoadBalancerType.APPLICATION), str(LoadBalancerType.NETWORK)]


def find(name: str) -> TlsPolicy:
    """The policy of that name. Raises ``SSLPolicyNotFound``."""
    found = POLICIES.get(name)
    if found is None:
        raise errors.ssl_policy_not_found(name)
    return found


def describe_ssl_policies(_: View, __: Call, request: Members) -> Members:
    """The named policies, or all of them."""
    named = request.get("Names")
    found = [find(name) for name in sorted(set(named or POLICIES))]
    if (request.get("LoadBalancerType") or _TYPES[0]) not in _TYPES:
        found = []
    shown, marker = paging.page(request, found, lambda policy: policy.name)
    return {"SslPolicies": [_show(policy) for policy in shown], "NextMarker": marker}


OPERATIONS: dict[str, Operation] = {"DescribeSSLPolicies": Reads(describe_ssl_policies)}


def _show(policy: TlsPolicy) -> Members:
    return {
        "SslProtocols": list(policy.protocols),
        "Ciphers": [
            {"Name": name, "Priority": number} for number, name in enumerate(policy.ciphers, 1)
        ],
        "Name": policy.name,
        "SupportedLoadBalancerTypes": _TYPES,
    }
