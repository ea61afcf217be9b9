"""Sessions of ExecuteCommand that nobody has opened yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from openecs.model.identity import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecSession:
    """What whoever has the token may run, once and soon; only the token's digest is kept."""

    scope: Scope
    id: str
    token_digest: str
    task: str
    #: The engine's id of the container, and the machine whose engine it is.
    runtime_id: str
    machine: str
    command: tuple[str, ...]
    expires_at: datetime
