"""Where connections come from, for rules to go by: their address, not what headers say of it."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config"
_KEY = "openecs.source"


def source_filter() -> Resource:
    """What notes the address of a connection's other end, before its requests are read."""
    address = {"inline_string": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}
    noted = {
        "object_key": _KEY,
        "factory_key": "envoy.network.ip",
        "format_string": {"text_format_source": address},
    }
    return {
        "name": "envoy.filters.network.set_filter_state",
        "typed_config": {"@type": _TYPE, "on_new_connection": [noted]},
    }


def source_in(blocks: Iterable[str]) -> Resource:
    """The matcher of requests whose connection comes from one of these blocks of addresses."""
    networks = (ip_network(block, strict=False) for block in blocks)
    ranges = [
        {"address_prefix": str(each.network_address), "prefix_len": each.prefixlen}
        for each in networks
    ]
    return {"key": _KEY, "address_match": {"ranges": ranges}}
