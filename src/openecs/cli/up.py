"""``openecs up``: the server, all of it, in this process."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from openecs import __version__, config
from openecs.cli import exports, installation, server_file
from openecs.cli.exports import Shell
from openecs.cli.failure import Failure
from openecs.cli.installation import ConfigFlag
from openecs.cli.server_file import AlreadyClaimed, Server
from openecs.cli.settings_text import defaults, meanings
from openecs.config import Settings
from openecs.root_keys import RootKeys


def _flag(setting: str, *names: str, metavar: str | None = None) -> Any:
    default = defaults()[setting]
    text = f"{meanings()[setting]} Default: {default}." if default else meanings()[setting]
    return typer.Option(*names, help=text, metavar=metavar, show_default=False)


def _seconds(setting: str) -> Any:
    return _flag(setting, metavar="SECONDS")


def _count(setting: str) -> Any:
    return _flag(setting, metavar="COUNT")


def up(
    host: Annotated[str | None, _flag("host", metavar="ADDRESS")] = None,
    port: Annotated[int | None, _flag("port")] = None,
    data_dir: Annotated[Path | None, _flag("data_dir", metavar="DIRECTORY")] = None,
    database_url: Annotated[str | None, _flag("database_url", metavar="URL")] = None,
    account_id: Annotated[str | None, _flag("account_id", metavar="DIGITS")] = None,
    region: Annotated[str | None, _flag("region", metavar="NAME")] = None,
    ephemeral: Annotated[bool | None, _flag("ephemeral", "--ephemeral")] = None,
    docker_host: Annotated[str | None, _flag("docker_host", metavar="URL")] = None,
    image_pull_behavior: Annotated[
        str | None, _flag("image_pull_behavior", metavar="|".join(config.PULL_BEHAVIORS))
    ] = None,
    join_clusters: Annotated[
        bool | None, _flag("join_clusters", "--join-clusters/--no-join-clusters")
    ] = None,
    reserved_cpu: Annotated[int | None, _flag("reserved_cpu", metavar="UNITS")] = None,
    reserved_memory_mib: Annotated[int | None, _flag("reserved_memory_mib", metavar="MIB")] = None,
    task_cleanup_wait: Annotated[int | None, _seconds("task_cleanup_wait")] = None,
    stopped_task_retention: Annotated[int | None, _seconds("stopped_task_retention")] = None,
    container_stop_timeout: Annotated[int | None, _seconds("container_stop_timeout")] = None,
    deployment_healthy_after: Annotated[int | None, _seconds("deployment_healthy_after")] = None,
    elb_bind_address: Annotated[str | None, _flag("elb_bind_address", metavar="ADDRESS")] = None,
    lambda_url: Annotated[str | None, _flag("lambda_url", metavar="URL")] = None,
    alarm_webhook_url: Annotated[str | None, _flag("alarm_webhook_url", metavar="URL")] = None,
    log_destinations: Annotated[
        str | None, _flag("log_destinations", metavar="ARN=URL,...")
    ] = None,
    log_max_mib: Annotated[int | None, _flag("log_max_mib", metavar="MIB")] = None,
    measure_interval: Annotated[int | None, _seconds("measure_interval")] = None,
    scaling_period: Annotated[int | None, _seconds("scaling_period")] = None,
    scale_out_datapoints: Annotated[int | None, _count("scale_out_datapoints")] = None,
    scale_in_datapoints: Annotated[int | None, _count("scale_in_datapoints")] = None,
    environment_files_dir: Annotated[
        Path | None, _flag("environment_files_dir", metavar="DIRECTORY")
    ] = None,
    file_systems: Annotated[str | None, _flag("file_systems", metavar="ID=PATH,...")] = None,
    encryption_keys_file: Annotated[
        Path | None, _flag("encryption_keys_file", metavar="FILE")
    ] = None,
    log_level: Annotated[
        str | None, _flag("log_level", metavar="|".join(config.LOG_LEVELS))
    ] = None,
    log_format: Annotated[
        str | None, _flag("log_format", metavar="|".join(config.LOG_FORMATS))
    ] = None,
    config_file: ConfigFlag = None,
) -> None:
    """Start the server and serve until Ctrl-C or SIGTERM. Containers go on without it.

    Each flag is also a variable (`--data-dir`: `OPENECS_DATA_DIR`) and a key of the TOML file
    (`data_dir`). Flags win over variables, variables over the file.
    """
    flags = {name: value for name, value in locals().items() if name != "config_file"}
    settings = config.load(flags, os.environ, config_file)
    with _place(settings):
        raise typer.Exit(_serve(settings))


@contextmanager
def _place(settings: Settings) -> Iterator[None]:
    """Have the data directory to ourselves; an ephemeral one goes at the end."""
    directory = settings.directory
    try:
        server_file.make_private(directory)
        with server_file.claim(directory, _server(settings)):
            try:
                yield
            finally:
                if settings.ephemeral and settings.data_dir is None:
                    shutil.rmtree(directory, ignore_errors=True)
    except AlreadyClaimed as claimed:
        raise Failure(_taken(directory, claimed.server)) from claimed
    except (PermissionError, NotADirectoryError, FileExistsError) as error:
        raise Failure(
            f"cannot keep data in {directory}: {error.strerror or error}. Name another place with "
            "--data-dir."
        ) from error


def _server(settings: Settings) -> Server:
    return Server(
        pid=os.getpid(),
        url=installation.url(settings),
        account_id=settings.account_id,
        region=settings.region,
        ephemeral=settings.ephemeral,
        has_given_key=bool(settings.root_access_key_id),
    )


def _taken(directory: Path, server: Server | None) -> str:
    who = f"a server (process {server.pid}, {server.url})" if server else "a server"
    return (
        f"{who} already runs with the data directory {directory}. Stop it with `openecs down`, or "
        "start another one with a --data-dir and a --port of its own."
    )


def _serve(settings: Settings) -> int:
    # What is imported stays, and to look for garbage among it takes a fifth of the start.
    gc.disable()
    from openecs import app
    from openecs.cli import log_output
    from openecs.sealing import KeysUnreadable
    from openecs.store.base import StoreUnavailable

    log_output.configure(settings)
    try:
        return app.run(settings, on_ready=_announce)
    except StoreUnavailable as error:
        raise Failure(f"cannot open the database: {error}") from error
    except KeysUnreadable as error:
        raise Failure(str(error)) from error
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}:
            raise
        raise Failure(
            f"cannot listen on {settings.host}:{settings.port}: {os.strerror(error.errno)}. Choose "
            "another --port or --host."
        ) from error


def _announce(settings: Settings, keys: RootKeys) -> None:
    """Say that the door is open. Secrets are shown to people only, and kept out of logs."""
    url = installation.url(settings)
    print(f"OpenECS {__version__} is ready on {url}", flush=True)  # noqa: T201 - read by the user
    if not sys.stdout.isatty():
        return
    variables = exports.variables(url, keys.ensure(settings.account_id), settings.region)
    typer.echo(f"In another shell:\n{exports.render(variables, Shell.SH)}\nor: {_env(settings)}")


def _env(settings: Settings) -> str:
    where = f" --data-dir {settings.data_dir}" if settings.data_dir else ""
    return f'eval "$(openecs env{where} --port {settings.port})"'
