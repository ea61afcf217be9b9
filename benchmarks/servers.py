"""The servers that are measured: OpenECS and its peers, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config

from openecs.edge.envoy import Envoy

KEY, SECRET = "AKIAOPENECSBENCH0000", "bench/secret/bench/secret/bench/secret/0"
REGION = "us-east-1"
READY_WITHIN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that answers on a port of this machine."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ecs(self) -> Any:
        """A client of ECS that signs and does not retry."""
        return self.client("ecs")

    def client(self, service: str) -> Any:
        """A client that signs and does not retry."""
        return botocore.session.Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(retries={"max_attempts": 0}, max_pool_connections=64),
        )


@contextmanager
def openecs(data_dir: Path, *flags: str, **settings: object) -> Iterator[Server]:
    """OpenECS with its data, durable, in that directory; signatures are verified.

    ``settings`` are those that have no flag.
    """
    port = _free_port()
    environment = {
        "OPENECS_ROOT_ACCESS_KEY_ID": KEY,
        "OPENECS_ROOT_SECRET_ACCESS_KEY": SECRET,
        "OPENECS_DATA_DIR": str(data_dir),
        "OPENECS_PORT": str(port),
        **{f"OPENECS_{name.upper()}": str(value) for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "openecs", "up", *flags]
    try:
        with _serving("openecs", port, command, environment) as server:
            yield server
    finally:
        # It outlives the server.
        Envoy(data_dir / "envoy").stop()


@contextmanager
def moto() -> Iterator[Server]:
    """Moto's server: no authentication, state in memory."""
    port = _free_port()
    command = [str(_installed("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with _serving("moto", port, command, {}) as server:
        yield server


@contextmanager
def ministack() -> Iterator[Server]:
    """Ministack: no authentication, state in memory."""
    port = _free_port()
    environment = {"GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    with _serving("ministack", port, [str(_installed("ministack"))], environment) as server:
        yield server


@contextmanager
def data_directory() -> Iterator[Path]:
    """A directory on a real disk for the time of a measurement."""
    with tempfile.TemporaryDirectory(prefix="openecs-bench-", dir="/var/tmp") as directory:
        yield Path(directory)


@contextmanager
def _serving(
    name: str, port: int, command: list[str], environment: Mapping[str, str]
) -> Iterator[Server]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENECS_", "AWS_"))}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**kept, **environment}, stdout=log, stderr=log)
        try:
            _wait_ready(name, port, process)
            yield Server(name=name, port=port, pid=process.pid)
        except BaseException:
            log.seek(0)
            print(log.read().decode()[-4000:], file=sys.stderr)
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _wait_ready(name: str, port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_openecs/health", timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{name} did not start")


def _installed(program: str) -> Path:
    return Path(sys.executable).with_name(program)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
