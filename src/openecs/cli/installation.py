"""The installation a command is about: its settings, its keys and the server that runs, if any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from openecs import config
from openecs.cli import server_file
from openecs.cli.failure import NOT_RUNNING, Failure
from openecs.cli.server_file import Server
from openecs.config import Settings
from openecs.root_keys import RootKey, RootKeys, root_keys

ConfigFlag = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The TOML file with settings. Unless given: `OPENECS_CONFIG`, else `openecs.toml` "
        "here, else `~/.config/openecs/openecs.toml`.",
    ),
]
DataDirFlag = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIRECTORY", help="The data directory of the server."),
]
PortFlag = Annotated[
    int | None,
    typer.Option("--port", help="The server's port, where several run (`--ephemeral` ones)."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Settings and the server found by them."""

    settings: Settings
    server: Server | None

    @property
    def url(self) -> str:
        """Where clients find the server, once it runs."""
        return self.server.url if self.server else url(self.settings)

    @property
    def region(self) -> str:
        """The region clients use unless told another."""
        return self.server.region if self.server else self.settings.region

    @property
    def account_id(self) -> str:
        """The account clients use unless told another."""
        return self.server.account_id if self.server else self.settings.account_id

    @property
    def keys(self) -> RootKeys:
        """The installation's root keys."""
        return root_keys(self.settings)

    def running(self) -> Server:
        """The server. Raises ``Failure`` where none runs."""
        if self.server is None:
            where = self.settings.directory
            raise Failure(
                f"no server runs with the data directory {where}. Start one with `openecs up`, or "
                "name the one you mean with --data-dir or --port.",
                NOT_RUNNING,
            )
        return self.server

    def key(self, account: str) -> RootKey:
        """The root key of an account, made where there is none. Raises ``Failure``."""
        given = self.server is not None and self.server.has_given_key
        if given and account == self.account_id and not self.settings.root_access_key_id:
            raise Failure(
                f"the root key of account {account} was given to the server in its environment and "
                "is on no disk. Set OPENECS_ROOT_ACCESS_KEY_ID and OPENECS_ROOT_SECRET_ACCESS_KEY "
                "here too."
            )
        try:
            return self.keys.ensure(account)
        except OSError as error:
            raise Failure(
                f"cannot use the root keys in {self.settings.directory}: {error.strerror}. Run this"
                " as the user who runs the server (with sudo?), or name another --data-dir."
            ) from error


def find(
    flags: Mapping[str, object], file: Path | None, environment: Mapping[str, str]
) -> Installation:
    """The installation meant by flags, environment and file.

    The server may be the data directory's, else an ephemeral one of the port. A port given as a
    flag must be the server's. Raises ``SettingsError``.
    """
    settings = config.load(flags, environment, file)
    choices = [settings]
    if settings.data_dir is None and not settings.ephemeral:
        choices.append(replace(settings, ephemeral=True))
    for choice in choices:
        server = server_file.running(choice.directory)
        if server and (flags.get("port") is None or server.url == url(settings)):
            return Installation(settings=choice, server=server)
    return Installation(settings=settings, server=None)


def url(settings: Settings) -> str:
    """Where clients on this machine find a server with these settings."""
    match settings.host:
        case "0.0.0.0":  # noqa: S104 - compared, not listened on
            host = "127.0.0.1"
        case "::":
            host = "[::1]"
        case host if ":" in host:
            host = f"[{host}]"
        case host:
            pass
    return f"http://{host}:{settings.port}"
