"""``openecs down``: end the server, and with ``--tasks`` first all that runs on it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from openecs.cli import installation, server_file
from openecs.cli.failure import Failure
from openecs.cli.installation import ConfigFlag, DataDirFlag, Installation, PortFlag
from openecs.cli.server_file import Server

#: Seconds a server may take to end.
ENDS_WITHIN = 60.0


def down(
    tasks: Annotated[
        bool,
        typer.Option(
            "--tasks",
            help="Stop all tasks of all clusters first, and wait until they have stopped; services "
            "start theirs again with the server. Without it containers go on and are adopted when "
            "the server starts again.",
        ),
    ] = False,
    data_dir: DataDirFlag = None,
    port: PortFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Stop the server. Containers go on, unless `--tasks` is given."""
    flags = {"data_dir": data_dir, "port": port}
    found = installation.find(flags, config, os.environ)
    server = found.running()
    if tasks:
        _stop_tasks(found, server)
    _end(found, server)
    typer.echo("The server has stopped." if tasks else "The server has stopped; containers go on.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stopping:
    """A task that has been told to stop."""

    ecs: Any
    cluster: str
    arn: str


def _stop_tasks(found: Installation, server: Server) -> None:
    from rich.console import Console

    from openecs.cli import client

    with client.told(), Console().status("Looking for tasks") as progress:
        # Services must not replace what is stopped; the next start of the server does.
        client.post(server.url, "/_openecs/rest", found.key(server.account_id), server.region)
        told = [_tell(ecs, cluster, arn) for ecs, cluster, arn in _running(found, server)]
        _wait(told, lambda left: progress.update(f"Stopping tasks: {left} of {len(told)} left"))
    typer.echo(f"Tasks stopped: {len(told)}.")


def _running(found: Installation, server: Server) -> Iterator[tuple[Any, str, str]]:
    """Every task of every account that has a root key, in every region: client, cluster, ARN."""
    from openecs.cli import client, clusters

    found.key(server.account_id)
    for key in found.keys.accounts():
        for region in client.regions(server.region):
            ecs = client.ecs(server.url, key, region)
            for cluster in clusters.clusters(ecs):
                for task in clusters.tasks(ecs, cluster["clusterArn"]):
                    yield ecs, cluster["clusterArn"], task["taskArn"]


def _tell(ecs: Any, cluster: str, arn: str) -> _Stopping:
    ecs.stop_task(cluster=cluster, task=arn, reason="openecs down --tasks")
    return _Stopping(ecs=ecs, cluster=cluster, arn=arn)


def _wait(told: list[_Stopping], show: Callable[[int], None]) -> None:
    """Until all have stopped, however long their stopTimeout lets them."""
    left = told
    while left:
        show(len(left))
        left = [one for one in left if not _has_stopped(one)]
        if left:
            time.sleep(0.1)


def _has_stopped(one: _Stopping) -> bool:
    from openecs.cli import clusters

    described = clusters.describe(one.ecs, one.cluster, [one.arn])
    return all(task["lastStatus"] == "STOPPED" for task in described)


def _end(found: Installation, server: Server) -> None:
    try:
        os.kill(server.pid, signal.SIGTERM)
    except PermissionError:
        raise Failure(
            f"the server is process {server.pid} of another user: run this as that user (sudo?)"
        ) from None
    except ProcessLookupError:
        return
    if not server_file.wait_until_gone(found.settings.directory, ENDS_WITHIN):
        raise Failure(
            f"process {server.pid} still runs after {ENDS_WITHIN:.0f} s. `kill -9 {server.pid}` is "
            "safe: what was acknowledged is on the disk, and containers are adopted at the next "
            "start."
        )
