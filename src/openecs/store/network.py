"""What VPCs are given, as it is stored."""

from __future__ import annotations

from openecs.model.network import DhcpOptions, PrefixList, VpcEndpoint
from openecs.store.base import Kind

DHCP_OPTIONS: Kind[DhcpOptions] = Kind(
    name="dhcp-options", type=DhcpOptions, key=lambda o: o.id, scope=lambda o: o.scope
)

PREFIX_LISTS: Kind[PrefixList] = Kind(
    name="prefix-list", type=PrefixList, key=lambda p: p.id, scope=lambda p: p.scope
)

VPC_ENDPOINTS: Kind[VpcEndpoint] = Kind(
    name="vpc-endpoint", type=VpcEndpoint, key=lambda e: e.id, scope=lambda e: e.scope
)

KINDS = (DHCP_OPTIONS, PREFIX_LISTS, VPC_ENDPOINTS)
