"""Resources as documents: a frozen dataclass to JSON text and back.

Documents of older versions stay readable: a field they lack takes its default, a field that is no
more is ignored. So a new field needs a default; a field may be dropped, never change its type.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, TypeVar

import msgspec

from openecs.store.base import Kind, StoreError

T = TypeVar("T")

_encoder = msgspec.json.Encoder()
_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}
_making = Lock()


class UnreadableDocument(StoreError):
    """A stored document does not fit the type of its kind: another version's, or damaged."""


def encode(value: object) -> str:
    """The document of a resource. ``TypeError``: a field's type has no place in JSON."""
    return _encoder.encode(value).decode()


def decode(kind: Kind[T], document: str) -> T:
    """The resource of a document. Raises ``UnreadableDocument``."""
    try:
        value: T = _decoder(kind.type).decode(document)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UnreadableDocument(f"a stored {kind.name} cannot be read: {error}") from error
    return value


def _decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    return _decoders.get(type_) or _make(type_)


def _make(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    # What msgspec keeps of a class can be found by another thread before it is filled: decoding
    # then reads through null. So all decoders are made by one thread at a time.
    with _making:
        if type_ not in _decoders:
            _decoders[type_] = msgspec.json.Decoder(type_)
        return _decoders[type_]
