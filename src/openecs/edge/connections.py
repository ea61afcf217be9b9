"""How Envoy treats connections of clients to application load balancers.

Where several share a door, nobody knows whose a connection is before its first request: it gets
what cuts short none of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openecs.model.load_balancing import LoadBalancer

Resource = dict[str, Any]

_IDLE, _KEPT = ("idle_timeout.timeout_seconds", "60"), ("client_keep_alive.seconds", "3600")
_HTTP2 = ("routing.http2.enabled", "true")
_DROPS = ("routing.http.drop_invalid_header_fields.enabled", "false")


def settings(balancers: Sequence[LoadBalancer]) -> Resource:
    """The part of the connection manager that is about connections."""
    idle, kept = (max(map(int, _values(balancers, *each))) for each in (_IDLE, _KEPT))
    speaks_http2 = "true" in _values(balancers, *_HTTP2)
    drops = "false" not in _values(balancers, *_DROPS)
    return {
        "codec_type": "AUTO" if speaks_http2 else "HTTP1",
        "common_http_protocol_options": {
            "headers_with_underscores_action": "DROP_HEADER" if drops else "ALLOW",
            "idle_timeout": f"{idle}s",
            "max_connection_duration": f"{kept}s",
        },
        # Routes have their load balancer's own.
        "stream_idle_timeout": f"{idle}s",
    }


def _values(balancers: Sequence[LoadBalancer], key: str, default: str) -> list[str]:
    return [balancer.attributes.get(key, default) for balancer in balancers]
