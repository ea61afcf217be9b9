"""What network load balancers carry: connections and datagrams, unread."""

from __future__ import annotations

from typing import Any

from openecs.model.load_balancing import Listener, WeightedTargetGroup

Resource = dict[str, Any]

_FILTERS = "type.googleapis.com/envoy.extensions.filters"
#: Seconds. User Guide for Network Load Balancers, "Connection idle timeout".
_TCP_IDLE, _UDP_IDLE = "350", "120"


def connections(listener: Listener) -> Resource:
    """The filter that carries TCP connections."""
    idle = listener.attributes.get("tcp.idle_timeout.seconds", _TCP_IDLE)
    groups = weighted(listener)
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": f"{_FILTERS}.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "network",
            "idle_timeout": f"{idle}s",
            # For target groups whose sessions stay where they are.
            "hash_policy": [{"source_ip": {}}],
            "weighted_clusters": {
                "clusters": [{"name": g.target_group_arn, "weight": g.weight} for g in groups]
            },
        },
    }


def datagrams(listener: Listener) -> Resource:
    """The listener filter that carries UDP, all of it to one target group."""
    cluster = weighted(listener)[0].target_group_arn
    route = {"@type": f"{_FILTERS}.udp.udp_proxy.v3.Route", "cluster": cluster}
    return {
        "name": "envoy.filters.udp_listener.udp_proxy",
        "typed_config": {
            "@type": f"{_FILTERS}.udp.udp_proxy.v3.UdpProxyConfig",
            "stat_prefix": "network",
            "idle_timeout": f"{_UDP_IDLE}s",
            "hash_policies": [{"source_ip": True}],
            "matcher": {"on_no_match": {"action": {"name": "route", "typed_config": route}}},
        },
    }


def weighted(listener: Listener) -> list[WeightedTargetGroup]:
    """The target groups that get something."""
    forward = listener.default_actions[0].forward
    return [group for group in forward.target_groups if group.weight] if forward else []
