"""``openecs ca``: the certificate to trust, so that clients trust what is issued here."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import typer

from openecs.cli import installation
from openecs.cli.failure import Failure
from openecs.cli.installation import ConfigFlag, DataDirFlag, PortFlag


def ca(
    data_dir: DataDirFlag = None,
    port: PortFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Print the certificate of the installation's own authority, as PEM: trust it, and you trust
    every certificate that `aws acm request-certificate` has issued here.

    For one command: `openecs ca > ca.pem`, then `curl --cacert ca.pem
    https://my.example.com`.

    For a Debian or Ubuntu machine: `openecs ca | sudo tee
    /usr/local/share/ca-certificates/openecs.crt`, then `sudo update-ca-certificates`.

    The authority's key stays in the data directory, where only its owner reads it. It is made when
    it is first needed.
    """
    from openecs.authority import LocalAuthority
    from openecs.model.certificates import AuthorityUnavailable

    found = installation.find({"data_dir": data_dir, "port": port}, config, os.environ)
    authority = LocalAuthority(found.settings.directory)
    try:
        certificate = authority.certificate(datetime.now(UTC))
    except AuthorityUnavailable as error:
        raise Failure(
            f"{error}. Run this as the user who runs the server (with sudo?), or name another "
            "--data-dir."
        ) from error
    typer.echo(certificate, nl=False)
    if sys.stdout.isatty():
        typer.echo("# To keep it in a file: openecs ca > ca.pem", err=True)
