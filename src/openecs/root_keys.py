"""Root access keys: one an account, in a file of the data directory that only its owner reads.

The file is read anew when it changed, so that ``openecs env --account-id`` can make the key of
another account for a server that runs: a key that is not known is looked for at once, one that was
taken out is known for a second longer.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from openecs import private_files
from openecs.config import Settings
from openecs.gateway.credentials import AccessKey

FILE = "root-keys.json"
#: How long the keys of the file are taken for those it still has, in seconds.
LOOK_EVERY = 1.0


class RootKeysUnreadable(Exception):
    """The file is there and is not what was written; the text names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKey:
    """The root access key of an account."""

    account: str
    access_key_id: str
    secret_access_key: str


class RootKeys:
    """The root keys of an installation; ``given`` is the key the environment named, if any."""

    def __init__(self, directory: Path, given: RootKey | None = None) -> None:
        self._path = directory / FILE
        self._given = given
        self._seen: tuple[int, int] | None = None
        self._look_again = 0.0
        self._keys: dict[str, AccessKey] = {}

    def ensure(self, account: str) -> RootKey:
        """The key of an account, made and durable before it is returned where there was none."""
        if self._given is not None and self._given.account == account:
            return self._given
        if key := self._read().get(account):
            return key
        with private_files.alone(self._path.parent):
            known = self._read()
            if account not in known:
                known[account] = _new_key(account)
                self._write(known)
            return known[account]

    def accounts(self) -> tuple[RootKey, ...]:
        """All keys there are."""
        known = self._read()
        if self._given is not None:
            known[self._given.account] = self._given
        return tuple(known.values())

    async def find(self, access_key_id: str) -> AccessKey | None:
        """The key of that id, or None."""
        now = asyncio.get_running_loop().time()
        if now >= self._look_again or access_key_id not in self._keys:
            self._look_again = now + LOOK_EVERY
            if self._changed():
                self._keys = {k.access_key_id: _access_key(k) for k in self.accounts()}
        return self._keys.get(access_key_id)

    def _changed(self) -> bool:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
        except FileNotFoundError:
            seen = (0, 0)
        changed, self._seen = seen != self._seen, seen
        return changed

    def _read(self) -> dict[str, RootKey]:
        try:
            stored = json.loads(self._path.read_text(encoding="ascii"))
            return {account: RootKey(account=account, **key) for account, key in stored.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError) as error:
            raise RootKeysUnreadable(f"{self._path} holds no root keys: {error}") from error

    def _write(self, keys: dict[str, RootKey]) -> None:
        """Whole or not at all, and on the disk before anybody is told a key."""
        stored = {
            key.account: {
                "access_key_id": key.access_key_id,
                "secret_access_key": key.secret_access_key,
            }
            for key in keys.values()
        }
        private_files.write(self._path, json.dumps(stored, indent=2))


def root_keys(settings: Settings) -> RootKeys:
    """The root keys of the installation with these settings."""
    given = None
    if settings.root_access_key_id:
        given = RootKey(
            account=settings.account_id,
            access_key_id=settings.root_access_key_id,
            secret_access_key=settings.root_secret_access_key,
        )
    return RootKeys(settings.directory, given)


def _new_key(account: str) -> RootKey:
    letters = base64.b32encode(secrets.token_bytes(10)).decode()
    return RootKey(
        account=account,
        access_key_id=f"AKIA{letters}",
        secret_access_key=base64.b64encode(secrets.token_bytes(30)).decode(),
    )


def _access_key(key: RootKey) -> AccessKey:
    return AccessKey(
        access_key_id=key.access_key_id,
        secret=key.secret_access_key,
        account=key.account,
        arn=f"arn:aws:iam::{key.account}:root",
        user_id=key.account,
    )
