"""The bare Engine API, as fast as a client can speak it: what OpenECS is held against."""

from __future__ import annotations

import http.client
import json
import os
import socket
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Body = Mapping[str, Any]


class Engine:
    """A connection that is kept open. Not for two threads at once."""

    def __init__(self) -> None:
        self._connection = connect()

    def start(self, body: Body) -> str:
        """Create and start a container; its id."""
        made: dict[str, str] = self._ask("POST", "/containers/create", body)
        self._ask("POST", f"/containers/{made['Id']}/start")
        return made["Id"]

    def inspect(self, container: str) -> dict[str, Any]:
        """All the engine knows of a container."""
        known: dict[str, Any] = self._ask("GET", f"/containers/{container}/json")
        return known

    def kill(self, container: str) -> None:
        """SIGKILL it."""
        self._ask("POST", f"/containers/{container}/kill")

    def remove(self, containers: Iterable[str]) -> None:
        """Kill and remove them, but those that somebody else removes."""
        for container in containers:
            self._ask("DELETE", f"/containers/{container}?force=1&v=1", fine=(404, 409))

    def labelled(self, label: str) -> list[str]:
        """The ids of all containers with a label, stopped ones too."""
        return self._listed("all=1", {"label": [label]})

    def running(self, label: str) -> list[str]:
        """The ids of the containers with a label that run."""
        return self._listed("all=0", {"label": [label]})

    def tag(self, image: str, repository: str) -> None:
        """Give an image another name."""
        self._ask("POST", f"/images/{image}/tag?repo={urllib.parse.quote(repository, safe='')}")

    def untag(self, repository: str) -> None:
        """Take that name away; containers made from it stay as they are."""
        self._ask("DELETE", f"/images/{repository}?force=1", fine=(404,))

    def _listed(self, query: str, filters: Mapping[str, list[str]]) -> list[str]:
        path = f"/containers/json?{query}&filters={quoted(filters)}"
        found: list[dict[str, Any]] = self._ask("GET", path)
        return [one["Id"] for one in found]

    def _ask(
        self, method: str, path: str, body: Body | None = None, fine: Sequence[int] = ()
    ) -> Any:
        content = None if body is None else json.dumps(body)
        headers = {} if content is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, content, headers)
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status >= 300 and answer.status not in fine:
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


def connect() -> http.client.HTTPConnection:
    """A connection to the engine of ``DOCKER_HOST``, a Unix socket."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return _UnixConnection(host.removeprefix("unix://"))


def quoted(filters: Mapping[str, list[str]]) -> str:
    """Filters as they stand in a path."""
    return urllib.parse.quote(json.dumps(filters, separators=(",", ":")), safe="")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)
