"""What the process of a simulated container does, and what a simulated registry has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from openecs.model.containers import Health
from openecs.runtime.base import RegistryAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """What a container's process does. Unless told otherwise it runs until it is stopped."""

    exits_after: timedelta | None = None
    exit_code: int = 0
    oom_killed: bool = False
    #: The exit code when told to stop; None: it takes SIGKILL.
    exit_code_on_stop: int | None = 143
    #: Not empty: it cannot be started, for this reason.
    start_error: str = ""
    #: What its health check comes to, and when; without a health check it has none.
    health: Health = Health.HEALTHY
    health_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteImage:
    """An image in a registry: how long its pull takes, and whom it is for."""

    takes: timedelta = timedelta(0)
    auth: RegistryAuth | None = None
