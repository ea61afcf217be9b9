"""Docker's Swarm mode, for as long as it is measured; the engine leaves it in the end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

SERVICE = "openecs-bench"
LABEL = f"com.docker.swarm.service.name={SERVICE}"
#: The network that Swarm mode makes and leaving it does not remove.
GATEWAY_BRIDGE = "docker_gwbridge"


@contextmanager
def service(image: str, command: Sequence[str]) -> Iterator[str]:
    """A service of one container with all settings left alone; the label of its containers."""
    state = _docker("info", "--format", "{{.Swarm.LocalNodeState}}")
    if state != "inactive":
        raise SystemExit(f"the engine's Swarm mode is {state}: it is measured on one that has none")
    had_bridge = _has_bridge()
    try:
        _docker("swarm", "init", "--advertise-addr", "127.0.0.1")
        _docker("service", "create", "--quiet", "--name", SERVICE, "--replicas", "1",
                "--no-resolve-image", image, *command)  # fmt: skip
        yield LABEL
    finally:
        _leave(had_bridge=had_bridge)


def _leave(*, had_bridge: bool) -> None:
    _docker("service", "rm", SERVICE, must=False)
    _docker("swarm", "leave", "--force", must=False)
    if not had_bridge and _has_bridge():
        _docker("network", "rm", GATEWAY_BRIDGE, must=False)
    if _docker("info", "--format", "{{.Swarm.LocalNodeState}}", must=False) != "inactive":
        print("THE ENGINE IS STILL IN SWARM MODE: docker swarm leave --force", file=sys.stderr)


def _has_bridge() -> bool:
    return GATEWAY_BRIDGE in _docker("network", "ls", "--format", "{{.Name}}").split()


def _docker(*arguments: str, must: bool = True) -> str:
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if must and done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
