"""Access keys as the gateway needs them, and where it asks for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """An access key and the principal it speaks for.

    ``session_token`` is given for temporary keys, which requests must carry; ``expires`` is when
    they end (None: never).
    """

    access_key_id: str
    secret: str
    account: str
    arn: str
    user_id: str
    session_token: str | None = None
    active: bool = True
    expires: datetime | None = None


class Credentials(Protocol):
    """The access keys of the installation."""

    async def find(self, access_key_id: str) -> AccessKey | None:
        """The key of that id, active or not, or None."""
        ...
