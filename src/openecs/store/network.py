"""What VPCs are given, as it is stored."""

from __future__ import annotations

from openecs.model.network import DhcpOptions
from openecs.store.base import Kind

DHCP_OPTIONS: Kind[DhcpOptions] = Kind(
    name="dhcp-options", type=DhcpOptions, key=lambda o: o.id, scope=lambda o: o.scope
)

KINDS = (DHCP_OPTIONS,)
