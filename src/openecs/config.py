"""Settings: where each comes from, what it means, what it is unless set.

Command-line flags win over ``OPENECS_...`` variables, those over the TOML file, that over the
defaults. A wrong value names its source and its key.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

import platformdirs

PREFIX = "OPENECS_"

PULL_BEHAVIORS = ("default", "always", "once", "prefer-cached")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "console", "json")


class SettingsError(ValueError):
    """A setting that cannot be used; the text names its source, its key and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an installation can be told. Each field's meaning stands behind it."""

    host: str = "127.0.0.1"
    """Address to listen on. Every request is signed, whatever the address."""

    port: int = 4566
    """Port to listen on, for all services."""

    data_dir: Path | None = None
    """Where the database, the root keys and the installation's identity live. Unless set:
    `/var/lib/openecs` for root, `$XDG_DATA_HOME/openecs` for others, a directory of its port in
    the runtime directory with `--ephemeral`."""

    database_url: str = ""
    """`sqlite:////path/openecs.db` or `postgresql://user:password@host/database`. Unless set:
    `openecs.db` in the data directory."""

    account_id: str = "000000000000"
    """The account of the root key that `openecs env` prints: 12 digits."""

    region: str = "us-east-1"
    """The region `openecs env` prints. Every region answers; each is a world of its own."""

    ephemeral: bool = False
    """Keep nothing: the store is in memory, containers go when the server ends, and a root-signed
    `POST /_openecs/reset` empties the world. For test suites."""

    docker_host: str = ""
    """The engine's address, as in `DOCKER_HOST`. Unless set: `DOCKER_HOST`, else
    `/var/run/docker.sock`."""

    image_pull_behavior: str = "prefer-cached"
    """When images are pulled, as the ECS agent's `ECS_IMAGE_PULL_BEHAVIOR`: `default` (pull, and
    use what is at hand if that fails), `always`, `once`, `prefer-cached`."""

    join_clusters: bool = True
    """Whether this machine becomes a container instance of a cluster when the first EC2-type task
    is placed there."""

    reserved_cpu: int = 0
    """CPU units (1024 a core) of this machine that no task gets."""

    reserved_memory_mib: int = 0
    """Memory of this machine, in MiB, that no task gets."""

    task_cleanup_wait: int = 10800
    """Seconds that stopped containers stay in the engine, for `docker logs`; the ECS agent's
    `ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION`."""

    stopped_task_retention: int = 3600
    """Seconds that stopped tasks can be described; AWS keeps them about an hour."""

    container_stop_timeout: int = 30
    """Seconds from SIGTERM to SIGKILL for containers without a `stopTimeout`."""

    environment_files_dir: Path | None = None
    """Where `environmentFiles` are read: `arn:aws:s3:::BUCKET/KEY` is `DIRECTORY/BUCKET/KEY`."""

    file_systems: Mapping[str, str] = field(default_factory=dict)
    """EFS and FSx file systems (`fs-...`) to the local paths that stand for them. In the file: a
    table `[file_systems]`; in the environment: `fs-1=/path,fs-2=/path`."""

    registry_credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What `repositoryCredentials` open: secret name or ARN to `{username, password}`. In the file
    only: tables `[registry_credentials."NAME"]`."""

    root_access_key_id: str = ""
    """The root access key; in the environment only, with its secret. Unless set: made on first
    start and kept in `root-keys.json` in the data directory."""

    root_secret_access_key: str = field(default="", repr=False)
    """The secret of `root_access_key_id`; in the environment only."""

    log_level: str = "info"
    """`debug`, `info`, `warning` or `error`."""

    log_format: str = "auto"
    """`console`, `json`, or `auto`: console on a terminal, JSON lines elsewhere."""

    @property
    def directory(self) -> Path:
        """The data directory that is in force."""
        if self.data_dir is not None:
            return self.data_dir
        if self.ephemeral:
            return Path(platformdirs.user_runtime_dir("openecs")) / f"ephemeral-{self.port}"
        if os.geteuid() == 0:
            return Path("/var/lib/openecs")
        return Path(platformdirs.user_data_dir("openecs"))

    @property
    def database(self) -> str:
        """The database URL that is in force."""
        return self.database_url or f"sqlite:///{self.directory.absolute() / 'openecs.db'}"


FILE_ONLY = frozenset({"registry_credentials"})
ENVIRONMENT_ONLY = frozenset({"root_access_key_id", "root_secret_access_key"})


def load(
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    file: Path | None = None,
) -> Settings:
    """The settings in force. ``flags`` holds those given on the command line (None: not given).

    Raises ``SettingsError``.
    """
    path = file or _find_file(environment)
    values = _from_file(path) if path else {}
    values |= _from_environment(environment)
    values |= {key: value for key, value in flags.items() if value is not None}
    settings = Settings(**values)
    _check(settings)
    return settings


def _find_file(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get(f"{PREFIX}CONFIG"):
        return Path(named)
    home = Path(platformdirs.user_config_dir("openecs")) / "openecs.toml"
    return next((p for p in (Path("openecs.toml"), home) if p.is_file()), None)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    known = _types()
    for key in given:
        if key not in known or key in ENVIRONMENT_ONLY:
            raise SettingsError(f"{path}: {key}: no such setting in a file")
    return {key: _convert(f"{path}: {key}", known[key], value) for key, value in given.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, kind in _types().items():
        name = f"{PREFIX}{key.upper()}"
        if key not in FILE_ONLY and environment.get(name):
            values[key] = _convert(name, kind, environment[name])
    return values


def _types() -> dict[str, Any]:
    hints = get_type_hints(Settings)
    return {entry.name: hints[entry.name] for entry in fields(Settings)}


def _convert(source: str, kind: Any, value: Any) -> Any:
    try:
        return _converted(kind, value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{source}: {error}") from error


def _converted(kind: Any, value: Any) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else _boolean(str(value))
    if kind is int:
        return int(value)
    if kind == Path | None:
        return Path(str(value)).expanduser()
    if kind is str:
        return str(value)
    return dict(value) if isinstance(value, Mapping) else _pairs(str(value))


def _boolean(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


def _pairs(text: str) -> dict[str, str]:
    pairs = dict(part.partition("=")[::2] for part in text.split(",") if part)
    if not all(pairs.values()):
        raise ValueError(f"{text!r} is not of the form name=value,name=value")
    return pairs


def _check(settings: Settings) -> None:
    checks = {
        "port": 0 < settings.port < 65536,
        "account_id": bool(re.fullmatch(r"\d{12}", settings.account_id)),
        "region": bool(re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-\d", settings.region)),
        "image_pull_behavior": settings.image_pull_behavior in PULL_BEHAVIORS,
        "log_level": settings.log_level in LOG_LEVELS,
        "log_format": settings.log_format in LOG_FORMATS,
        "reserved_cpu": settings.reserved_cpu >= 0,
        "reserved_memory_mib": settings.reserved_memory_mib >= 0,
        "task_cleanup_wait": settings.task_cleanup_wait >= 0,
        "stopped_task_retention": settings.stopped_task_retention >= 0,
        "container_stop_timeout": settings.container_stop_timeout >= 1,
        "registry_credentials": all(
            {"username", "password"} <= set(given)
            for given in settings.registry_credentials.values()
        ),
    }
    for key, holds in checks.items():
        if not holds:
            raise SettingsError(f"{key}: {getattr(settings, key)!r} cannot be used")
    if bool(settings.root_access_key_id) != bool(settings.root_secret_access_key):
        raise SettingsError("OPENECS_ROOT_ACCESS_KEY_ID goes with OPENECS_ROOT_SECRET_ACCESS_KEY")
