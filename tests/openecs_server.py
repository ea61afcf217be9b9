"""A real server in a process of its own, and the clients that talk to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

from openecs.edge.envoy import Envoy
from openecs.node.packet_filter import table_of

READY_WITHIN = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OpenEcs:
    """``openecs up`` with a data directory and a port of its own, to start and to kill."""

    def __init__(self, directory: Path, *flags: str, **environment: str) -> None:
        self.data_dir = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.flags = flags
        self.extra = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENECS_", "AWS_"))}
        return kept | {
            "OPENECS_PORT": str(self.port),
            "OPENECS_DATA_DIR": str(self.data_dir),
            "OPENECS_ROOT_ACCESS_KEY_ID": "AKIAOPENECSTEST00000",
            "OPENECS_ROOT_SECRET_ACCESS_KEY": "test/secret/test/secret/test/secret/0000",
            **self.extra,
        }

    @property
    def client_environment(self) -> dict[str, str]:
        return self.environment | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAOPENECSTEST00000",
            "AWS_SECRET_ACCESS_KEY": "test/secret/test/secret/test/secret/0000",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }

    def start(self) -> OpenEcs:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "openecs", "up", *self.flags],
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/_openecs/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.02)
        message = f"the server did not come up:\n{self.log.read_text()[-4000:]}"
        raise AssertionError(message)

    def kill(self) -> None:
        """kill -9."""
        self.end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, and the exit status."""
        return self.end(signal.SIGTERM)

    def end(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        status = self.process.wait(30)
        self.process = None
        return status

    def client(self, service: str, region: str = "us-east-1", **members):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id="AKIAOPENECSTEST00000",
            aws_secret_access_key="test/secret/test/secret/test/secret/0000",
            config=Config(retries={"max_attempts": 0}, **members),
        )

    def aws(self, *arguments: str) -> dict:
        """The AWS CLI's answer; an AssertionError with its words where it fails."""
        aws = Path(sys.executable).with_name("aws")
        command = [str(aws) if aws.exists() else shutil.which("aws") or "aws", *arguments]
        done = subprocess.run(
            command,
            env=self.client_environment | {"AWS_DEFAULT_OUTPUT": "json"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def clean(self) -> None:
        """End the server and its Envoy, and remove every container it made."""
        self.kill()
        Envoy(self.data_dir / "envoy").stop()
        identity = self.data_dir / "installation-id"
        if identity.exists():
            installation = identity.read_text().strip()
            remove_containers(f"org.openecs.installation={installation}")
            table = ["nft", "delete", "table", "ip", table_of(installation)]
            subprocess.run(table, capture_output=True, check=False)


def docker(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def remove_containers(label: str) -> None:
    def are_gone() -> bool:
        found = docker("ps", "-aq", "--filter", f"label={label}").split()
        if found:
            # The engine may be at it already, for a server that has just been killed.
            docker("rm", "-f", *found, check=False)
        return not found

    eventually(are_gone)


def containers_of(task_arn: str, *, everything: bool = False) -> list[str]:
    """The engine's ids of a task's containers: the running ones, or all."""
    flags = ["-a"] if everything else []
    label = f"label=com.amazonaws.ecs.task-arn={task_arn}"
    return docker("ps", *flags, "-q", "--no-trunc", "--filter", label).split()


def eventually(check, within: float = 60.0, every: float = 0.05):
    """The first true result of ``check``, asked again until then."""
    deadline = time.monotonic() + within
    while True:
        if result := check():
            return result
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(every)
