"""``openecs env``: what to export, so that AWS clients find the server."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated

import typer

from openecs.cli import exports, installation
from openecs.cli.exports import Shell
from openecs.cli.failure import Failure
from openecs.cli.installation import ConfigFlag, DataDirFlag, PortFlag


def env(
    account_id: Annotated[
        str | None,
        typer.Option(
            help="Another account than the server's own: 12 digits. Its root key is made where "
            "there is none yet; a server that runs knows it at once."
        ),
    ] = None,
    region: Annotated[str | None, typer.Option(help="Another region than the server's.")] = None,
    shell: Annotated[
        Shell, typer.Option(help="How to write it: `sh` (bash, zsh too), `fish` or `json`.")
    ] = Shell.SH,
    data_dir: DataDirFlag = None,
    port: PortFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Print what to export: `eval "$(openecs env)"` makes the AWS CLI talk to the server."""
    flags = {"data_dir": data_dir, "port": port}
    found = installation.find(flags, config, os.environ)
    account = account_id or found.account_id
    if not re.fullmatch(r"\d{12}", account):
        raise Failure(f"--account-id {account}: an account is 12 digits", 2)
    given = exports.variables(found.url, found.key(account), region or found.region)
    stale = "AWS_SESSION_TOKEN" in os.environ
    typer.echo(exports.render(given, shell, has_session_token=stale))
    if found.server is None:
        typer.echo("# No server runs yet: openecs up", err=True)
    if shell is Shell.SH and sys.stdout.isatty():
        typer.echo('# To have this in your shell: eval "$(openecs env)"')
