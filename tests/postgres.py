"""A PostgreSQL server of the tests' own: in a temporary directory, on a free port, gone at the end.

Any version in Debian's place or on the PATH will do. Without one the tests that need it are skipped
and say so; on CI (``CI=true``) they fail instead.
"""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running server, without a database: append the name of one."""
    binaries = _binaries()
    directory = Path(tempfile.mkdtemp(prefix="openecs-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(directory, "postgres")
    try:
        yield from _serve(binaries, directory)
    finally:
        shutil.rmtree(directory)


def new_database(url: str, name: str) -> str:
    """The URL of a new and empty database."""
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url}/{name}"


def _serve(binaries: Path, directory: Path) -> Iterator[str]:
    data, port = directory / "data", _free_port()
    _run(binaries / "initdb", "-D", data, "-U", "openecs", "-A", "trust", "-N")
    options = f"-p {port} -c fsync=off -c listen_addresses=127.0.0.1 -k {directory}"
    log = directory / "log"
    _run(binaries / "pg_ctl", "-D", data, "-l", log, "-w", "-t", "30", "-o", options, "start")
    try:
        yield f"postgresql://openecs@127.0.0.1:{port}"
    finally:
        _run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _binaries() -> Path:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found := shutil.which("pg_ctl"):
        places.append(Path(found).resolve().parent)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    message = "PostgreSQL is not installed (Debian: apt install postgresql)"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _run(*command: object) -> None:
    # PostgreSQL refuses to run as root.
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
