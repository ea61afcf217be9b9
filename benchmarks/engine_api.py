"""The bare Engine API, as fast as a client can speak it: what OpenECS is held against."""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterable, Mapping
from typing import Any

Body = Mapping[str, Any]


class Engine:
    """A connection that is kept open. Not for two threads at once."""

    def __init__(self) -> None:
        self._connection = _UnixConnection(
            os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
        )

    def start(self, body: Body) -> str:
        """Create and start a container; its id."""
        made: dict[str, str] = self._ask("POST", "/containers/create", body)
        self._ask("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    def inspect(self, container: str) -> dict[str, Any]:
        """All the engine knows of a container."""
        known: dict[str, Any] = self._ask("GET", f"/containers/{container}/json")
        return known

    def remove(self, containers: Iterable[str]) -> None:
        """Kill and remove them."""
        for container in containers:
            self._ask("DELETE", f"/containers/{container}?force=1&v=1")

    def labelled(self, label: str) -> list[str]:
        """The ids of all containers with a label, stopped ones too."""
        filters = json.dumps({"label": [label]}).replace(" ", "")
        quoted = "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in filters)
        found: list[dict[str, Any]] = self._ask("GET", f"/containers/json?all=1&filters={quoted}")
        return [one["Id"] for one in found]

    def _ask(self, method: str, path: str, body: Body | None = None) -> Any:
        content = None if body is None else json.dumps(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {told.decode()}")
        return json.loads(told) if told else None


def body_like(known: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a container that is the same as an inspected one, and nobody's.

    It carries as many labels, under other names, so that it is not taken for OpenECS's own.
    """
    config = dict(known["Config"])
    labels = {f"bench.{name}": value for name, value in (config.pop("Labels") or {}).items()}
    config.pop("Hostname", None)
    return {**config, "Labels": labels, "HostConfig": known["HostConfig"]}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)
