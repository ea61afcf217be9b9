from __future__ import annotations

from openecs.edge import connections
from openecs.testing.builders import a_load_balancer


def test_a_shared_door_cuts_nobody_short() -> None:
    quick = {
        "idle_timeout.timeout_seconds": "5",
        "client_keep_alive.seconds": "7200",
        "routing.http2.enabled": "false",
        "routing.http.drop_invalid_header_fields.enabled": "true",
    }
    one, other = a_load_balancer("one", attributes=quick), a_load_balancer("other")
    alone, shared = connections.settings([one]), connections.settings([one, other])
    assert alone == {
        "codec_type": "HTTP1",
        "common_http_protocol_options": {
            "headers_with_underscores_action": "DROP_HEADER",
            "idle_timeout": "5s",
            "max_connection_duration": "7200s",
        },
        "stream_idle_timeout": "5s",
    }
    assert shared == {
        "codec_type": "AUTO",
        "common_http_protocol_options": {
            "headers_with_underscores_action": "ALLOW",
            "idle_timeout": "60s",
            "max_connection_duration": "7200s",
        },
        "stream_idle_timeout": "60s",
    }
