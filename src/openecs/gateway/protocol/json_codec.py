"""JSON, for json 1.0, json 1.1 and rest-json. A node is what the JSON decoder makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from openecs.gateway.protocol import scalars
from openecs.gateway.protocol.parse import Node, Parse
from openecs.gateway.protocol.serialize import Content, Serialize
from openecs.gateway.protocol.shape import Shape
from openecs.gateway.refusal import malformed


def decode(body: bytes) -> Node:
    """The JSON value of a body, an empty object where there is none. Raises ``Refused``."""
    if not body:
        return {}
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(f"Request body is not valid JSON: {error}") from None


encode = msgspec.json.Encoder().encode


class JsonReader:
    """Reads decoded JSON."""

    def name(self, member: Shape, default: str) -> str:
        """Members have their location name."""
        return str(member.serialization.get("name", default))

    def members(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Structures are objects."""
        if type(node) is not dict:
            raise malformed("Unexpected field type")
        return node.items()

    def items(self, _: Shape) -> Callable[[Node], Iterable[Node]]:
        """Lists are arrays."""
        return _items

    def entries(self, _: Shape) -> Callable[[Node], Iterable[tuple[Node, Node]]]:
        """Maps are objects."""
        return self.members

    def scalar(self, shape: Shape) -> Parse:
        """Timestamps are seconds unless the shape says otherwise; blobs are base64."""
        match shape.type_name:
            case "integer" | "long" as kind:
                return scalars.whole_number(kind)
            case "float" | "double" as kind:
                return scalars.number(kind)
            case "boolean":
                return scalars.exactly(bool, "boolean")
            case "timestamp":
                return _timestamp(shape)
            case "blob":
                return lambda node: scalars.blob(_text(node))
            case _:
                return _text

    def document(self, node: Node) -> Any:
        """Documents are any JSON."""
        return node


class JsonWriter:
    """Writes what the JSON encoder takes."""

    def name(self, member: Shape, default: str) -> str:
        """Members have their location name."""
        return str(member.serialization.get("name", default))

    def structure(self, members: list[tuple[str, Content]]) -> Content:
        """Structures are objects."""
        return dict(members)

    def items(self, _: Shape) -> Callable[[list[Content]], Content]:
        """Lists are arrays."""
        return list

    def entries(self, _: Shape) -> Callable[[list[tuple[Content, Content]]], Content]:
        """Maps are objects."""
        return dict

    def scalar(self, shape: Shape) -> Serialize | None:
        """Timestamps are seconds unless the shape says otherwise; blobs are base64."""
        match shape.type_name:
            case "float" | "double":
                return scalars.written_number
            case "timestamp":
                format_ = scalars.timestamp_format(shape, "unixtimestamp")
                return scalars.timestamp_writer(format_)
            case "blob":
                return scalars.written_blob
            case _:
                return None


_text = scalars.exactly(str, "string")


def _timestamp(shape: Shape) -> Parse:
    read = scalars.timestamp_reader(scalars.timestamp_format(shape, "unixtimestamp"))

    def timestamp(node: Node) -> Any:
        if type(node) not in {int, float, str}:
            raise scalars.not_convertible(node, "timestamp")
        return read(node)

    return timestamp


def _items(node: Node) -> Iterable[Node]:
    if type(node) is not list:
        raise malformed("Expected list or null")
    return node
