"""A Podman of the tests' own: its storage, network and socket, gone with the test session."""

import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

#: What Debian's package leaves out of PATH for users.
PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
CONFIG = """
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
cgroup_manager = "{cgroups}"
events_logger = "file"
tmp_dir = "{folder}/libpod"
lock_type = "file"
{runtime}
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""
#: Podman's default network, on a bridge and addresses of its own. The id is fixed by Podman.
NETWORK = {
    "name": "podman",
    "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b1a1bb9",
    "driver": "bridge",
    "network_interface": "openecs-test0",
    "created": "2026-01-01T00:00:00Z",
    "subnets": [{"subnet": "10.189.0.0/16", "gateway": "10.189.0.1"}],
    "ipv6_enabled": False,
    "internal": False,
    "dns_enabled": False,
    "ipam_options": {"driver": "host-local"},
}
IMAGE = "busybox:latest"


class PodmanService:
    """``podman system service`` on a folder; ``host`` as in ``DOCKER_HOST``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/podman.sock"
        self._log = folder / "service.log"
        self._service: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self._folder / "networks").mkdir()
        (self._folder / "tmp").mkdir()
        (self._folder / "networks" / "podman.json").write_text(json.dumps(NETWORK))
        (self._folder / "containers.conf").write_text(_config(self._folder))
        with self._log.open("wb") as log:
            self._service = subprocess.Popen(
                self._command("system", "service", "--time=0", self.host),
                env=self._environment(),
                stdout=log,
                stderr=log,
            )
        self._await_answer()

    def load(self, image: str) -> None:
        """Take an image over from the Docker engine, under Docker's full name."""
        archive = self._folder / "image.tar"
        _run(["docker", "save", "--output", str(archive), image], os.environ)
        self.podman("load", "--input", str(archive))
        self.podman("tag", f"localhost/{image}", f"docker.io/library/{image}")
        self.podman("untag", f"localhost/{image}", f"localhost/{image}")

    def stop(self) -> None:
        """Remove every container, and end."""
        if self._service is not None:
            self.podman("rm", "--all", "--force", "--time", "0")
            self._service.terminate()
            self._service.wait(20)
        for mount in _mounts_below(self._folder):
            subprocess.run(["umount", "--lazy", mount], check=False)

    def podman(self, *arguments: str) -> str:
        return _run(self._command(*arguments), self._environment())

    def _command(self, *arguments: str) -> list[str]:
        root = ("--root", f"{self._folder}/root", "--runroot", f"{self._folder}/run")
        return [_podman() or "podman", *root, *arguments]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DOCKER_", "CONTAINER"))}
        config = {"CONTAINERS_CONF": f"{self._folder}/containers.conf"}
        return kept | config | {"PATH": PLACES, "TMPDIR": f"{self._folder}/tmp"}

    def _await_answer(self) -> None:
        deadline = time.monotonic() + 20
        while not Path(self.host.removeprefix("unix://")).exists():
            died = self._service is None or self._service.poll() is not None
            assert not died, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="session")
def podman_host() -> Iterator[str]:
    """Where a Podman with busybox answers; skipped where none is installed, unless CI is set."""
    if _podman() is None:
        if os.environ.get("CI"):
            pytest.fail("podman is not installed")
        pytest.skip("podman is not installed: sudo apt-get install podman catatonit netavark")
    # Not among pytest's folders: what a killed run leaves mounted would fail the clearing of them.
    folder = Path(tempfile.mkdtemp(prefix="openecs-podman-"))
    service = PodmanService(folder)
    try:
        service.start()
        service.load(IMAGE)
        yield service.host
    finally:
        service.stop()
        shutil.rmtree(folder)


def _podman() -> str | None:
    return shutil.which("podman", path=PLACES)


def _config(folder: Path) -> str:
    runc = shutil.which("runc", path=PLACES)
    return CONFIG.format(
        folder=folder,
        files=_limit(resource.RLIMIT_NOFILE),
        processes=_limit(resource.RLIMIT_NPROC),
        cgroups="systemd" if Path("/run/systemd/system").exists() else "cgroupfs",
        runtime=f'runtime = "{runc}"' if runc else "",
    )


def _limit(kind: int) -> int:
    """A limit that this process may give to others."""
    hard = resource.getrlimit(kind)[1]
    return 1024 if hard == resource.RLIM_INFINITY else min(hard, 1024)


def _mounts_below(folder: Path) -> list[str]:
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [point for point in reversed(points) if point.startswith(f"{folder}/")]


def _run(command: list[str], environment) -> str:
    done = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
