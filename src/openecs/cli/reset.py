"""``openecs reset``: an empty world again, between two tests."""

from __future__ import annotations

import os

import typer

from openecs.cli import installation
from openecs.cli.failure import Failure
from openecs.cli.installation import ConfigFlag, DataDirFlag, PortFlag


def reset(data_dir: DataDirFlag = None, port: PortFlag = None, config: ConfigFlag = None) -> None:
    """Empty a server that was started with `--ephemeral`: all resources and containers go."""
    flags = {"data_dir": data_dir, "port": port}
    found = installation.find(flags, config, os.environ)
    server = found.running()
    if not server.ephemeral:
        raise Failure(
            f"the server on {server.url} keeps its data. Only one started with `openecs up "
            "--ephemeral` can be emptied."
        )
    from openecs.cli import client

    client.post(server.url, "/_openecs/reset", found.key(server.account_id), server.region)
    typer.echo("empty")
