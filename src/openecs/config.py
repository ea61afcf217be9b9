"""Settings: where each comes from, what it means, what it is unless set.

Command-line flags win over ``OPENECS_...`` variables, those over the TOML file, that over the
defaults. A wrong value names its source and its key.
"""

from __future__ import annotations

import os
import re
import tempfile
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

    deployment_healthy_after: int = 40
    """Seconds that a service's task without health checks must have been RUNNING to count as
    healthy in a deployment; AWS waits 40."""

    elb_bind_address: str = "127.0.0.1"
    """Where listeners of load balancers answer, besides the loopback address that each load
    balancer has of its own; `0.0.0.0` for everybody who reaches this machine."""

    lambda_url: str = ""
    """Base URL of whatever answers AWS Lambda's Invoke API: functions of lifecycle hooks of
    deployments, and those that are targets of load balancers, are invoked there, by
    `POST URL/2015-03-31/functions/ARN/invocations`. Unless set, such hooks are refused."""

    alarm_webhook_url: str = ""
    """Where the changes of CloudWatch alarms go, by POST: the event of EventBridge for each, and
    the notification of SNS for each `arn:aws:sns:` among an alarm's actions. Unless set, nothing is
    sent, and such actions fail."""

    log_destinations: Mapping[str, str] = field(default_factory=dict)
    """Where the subscription filters of log groups send to: ARNs of destinations to the URLs that
    take their events, by POST. Those of Lambda functions are besides invoked at `lambda_url`. In
    the file: a table `[log_destinations]`; in the environment: `ARN=URL,ARN=URL`."""

    log_max_mib: int = 0
    """How large the logs may be altogether, in MiB of their messages; 0: any size. What was kept
    first is dropped when they are larger, and `openecs status` tells so for a day."""

    measure_interval: int = 10
    """How often the CPU and memory of tasks and the traffic of load balancers are measured, in
    seconds: a divisor of 60. What is measured can be read in periods of so many seconds for three
    hours, and in periods of a minute and more afterwards."""

    scaling_period: int = 60
    """Seconds from datapoint to datapoint of the alarms of target tracking: 10, 20, 30 or, as on
    AWS, 60. For policies that are put from then on; a scalable target's tag
    `openecs:scaling-period` comes before it, as do the tags of the two settings below."""

    scale_out_datapoints: int = 3
    """Datapoints above the target, one after the other, until target tracking scales out: 1 to
    100. A target's own: `openecs:scale-out-datapoints`."""

    scale_in_datapoints: int = 15
    """Datapoints below 90 % of the target, one after the other, until target tracking scales in: 1
    to 100. A target's own: `openecs:scale-in-datapoints`."""

    environment_files_dir: Path | None = None
    """Where `environmentFiles` and the CA bundles of trust stores are read:
    `arn:aws:s3:::BUCKET/KEY` is `DIRECTORY/BUCKET/KEY`."""

    file_systems: Mapping[str, str] = field(default_factory=dict)
    """EFS and FSx file systems (`fs-...`) to the local paths that stand for them. In the file: a
    table `[file_systems]`; in the environment: `fs-1=/path,fs-2=/path`."""

    registry_credentials: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """What `repositoryCredentials` open: secret name or ARN to `{username, password}`. In the file
    only: tables `[registry_credentials."NAME"]`."""

    encryption_keys_file: Path | None = None
    """A file of the keys that encrypt what is secret in the database: lines of 32 bytes in Base64,
    of which the first encrypts and all decrypt. Processes that share a database need the same.
    Unless set: `encryption-keys` in the data directory, made on first start."""

    encryption_keys: str = field(default="", repr=False)
    """The same keys themselves, with spaces between; in the environment only."""

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
            return _runtime_dir() / f"ephemeral-{self.port}"
        if os.geteuid() == 0:
            return Path("/var/lib/openecs")
        return Path(platformdirs.user_data_dir("openecs"))

    @property
    def database(self) -> str:
        """The database URL that is in force."""
        return self.database_url or f"sqlite:///{self.directory.absolute() / 'openecs.db'}"

    @property
    def shares_database(self) -> bool:
        """Whether other processes may work on the same database."""
        return not self.ephemeral and not self.database.startswith("sqlite")


_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")
_URL = re.compile(r"https?://[^/]")
_DATABASE = re.compile(r"sqlite:///|postgresql://")

#: May hold passwords, which no message shows.
_SECRET = frozenset({"database_url", "encryption_keys", "registry_credentials"})

FILE_ONLY = frozenset({"registry_credentials"})
ENVIRONMENT_ONLY = frozenset({"encryption_keys", "root_access_key_id", "root_secret_access_key"})


def load(
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    file: Path | None = None,
) -> Settings:
    """The settings in force. ``flags`` holds those given on the command line (None: not given).

    Raises ``SettingsError``.
    """
    path = file or _find_file(environment)
    given = [*(_from_file(path) if path else ()), *_from_environment(environment)]
    given += [
        _Given(f"--{key.replace('_', '-')}", key, value)
        for key, value in flags.items()
        if value is not None
    ]
    last = {one.key: one for one in given}
    kinds = _types()
    settings = Settings(**{key: _convert(one, kinds[key]) for key, one in last.items()})
    _check(settings, {key: one.source for key, one in last.items()})
    return settings


