"""Sessions of ExecuteCommand as they are stored until they are opened."""

from __future__ import annotations

from openecs.model.exec_sessions import ExecSession
from openecs.store.base import INSTALLATION, Kind

#: Found by their id alone, which is all that the address of a data channel tells.
EXEC_SESSIONS: Kind[ExecSession] = Kind(
    name="exec-session", type=ExecSession, key=lambda s: s.id, scope=lambda _: INSTALLATION
)

KINDS = (EXEC_SESSIONS,)
