"""Listeners for datagrams as Envoy's.

User Guide for Network Load Balancers, "Target groups": their weights are their shares of flows.
Envoy has no weights there; a hash of where a flow comes from takes their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from openecs.edge import admission
from openecs.model.load_balancing import WeightedTargetGroup

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_PROXY = f"{_TYPE}.extensions.filters.udp.udp_proxy.v3"
_MATCHING = f"{_TYPE}.extensions.matching"

#: How long a flow is remembered.
_IDLE = "120s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What comes to a port, and the groups that share it; sticky ones keep a client's flows."""

    port: int
    groups: Sequence[WeightedTargetGroup]
    is_sticky: bool


def listener(
    name: str, address: str, flow: Flow, admitted: Sequence[str] | None = None
) -> Resource:
    """The listener at an address, for clients of some blocks only unless that is None."""
    config = {
        "@type": f"{_PROXY}.UdpProxyConfig",
        "stat_prefix": name,
        "idle_timeout": _IDLE,
        "hash_policies": [{"source_ip": True}],
        "matcher": admission.datagrams(admitted, _matcher(flow)),
    }
    place = {"address": address, "port_value": flow.port, "protocol": "UDP"}
    return {
        "@type": f"{_TYPE}.config.listener.v3.Listener",
        "name": name,
        "address": {"socket_address": place},
        "listener_filters": [
            {"name": "envoy.filters.udp_listener.udp_proxy", "typed_config": config}
        ],
    }


def _matcher(flow: Flow) -> Resource:
    """Each group in turn takes its share of what is left, the last one the rest."""
    *others, last = flow.groups
    left, matchers = sum(group.weight for group in flow.groups), []
    for number, group in enumerate(others):
        predicate = _share(flow, number, left - group.weight, left)
        matchers.append({"predicate": {"single_predicate": predicate}, "on_match": _to(group)})
        left -= group.weight
    listed = {"matcher_list": {"matchers": matchers}} if matchers else {}
    return {**listed, "on_no_match": _to(last)}


def _share(flow: Flow, seed: int, threshold: int, modulo: int) -> Resource:
    """Flows whose hash, modulo one number, is another one at least."""
    source = "SourceIPInput" if flow.is_sticky else "SourcePortInput"
    hashing = f"{_MATCHING}.input_matchers.consistent_hashing.v3.ConsistentHashing"
    return {
        "input": {
            "name": "source",
            "typed_config": {"@type": f"{_MATCHING}.common_inputs.network.v3.{source}"},
        },
        "custom_match": {
            "name": "envoy.matching.matchers.consistent_hashing",
            "typed_config": {
                "@type": hashing,
                "threshold": threshold,
                "modulo": modulo,
                "seed": seed,
            },
        },
    }


def _to(group: WeightedTargetGroup) -> Resource:
    route = {"@type": f"{_PROXY}.Route", "cluster": group.target_group_arn}
    return {"action": {"name": "route", "typed_config": route}}
