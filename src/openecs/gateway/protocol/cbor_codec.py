"""CBOR, for smithy-rpc-v2-cbor. A node is what the CBOR decoder makes of it.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import cbor2

from openecs.gateway.protocol import scalars
from openecs.gateway.protocol.json_codec import JsonReader, JsonWriter
from openecs.gateway.protocol.parse import Node, Parse
from openecs.gateway.protocol.serialize import Serialize
from openecs.gateway.protocol.shape import Shape
from openecs.gateway.refusal import malformed


def decode(body: bytes) -> Node:
    """The CBOR value of a body, an empty map where there is none. Raises ``Refused``."""
    if not body:
        return {}
    try:
        return cbor2.loads(body, strict_hashable_types=True)
    except (cbor2.CBORDecodeError, ValueError, OverflowError, RecursionError) as error:
        raise malformed(f"Request body is not valid CBOR: {error}") from None


def encode(value: Any) -> bytes:
    """A value in CBOR; timestamps carry tag 1."""
    return cbor2.dumps(value, datetime_as_timestamp=True, timezone=UTC)


class CborReader(JsonReader):
    """Structures, lists, maps and numbers are as in JSON; blobs and timestamps are themselves."""

    def members(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Structures are maps; undefined is as good as null."""
        return [
            (name, None if child is cbor2.undefined else child)
            for name, child in super().members(node)
        ]

    def items(self, shape: Shape) -> Callable[[Node], Iterable[Node]]:
        """Lists are arrays; undefined is as good as null."""
        items = super().items(shape)
        return lambda node: (None if item is cbor2.undefined else item for item in items(node))

    def scalar(self, shape: Shape) -> Parse:
        """Timestamps have tag 1 and come decoded; blobs are byte strings."""
        match shape.type_name:
            case "timestamp":
                return _timestamp
            case "blob":
                return scalars.exactly(bytes, "blob")
            case _:
                return super().scalar(shape)


class CborWriter(JsonWriter):
    """Writes what the CBOR encoder takes."""

    def scalar(self, shape: Shape) -> Serialize | None:
        """Timestamps have whole milliseconds; floats are floats even where they are whole."""
        match shape.type_name:
            case "timestamp":
                return _milliseconds
            case "float" | "double":
                return float
            case _:
                return None


def _timestamp(node: Node) -> datetime:
    if not isinstance(node, datetime) or node.tzinfo is None:
        raise malformed("Expected a timestamp with tag 1")
    return node.astimezone(UTC)


def _milliseconds(value: datetime) -> datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)
