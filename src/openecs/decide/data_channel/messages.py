"""Messages of the data channel, as the Session Manager plugin reads and writes them.

A header of 116 bytes, the payload's length, the payload; numbers are big-endian. A message's UUID
is written with its halves swapped.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

_HEADER = struct.Struct(">I32sIQqQ16s32sII")
#: What the header says its length is: that of all before the payload's length.
_HEADER_LENGTH = 116
_SCHEMA_VERSION = 1


class MessageType(StrEnum):
    """What a message is about."""

    INPUT = "input_stream_data"
    OUTPUT = "output_stream_data"
    ACKNOWLEDGE = "acknowledge"
    CHANNEL_CLOSED = "channel_closed"
    START_PUBLICATION = "start_publication"
    PAUSE_PUBLICATION = "pause_publication"


class PayloadType(IntEnum):
    """What the payload of stream data is."""

    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENCRYPTION_CHALLENGE_REQUEST = 8
    ENCRYPTION_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STDERR = 11
    EXIT_CODE = 12


#: The flag by which a client ends its session.
TERMINATE_SESSION = 2


class Malformed(Exception):
    """The bytes are no message, or its payload is not the one that was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message; ``sequence`` counts stream data from 0 in each direction."""

    type: MessageType
    id: UUID
    created_at: datetime
    sequence: int = 0
    flags: int = 0
    payload_type: PayloadType = PayloadType.NONE
    payload: bytes = b""


def encode(message: Message) -> bytes:
    """The message as bytes."""
    swapped = message.id.bytes[8:] + message.id.bytes[:8]
    header = _HEADER.pack(
        _HEADER_LENGTH,
        message.type.encode().ljust(32),
        _SCHEMA_VERSION,
        int(message.created_at.timestamp() * 1000),
        message.sequence,
        message.flags,
        swapped,
        hashlib.sha256(message.payload).digest(),
        message.payload_type,
        len(message.payload),
    )
    return header + message.payload


def decode(data: bytes, now: datetime) -> Message:
    """The message, as having come ``now``. Raises ``Malformed``."""
    if len(data) < _HEADER.size:
        raise Malformed("shorter than a header")
    length, kind, _, _, sequence, flags, swapped, digest, payload_type, size = _HEADER.unpack_from(
        data
    )
    payload = data[_HEADER.size :]
    if length != _HEADER_LENGTH or size != len(payload):
        raise Malformed("not as long as it says")
    if payload and hashlib.sha256(payload).digest() != digest:
        raise Malformed("the payload's digest is another")
    try:
        return Message(
            type=MessageType(kind.rstrip(b"\0 ").decode()),
            id=UUID(bytes=swapped[8:] + swapped[:8]),
            created_at=now,
            sequence=sequence,
            flags=flags,
            payload_type=PayloadType(payload_type),
            payload=payload,
        )
    except ValueError as error:
        raise Malformed(str(error)) from error
