"""Encryption of what is secret in the database: AES-256-GCM with keys of the installation.

The keys are lines of a file, 32 bytes in Base64 each: the first seals, all of them open, so a new
one is put before the others. A key is known by the beginning of its SHA-256, which stands in what
it sealed.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openecs import private_files
from openecs.config import Settings
from openecs.model.sealing import PREFIX, CannotOpen

FILE = "encryption-keys"
_KEY_SIZE = 32
#: NIST SP 800-38D: 96 random bits, so at most 2**32 texts a key.
_NONCE_SIZE = 12


class KeysUnreadable(Exception):
    """What was given for keys is none; the text names its source, and never a key."""


class Keys:
    """A ``model.sealing.Seal`` of these keys, the one in force first."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_id(key): AESGCM(key) for key in keys}
        self._current = _id(keys[0])

    @property
    def prefix(self) -> str:
        """What a text begins with that is sealed with the key in force."""
        return f"{PREFIX}{self._current}:"

    def close(self, text: str, about: str) -> str:
        """The text, sealed with the key in force."""
        nonce = os.urandom(_NONCE_SIZE)
        cipher = self._ciphers[self._current]
        sealed = nonce + cipher.encrypt(nonce, text.encode(), about.encode())
        return self.prefix + base64.b64encode(sealed).decode()

    def open(self, sealed: str, about: str) -> str:
        """The text that was sealed. Raises ``CannotOpen``."""
        name, _, content = sealed.removeprefix(PREFIX).partition(":")
        cipher = self._ciphers.get(name)
        if cipher is None:
            known = ", ".join(self._ciphers)
            raise CannotOpen(f"it is encrypted with the key {name}, and the keys here are {known}")
        try:
            raw = base64.b64decode(content, validate=True)
            return cipher.decrypt(raw[:_NONCE_SIZE], raw[_NONCE_SIZE:], about.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"what the key {name} encrypted has been altered") from error


def keys_of(settings: Settings) -> Keys:
    """The keys that the settings name; unless they do, those of the data directory, made once.

    Raises ``KeysUnreadable``.
    """
    if settings.encryption_keys:
        return Keys(_parsed(settings.encryption_keys, "OPENECS_ENCRYPTION_KEYS"))
    given = settings.encryption_keys_file
    if given is None:
        return Keys(_own(settings.directory / FILE))
    return Keys(_parsed(_read(given), str(given)))


def _own(path: Path) -> list[bytes]:
    with private_files.alone(path.parent):
        if not path.exists():
            private_files.write(path, base64.b64encode(os.urandom(_KEY_SIZE)).decode() + "\n")
    return _parsed(_read(path), str(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeysUnreadable(f"{path}: no encryption keys can be read: {error}") from error


def _parsed(text: str, source: str) -> list[bytes]:
    try:
        keys = [base64.b64decode(word, validate=True) for word in text.split()]
    except ValueError as error:
        raise KeysUnreadable(f"{source}: an encryption key is not Base64") from error
    if not keys or any(len(key) != _KEY_SIZE for key in keys):
        raise KeysUnreadable(f"{source}: encryption keys are {_KEY_SIZE} bytes each, in Base64")
    return keys


def _id(key: bytes) -> str:
    return hashlib.sha256(b"openecs data key" + key).hexdigest()[:8]
