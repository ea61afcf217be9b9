"""Security groups of load balancers, at the doors that other machines reach.

Envoy keeps them and not the host's packet filter: load balancers that share a port are told apart
only by the name that is asked for. What no rule allows is closed, or answered with 403 where
requests for several load balancers come to one port without TLS.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_FILTERS = f"{_TYPE}.extensions.filters"
_NETWORK = f"{_TYPE}.extensions.matching"
_HTTP = "envoy.filters.http.rbac"


def connections(blocks: Sequence[str] | None) -> list[Resource]:
    """The filter of connections that only clients of these blocks may make; None: everybody."""
    if blocks is None:
        return []
    config = {
        "@type": f"{_FILTERS}.network.rbac.v3.RBAC",
        "stat_prefix": "security_groups",
        "rules": _rules(blocks),
    }
    return [{"name": "security_groups", "typed_config": config}]


def requests(allowed: Iterable[Sequence[str] | None]) -> list[Resource]:
    """The filter of requests for load balancers that share a door, where one is not for all."""
    if all(blocks is None for blocks in allowed):
        return []
    return [{"name": _HTTP, "typed_config": {"@type": f"{_FILTERS}.http.rbac.v3.RBAC"}}]


def of_host(blocks: Sequence[str] | None) -> Resource:
    """The part of a virtual host's settings that tells that filter who may ask for it."""
    if blocks is None:
        return {}
    rules = {"rbac": {"rules": _rules(blocks)}}
    return {_HTTP: {"@type": f"{_FILTERS}.http.rbac.v3.RBACPerRoute", **rules}}


def datagrams(blocks: Sequence[str] | None, matcher: Resource) -> Resource:
    """The matcher of datagrams, for clients of these blocks only; those of others are dropped."""
    if blocks is None:
        return matcher
    ranges = [_range(block) for block in blocks]
    tree = {
        "@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher",
        "range_matchers": [{"ranges": ranges, "on_match": {"matcher": matcher}}],
    }
    source = {"@type": f"{_NETWORK}.common_inputs.network.v3.SourceIPInput"}
    return {
        "matcher_tree": {
            "input": {"name": "source", "typed_config": source},
            "custom_match": {"name": "envoy.matching.custom_matchers.ip", "typed_config": tree},
        }
    }


def _rules(blocks: Sequence[str]) -> Resource:
    principals = [{"direct_remote_ip": _range(block)} for block in blocks]
    clients = {"permissions": [{"any": True}], "principals": principals}
    return {"action": "ALLOW", "policies": {"clients": clients}}


def _range(block: str) -> Resource:
    network = ip_network(block, strict=False)
    return {"address_prefix": str(network.network_address), "prefix_len": network.prefixlen}
