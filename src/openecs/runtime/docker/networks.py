"""Networks of the engine with ranges of their own, and those ranges the machine itself has."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

import msgspec

from openecs.runtime.base import CannotCreateNetwork, EngineUnavailable, NetworkSpec
from openecs.runtime.docker.client import EngineClient, EngineRefusal

_LABEL = "org.openecs.network"
_NOT_FOUND, _CONFLICT = 404, 409
#: Linux, ``proc(5)``: one line a route, its numbers little-endian hexadecimal.
_ROUTES = Path("/proc/net/route")


class Networks:
    """The networks of one engine that are made for ranges of addresses."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client

    async def ensure(self, spec: NetworkSpec) -> AbstractSet[str]:
        """Make a network unless it exists; the addresses in use there."""
        shown = await self._shown(spec.name)
        if shown is None:
            await self._make(spec)
            shown = await self._shown(spec.name) or {}
        containers = (shown.get("Containers") or {}).values()
        return {each["IPv4Address"].partition("/")[0] for each in containers}

    async def remove_unused(self) -> None:
        """Remove those of ours that no container is in."""
        query = {"filters": msgspec.json.encode({"label": [_LABEL]}).decode()}
        for listed in await self._client.call("GET", "/networks", query=query):
            # The engine keeps one that is in use.
            with suppress(EngineRefusal):
                await self._client.call("DELETE", f"/networks/{listed['Id']}")

    async def _shown(self, name: str) -> Mapping[str, Any] | None:
        try:
            shown: Mapping[str, Any] = await self._client.call("GET", f"/networks/{name}")
        except EngineRefusal as refusal:
            if refusal.status == _NOT_FOUND:
                return None
            raise EngineUnavailable(refusal.message) from refusal
        return shown

    async def _make(self, spec: NetworkSpec) -> None:
        if self._client.is_local:
            _check(spec, routes(await asyncio.to_thread(_ROUTES.read_text)))
        body = {
            "Name": spec.name,
            "Driver": "bridge",
            "CheckDuplicate": True,
            "IPAM": {"Driver": "default", "Config": [{"Subnet": spec.cidr}]},
            "Labels": {_LABEL: spec.cidr},
        }
        try:
            await self._client.call("POST", "/networks/create", body=body)
        except EngineRefusal as refusal:
            # Somebody made it meanwhile.
            if refusal.status != _CONFLICT:
                raise CannotCreateNetwork(_refused(spec, refusal.message)) from refusal


def routes(table: str) -> Iterator[IPv4Network]:
    """The destinations of a table of routes, but for the default one."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (_address(fields[place]) for place in (1, 7))
        if mask != "0.0.0.0":  # noqa: S104 - only read
            yield IPv4Network(f"{destination}/{mask}")


def _address(number: str) -> str:
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(number)))


def _check(spec: NetworkSpec, taken: Iterable[IPv4Network]) -> None:
    """The range must not be one that the machine reaches others by."""
    wanted = ip_network(spec.cidr)
    clash = next((each for each in taken if each.overlaps(wanted)), None)
    if clash is not None:
        raise CannotCreateNetwork(_refused(spec, f"{clash} is a network of this machine"))


def _refused(spec: NetworkSpec, why: str) -> str:
    return (
        f"the VPC's range {spec.cidr} cannot be a network of the engine: {why}. Use a VPC with "
        "another range."
    )
