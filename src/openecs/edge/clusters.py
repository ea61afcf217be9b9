"""Target groups as Envoy's clusters, and their targets as its endpoints.

Health is not Envoy's business here: what the checks found comes with the endpoints. A draining
target is no endpoint any more; Envoy lets its requests under way end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openecs.edge.files import source_of
from openecs.edge.functions import socket_of
from openecs.edge.stickiness import is_sticky
from openecs.model.load_balancing import Target, TargetGroup, TargetHealth, TargetState, TargetType

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

#: Seconds an application load balancer waits for a connection to a target.
_CONNECT = "10s"

_MINIMUM = "target_group_health.unhealthy_state_routing.minimum_healthy_targets.{}"
_SLOW_START = "slow_start.duration_seconds"
_ANOMALY = "load_balancing.algorithm.anomaly_mitigation"
_SOCKETS = f"{_TYPE}.extensions.transport_sockets"

#: A target that fails far more often than it answers rests for a while, at most half of them all.
_MITIGATION: Resource = {
    "interval": "2s",
    "base_ejection_time": "30s",
    "max_ejection_percent": 50,
    "failure_percentage_threshold": 50,
    "failure_percentage_minimum_hosts": 3,
    "failure_percentage_request_volume": 10,
    "enforcing_failure_percentage": 100,
    # Nothing but the share of failures tells an anomaly.
    "enforcing_consecutive_5xx": 0,
    "enforcing_success_rate": 0,
}

#: What Envoy limits unless it is told: a target that dies under load needs many retries at once.
_LIMITED = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
_UNLIMITED = 1_000_000

_ALGORITHMS = {
    "round_robin": "ROUND_ROBIN",
    "least_outstanding_requests": "LEAST_REQUEST",
    "weighted_random": "RANDOM",
}


def cluster(group: TargetGroup, directory: Path) -> Resource:
    """The cluster of a target group; its endpoints are in a file of their own."""
    if group.target_type is TargetType.LAMBDA:
        return _of_functions(group, directory)
    made: Resource = {
        "@type": f"{_TYPE}.config.cluster.v3.Cluster",
        "name": group.arn,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": source_of(directory, endpoints_file(group.arn)),
        },
        "connect_timeout": _CONNECT,
        "circuit_breakers": {"thresholds": [dict.fromkeys(_LIMITED, _UNLIMITED)]},
        "lb_policy": _policy(group),
        # When to be open to all is decided with the endpoints.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
    }
    made.update(_slow_start(group))
    if group.attributes.get(_ANOMALY) == "on":
        made["outlier_detection"] = _MITIGATION
    socket = _transport(group)
    if socket is not None:
        made["transport_socket"] = socket
    if group.protocol_version in {"HTTP2", "GRPC"}:
        made["typed_extension_protocol_options"] = {
            _HTTP: {
                "@type": f"type.googleapis.com/{_HTTP}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return made


def _of_functions(group: TargetGroup, directory: Path) -> Resource:
    """Envoy asks the server beside it, which invokes the function."""
    pipe = {"pipe": {"path": str(socket_of(directory))}}
    return {
        "@type": f"{_TYPE}.config.cluster.v3.Cluster",
        "name": group.arn,
        "type": "STATIC",
        "connect_timeout": _CONNECT,
        "circuit_breakers": {"thresholds": [dict.fromkeys(_LIMITED, _UNLIMITED)]},
        "load_assignment": {
            "cluster_name": group.arn,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": pipe}}]}],
        },
    }


def _slow_start(group: TargetGroup) -> Resource:
    if not starts_slowly(group):
        return {}
    window = {"slow_start_window": f"{group.attributes[_SLOW_START]}s"}
    return {"round_robin_lb_config": {"slow_start_config": window}}


def starts_slowly(group: TargetGroup) -> bool:
    """Whether targets get their share bit by bit from when they are healthy on."""
    return group.attributes.get(_SLOW_START, "0") != "0"


def _transport(group: TargetGroup) -> Resource | None:
    """What is between connections and targets: TLS, and before it the PROXY protocol."""
    secure = group.protocol in {"HTTPS", "TLS"}
    tls = _extension("tls", f"{_SOCKETS}.tls.v3.UpstreamTlsContext")
    is_told = group.attributes.get("proxy_protocol_v2.enabled") == "true"
    if not is_told and group.target_type is not TargetType.ALB:
        return tls if secure else None
    plain = _extension("raw_buffer", f"{_SOCKETS}.raw_buffer.v3.RawBuffer")
    return _extension(
        "upstream_proxy_protocol",
        f"{_SOCKETS}.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
        config={"version": "V2"},
        transport_socket=tls if secure else plain,
    )


def _extension(name: str, type_: str, **config: Any) -> Resource:
    return {"name": f"envoy.transport_sockets.{name}", "typed_config": {"@type": type_, **config}}


def _policy(group: TargetGroup) -> str:
    if group.protocol not in {"HTTP", "HTTPS"} and is_sticky(group):
        return "MAGLEV"
    return _ALGORITHMS[group.attributes.get("load_balancing.algorithm.type", "round_robin")]


def endpoints(
    group: TargetGroup, targets: Sequence[Target], health: Mapping[str, TargetHealth]
) -> Resource:
    """The endpoints of a target group; ``health`` by the targets' keys."""
    serving = (t for t in targets if t.draining_since is None)
    ordered = sorted(serving, key=lambda t: (t.address, t.port, t.key))
    healthy = [t for t in ordered if _is_healthy(t, health.get(t.key))]
    if _is_open(group, len(healthy), len(ordered)):
        healthy = ordered
    elif starts_slowly(group):
        # Envoy's slow start begins when an endpoint appears.
        ordered = healthy
    taken = {target.key for target in healthy}
    return {
        "@type": f"{_TYPE}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": group.arn,
        "endpoints": [{"lb_endpoints": [_endpoint(t, taken) for t in ordered]}],
    }


def joined(found: Resource, known: Sequence[Resource]) -> Resource:
    """The endpoints, and those of ``known`` that are not among them."""
    here = found["endpoints"][0]["lb_endpoints"]
    addresses = [each["endpoint"] for each in here]
    gone = [
        each
        for resource in known
        for each in resource["endpoints"][0]["lb_endpoints"]
        if each["endpoint"] not in addresses
    ]
    return {**found, "endpoints": [{"lb_endpoints": [*here, *gone]}]}


def _is_open(group: TargetGroup, healthy: int, all_: int) -> bool:
    """Whether so few targets are healthy that the others get their share too."""
    count = int(group.attributes.get(_MINIMUM.format("count"), "1"))
    percentage = group.attributes.get(_MINIMUM.format("percentage"), "off")
    return healthy < count or (percentage != "off" and healthy * 100 < int(percentage) * all_)


def endpoints_file(group_arn: str) -> str:
    """The name of the file with the endpoints of a target group."""
    return f"endpoints-{group_arn.rpartition(':')[2].replace('/', '-')}-{_scope(group_arn)}"


def _scope(arn: str) -> str:
    return "-".join(arn.split(":")[3:5])


def _endpoint(target: Target, healthy: set[str]) -> Resource:
    return {
        "endpoint": {
            "address": {"socket_address": {"address": target.address, "port_value": target.port}}
        },
        "health_status": "HEALTHY" if target.key in healthy else "UNHEALTHY",
    }


def _is_healthy(target: Target, health: TargetHealth | None) -> bool:
    is_known = health is not None and health.registered_at == target.registered_at
    return is_known and health is not None and health.state is TargetState.HEALTHY
