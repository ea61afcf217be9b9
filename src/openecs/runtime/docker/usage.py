"""What containers use, read from the kernel where the engine is on this machine: a few small files.

The engine's own statistics cost it two samples of everything and a decoded document for each
container; they are for engines elsewhere. Linux: ``cgroup-v1/{cpuacct,memory,blkio-controller}``,
``cgroup-v2``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openecs.model.containers import ContainerUsage
from openecs.runtime.docker.cgroups import ROOT
from openecs.runtime.docker.client import EngineClient, EngineRefusal

_PROC = Path("/proc")
#: Statistics asked of an engine elsewhere at the same time.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where the kernel counts a container: its process, and its folders in the cgroup trees.

    Version 2 has all controllers in one tree.
    """

    pid: int
    cpu: Path
    memory: Path
    io: Path
    is_unified: bool


class Usages:
    """Reads what containers use."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._places: dict[str, Place] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def of(self, ids: Sequence[str]) -> Mapping[str, ContainerUsage]:
        """By the engine's ids; those that do not run are missing. Raises ``EngineUnavailable``."""
        if not self._client.is_local:
            return _known(ids, await asyncio.gather(*map(self._asked, ids)))
        self._places = {id_: self._places[id_] for id_ in ids if id_ in self._places}
        found = await asyncio.to_thread(_read_all, dict(self._places))
        # New, or started again since: another process now.
        rest = [id_ for id_ in ids if id_ not in found]
        placed = await asyncio.gather(*(self._place(id_) for id_ in rest))
        fresh = {id_: place for id_, place in zip(rest, placed, strict=True) if place}
        self._places.update(fresh)
        return {**found, **await asyncio.to_thread(_read_all, fresh)}

    async def _place(self, id_: str) -> Place | None:
        self._places.pop(id_, None)
        try:
            shown = await self._client.call("GET", f"/containers/{id_}/json")
        except EngineRefusal:
            return None
        pid = shown["State"].get("Pid")
        return place_of(pid) if pid else None

    async def _asked(self, id_: str) -> ContainerUsage | None:
        query = {"stream": "false", "one-shot": "true"}
        try:
            async with self._gate:
                told = await self._client.call("GET", f"/containers/{id_}/stats", query=query)
        except EngineRefusal:
            return None
        return from_engine(told)


def place_of(pid: int, proc: Path = _PROC, root: Path = ROOT) -> Place | None:
    """Where the kernel counts what is in the container of a process; None once it has ended."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path.lstrip("/")))
    if "cpuacct" in found:
        names = ("cpuacct", "memory", "blkio")
        cpu, memory, io = (root / name / found.get(name, "") for name in names)
        return Place(pid, cpu, memory, io, is_unified=False)
    whole = root / found.get("", "")
    return Place(pid, whole, whole, whole, is_unified=True)


def read(place: Place, proc: Path = _PROC) -> ContainerUsage | None:
    """What is counted there; None where it is gone."""
    try:
        received, sent = _network((proc / str(place.pid) / "net/dev").read_text(encoding="ascii"))
        cpu, memory = (_v2 if place.is_unified else _v1)(place)
    except OSError:
        return None
    read_, written = _storage(place)
    return ContainerUsage(
        cpu=cpu, memory=memory, received=received, sent=sent, read=read_, written=written
    )


def from_engine(told: Mapping[str, Any]) -> ContainerUsage | None:
    """The engine's statistics of a container; None where it does not run."""
    memory = told.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    known = memory.get("stats") or {}
    idle = known.get("total_inactive_file", known.get("inactive_file", 0))
    networks = (told.get("networks") or {}).values()
    blocks = (told.get("blkio_stats") or {}).get("io_service_bytes_recursive") or ()
    moved = {"read": 0, "write": 0}
    for each in blocks:
        moved[each["op"].lower()] = moved.get(each["op"].lower(), 0) + each["value"]
    return ContainerUsage(
        cpu=told["cpu_stats"]["cpu_usage"]["total_usage"],
        memory=max(0, memory["usage"] - idle),
        received=sum(each["rx_bytes"] for each in networks),
        sent=sum(each["tx_bytes"] for each in networks),
        read=moved["read"],
        written=moved["write"],
    )


def _read_all(places: Mapping[str, Place]) -> Mapping[str, ContainerUsage]:
    return _known(list(places), [read(place) for place in places.values()])


def _known(
    ids: Sequence[str], found: Sequence[ContainerUsage | None]
) -> Mapping[str, ContainerUsage]:
    return {id_: usage for id_, usage in zip(ids, found, strict=True) if usage is not None}


def _v1(place: Place) -> tuple[int, int]:
    idle = _numbers(place.memory / "memory.stat").get("total_inactive_file", 0)
    used = _number(place.memory / "memory.usage_in_bytes")
    return _number(place.cpu / "cpuacct.usage"), max(0, used - idle)


def _v2(place: Place) -> tuple[int, int]:
    idle = _numbers(place.memory / "memory.stat").get("inactive_file", 0)
    used = _number(place.memory / "memory.current")
    return _numbers(place.cpu / "cpu.stat")["usage_usec"] * 1000, max(0, used - idle)


def _storage(place: Place) -> tuple[int, int]:
    """Bytes read and written; a kernel without that controller counts none."""
    try:
        if place.is_unified:
            return _moved_v2((place.io / "io.stat").read_text(encoding="ascii"))
        text = (place.io / "blkio.throttle.io_service_bytes").read_text(encoding="ascii")
    except OSError:
        return 0, 0
    words = [line.split() for line in text.splitlines()]
    read_, written = (
        sum(int(line[2]) for line in words if len(line) == 3 and line[1] == kind)
        for kind in ("Read", "Write")
    )
    return read_, written


def _moved_v2(text: str) -> tuple[int, int]:
    words = [word.partition("=") for word in text.split()]
    read_, written = (
        sum(int(value) for key, _, value in words if key == kind) for kind in ("rbytes", "wbytes")
    )
    return read_, written


def _network(text: str) -> tuple[int, int]:
    """Bytes received and sent by all interfaces but the loopback one, of ``net/dev``."""
    found = [line.partition(":") for line in text.splitlines()[2:]]
    counted = [rest.split() for name, _, rest in found if name.strip() != "lo"]
    return sum(int(each[0]) for each in counted), sum(int(each[8]) for each in counted)


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def _numbers(path: Path) -> Mapping[str, int]:
    words = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {key: int(value) for key, value in words}
