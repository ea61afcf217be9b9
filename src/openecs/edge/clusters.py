"""Target groups as Envoy's clusters, and their targets as its endpoints.

Health is not Envoy's business here: what the checks found comes with the endpoints. A draining
target is no endpoint any more; Envoy lets its requests under way end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openecs.edge.stickiness import is_sticky
from openecs.model.load_balancing import Target, TargetGroup, TargetHealth, TargetState

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_HTTP = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

#: Seconds an application load balancer waits for a connection to a target.
_CONNECT = "10s"

_ALGORITHMS = {
    "round_robin": "ROUND_ROBIN",
    "least_outstanding_requests": "LEAST_REQUEST",
    "weighted_random": "RANDOM",
}


def cluster(group: TargetGroup, directory: Path) -> Resource:
    """The cluster of a target group; its endpoints are in a file of their own."""
    made: Resource = {
        "@type": f"{_TYPE}.config.cluster.v3.Cluster",
        "name": group.arn,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {
                "path_config_source": {
                    "path": str(directory / endpoints_file(group.arn)),
                    "watched_directory": {"path": str(directory)},
                },
                "resource_api_version": "V3",
            }
        },
        "connect_timeout": _CONNECT,
        "lb_policy": _policy(group),
        # Open to all when none is healthy. In whole percents: 0 would be never.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
    }
    if group.protocol in {"HTTPS", "TLS"}:
        made["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
            },
        }
    if group.protocol_version in {"HTTP2", "GRPC"}:
        made["typed_extension_protocol_options"] = {
            _HTTP: {
                "@type": f"type.googleapis.com/{_HTTP}",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        }
    return made


def _policy(group: TargetGroup) -> str:
    if group.protocol not in {"HTTP", "HTTPS"} and is_sticky(group):
        return "MAGLEV"
    return _ALGORITHMS[group.attributes.get("load_balancing.algorithm.type", "round_robin")]


def endpoints(
    group_arn: str, targets: Sequence[Target], health: Mapping[str, TargetHealth]
) -> Resource:
    """The endpoints of a target group; ``health`` by the targets' keys."""
    serving = (t for t in targets if t.draining_since is None)
    ordered = sorted(serving, key=lambda t: (t.address, t.port, t.key))
    return {
        "@type": f"{_TYPE}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": group_arn,
        "endpoints": [{"lb_endpoints": [_endpoint(t, health.get(t.key)) for t in ordered]}],
    }


def endpoints_file(group_arn: str) -> str:
    """The name of the file with the endpoints of a target group."""
    return f"endpoints-{group_arn.rpartition(':')[2].replace('/', '-')}-{_scope(group_arn)}.json"


def _scope(arn: str) -> str:
    return "-".join(arn.split(":")[3:5])


def _endpoint(target: Target, health: TargetHealth | None) -> Resource:
    is_known = health is not None and health.registered_at == target.registered_at
    is_healthy = is_known and health is not None and health.state is TargetState.HEALTHY
    return {
        "endpoint": {
            "address": {"socket_address": {"address": target.address, "port_value": target.port}}
        },
        "health_status": "HEALTHY" if is_healthy else "UNHEALTHY",
    }
