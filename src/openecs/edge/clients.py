"""Who has opened a connection, whatever its requests say.

Envoy's own notion of it is changed by headers; a network load balancer in front tells the client by
the PROXY protocol.
"""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

_FILTERS = "type.googleapis.com/envoy.extensions.filters"

#: The state of a connection that has the client's address, for routes to match.
PEER = "openecs.peer"
#: The same as texts, with its port and without.
CLIENT, ADDRESS = "openecs.client", "openecs.address"


def proxied() -> Resource:
    """Takes the client's address from who stands before; others come by themselves."""
    config = f"{_FILTERS}.listener.proxy_protocol.v3.ProxyProtocol"
    return {
        "name": "envoy.filters.listener.proxy_protocol",
        "typed_config": {"@type": config, "allow_requests_without_proxy_protocol": True},
    }


def kept() -> Resource:
    """Keeps the address of who opened the connection, for routes to match and targets to hear."""
    address = "%DOWNSTREAM_REMOTE_ADDRESS{}%"
    named = [
        (PEER, "envoy.network.ip", address.format("_WITHOUT_PORT")),
        (CLIENT, "envoy.string", address.format("")),
        (ADDRESS, "envoy.string", address.format("_WITHOUT_PORT")),
    ]
    return {
        "name": "envoy.filters.network.set_filter_state",
        "typed_config": {
            "@type": f"{_FILTERS}.network.set_filter_state.v3.Config",
            "on_new_connection": [
                {
                    "object_key": key,
                    "factory_key": factory,
                    "format_string": {"text_format_source": {"inline_string": told}},
                }
                for key, factory, told in named
            ],
        },
    }