@dataclass(frozen=True, slots=True)
class _Given:
    """A value that somebody gave, and where."""

    source: str
    key: str
    value: Any


def _runtime_dir() -> Path:
    if given := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(given) / "openecs"
    return Path(tempfile.gettempdir()) / f"openecs-{os.geteuid()}"


def _find_file(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get(f"{PREFIX}CONFIG"):
        return Path(named)
    home = Path(platformdirs.user_config_dir("openecs")) / "openecs.toml"
    return next((p for p in (Path("openecs.toml"), home) if p.is_file()), None)


def _from_file(path: Path) -> list[_Given]:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error
    known = _types()
    for key in given:
        if key not in known or key in ENVIRONMENT_ONLY:
            raise SettingsError(f"{path}: {key}: no such setting in a file")
    return [_Given(f"{path}: {key}", key, value) for key, value in given.items()]


def _from_environment(environment: Mapping[str, str]) -> list[_Given]:
    names = {f"{PREFIX}{key.upper()}": key for key in _types() if key not in FILE_ONLY}
    return [
        _Given(name, key, environment[name]) for name, key in names.items() if environment.get(name)
    ]


def _types() -> dict[str, Any]:
    hints = get_type_hints(Settings)
    return {entry.name: hints[entry.name] for entry in fields(Settings)}


def _convert(given: _Given, kind: Any) -> Any:
    try:
        return _converted(kind, given.value)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{given.source}: {error}") from error


def _converted(kind: Any, value: Any) -> Any:
    if kind is bool:
        return value if isinstance(value, bool) else _boolean(str(value))
    if kind is int:
        return _integer(value)
    if kind is str or kind == Path | None:
        return _text(value) if kind is str else Path(_text(value)).expanduser()
    return dict(value) if isinstance(value, Mapping) else _pairs(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str | Path):
        raise TypeError(f"{value!r} is not a text")
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise ValueError(f"{value!r} is not a whole number")
    return int(value)


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


def _check(settings: Settings, sources: Mapping[str, str]) -> None:
    one_of = {
        "image_pull_behavior": PULL_BEHAVIORS,
        "log_level": LOG_LEVELS,
        "log_format": LOG_FORMATS,
    }
    wanted = {
        "port": ("1 to 65535", 0 < settings.port < 65536),
        "account_id": ("12 digits", bool(re.fullmatch(r"\d{12}", settings.account_id))),
        "region": ("as us-east-1", bool(_REGION.fullmatch(settings.region))),
        "reserved_cpu": ("0 or more", settings.reserved_cpu >= 0),
        "reserved_memory_mib": ("0 or more", settings.reserved_memory_mib >= 0),
        "task_cleanup_wait": ("0 or more", settings.task_cleanup_wait >= 0),
        "stopped_task_retention": ("0 or more", settings.stopped_task_retention >= 0),
        "container_stop_timeout": ("1 or more", settings.container_stop_timeout >= 1),
        "measure_interval": (
            "a divisor of 60",
            0 < settings.measure_interval <= 60 and 60 % settings.measure_interval == 0,
        ),
        "log_max_mib": ("0 or more", settings.log_max_mib >= 0),
        "scaling_period": ("10, 20, 30 or 60", settings.scaling_period in {10, 20, 30, 60}),
        "scale_out_datapoints": ("1 to 100", 0 < settings.scale_out_datapoints <= 100),
        "scale_in_datapoints": ("1 to 100", 0 < settings.scale_in_datapoints <= 100),
        "deployment_healthy_after": ("0 or more", settings.deployment_healthy_after >= 0),
        "database_url": _database(settings.database_url),
        "file_systems": _paths(settings.file_systems),
        "log_destinations": _urls(settings.log_destinations),
        "registry_credentials": _credentials(settings.registry_credentials),
    }
    for key, words in one_of.items():
        wanted[key] = (", ".join(words), getattr(settings, key) in words)
    for key, (form, holds) in wanted.items():
        if not holds:
            shown = "what is given" if key in _SECRET else repr(getattr(settings, key))
            raise SettingsError(f"{sources.get(key, key)}: {shown} is not {form}")
    if bool(settings.root_access_key_id) != bool(settings.root_secret_access_key):
        raise SettingsError("OPENECS_ROOT_ACCESS_KEY_ID goes with OPENECS_ROOT_SECRET_ACCESS_KEY")


def _database(url: str) -> tuple[str, bool]:
    return "sqlite:///... or postgresql://...", not url or bool(_DATABASE.match(url))


def _paths(file_systems: Mapping[str, Any]) -> tuple[str, bool]:
    holds = all(isinstance(path, str) and path.startswith("/") for path in file_systems.values())
    return "names with absolute paths", holds


def _urls(destinations: Mapping[str, Any]) -> tuple[str, bool]:
    holds = all(isinstance(url, str) and _URL.match(url) for url in destinations.values())
    return "ARNs with http:// or https:// URLs", holds


def _credentials(given: Mapping[str, Any]) -> tuple[str, bool]:
    wanted = {"username", "password"}
    holds = all(isinstance(one, Mapping) and wanted <= set(one) for one in given.values())
    return "tables with a username and a password", holds
