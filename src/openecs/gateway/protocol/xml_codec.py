"""XML: requests and replies of rest-xml, replies of query and ec2.

To the reader a node is the list of all elements of one name, since that is what a flattened list
looks like; an attribute is a list of one text. The writer's content is the text inside an element.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from openecs.gateway.protocol import scalars
from openecs.gateway.protocol.parse import Node, Parse
from openecs.gateway.protocol.serialize import Content, Serialize
from openecs.gateway.protocol.shape import Shape
from openecs.gateway.refusal import malformed

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
#: What XML has no place for, not even as a character reference.
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile('[&<>"\r]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"}
PROLOGUE = '<?xml version="1.0" encoding="UTF-8"?>\n'


def decode(body: bytes) -> Node:
    """The root element of a document. Raises ``Refused``; document types are not taken."""
    if b"<!DOCTYPE" in body:
        raise malformed("Request body may not have a document type.")
    try:
        # Entities are what makes XML unsafe, and there are none without a document type.
        return [ET.fromstring(body)]  # noqa: S314
    except (ET.ParseError, ValueError, LookupError) as error:
        raise malformed(f"Request body is not valid XML: {error}") from None


def element(name: str, content: Content) -> str:
    """An element, or, where the content is that of a flattened list, one for each item."""
    match content:
        case Repeated():
            return "".join(element(name, item) for item in content)
        case Attributed(attributes, text):
            return f"<{name}{attributes}>{text}</{name}>"
        case _:
            return f"<{name}>{content}</{name}>"


def escaped(text: str) -> str:
    """Text as XML has it; characters XML cannot have become U+FFFD."""
    text = _IMPOSSIBLE.sub("\ufffd", text)
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], text)


class Repeated(list[Content]):
    """The contents of a flattened list: each is an element of the name the list has."""


class Attributed(NamedTuple):
    """Content of an element that has attributes."""

    attributes: str
    text: str


class XmlReader:
    """Reads rest-xml.

    https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html
    """

    def name(self, member: Shape, default: str) -> str:
        """Members have their location name."""
        return str(member.serialization.get("name", default))

    def members(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Structures have their members inside."""
        found: dict[str, list[Any]] = {
            name.replace(f"{{{_XSI}}}", "xsi:"): [text] for name, text in _first(node).items()
        }
        for child in _first(node):
            found.setdefault(_tag(child), []).append(child)
        return found.items()

    def items(self, shape: Shape) -> Callable[[Node], Iterable[Node]]:
        """Items are inside, or side by side where flattened."""
        if shape.serialization.get("flattened"):
            return lambda node: [[item] for item in node]
        return lambda node: [[item] for item in _first(node)]

    def entries(self, shape: Shape) -> Callable[[Node], Iterable[tuple[Node, Node]]]:
        """Entries are inside, or side by side where flattened; each has a key and a value."""
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        flattened = shape.serialization.get("flattened")

        def entries(node: Node) -> Iterable[tuple[Node, Node]]:
            for entry in node if flattened else _first(node):
                parts = dict(self.members([entry]))
                if key not in parts:
                    raise malformed("An entry of a map has no key")
                yield parts[key], parts.get(value)

        return entries

    def scalar(self, shape: Shape) -> Parse:
        """Timestamps are ISO 8601; blobs are base64."""
        read = scalars.text_reader(shape, "iso8601")
        return lambda node: read(_text(node[0]))

    def document(self, _: Node) -> Any:
        """There is no XML for free-form documents."""
        raise malformed("Unexpected field type")


class XmlWriter:
    """Writes the replies of query and rest-xml, and those of ec2, which only has other names."""

    def name(self, member: Shape, default: str) -> str:
        """Members have their location name; a flattened list that of its items, where given."""
        name = str(member.serialization.get("name", default))
        if member.type_name == "list" and member.serialization.get("flattened"):
            name = str(member.member.serialization.get("name", name))
        return f"@{name}" if member.serialization.get("xmlAttribute") else name

    def structure(self, members: list[tuple[str, Content]]) -> Content:
        """Structures have their members inside, but for attributes."""
        attributes = "".join(
            f' xmlns:xsi="{_XSI}" {name[1:]}="{content}"'
            for name, content in members
            if name[0] == "@"
        )
        text = "".join(element(name, content) for name, content in members if name[0] != "@")
        return Attributed(attributes, text) if attributes else text

    def items(self, shape: Shape) -> Callable[[list[Content]], Content]:
        """Items are inside, or side by side where flattened."""
        if shape.serialization.get("flattened"):
            return Repeated
        name = shape.member.serialization.get("name", "member")
        return lambda contents: "".join(element(name, content) for content in contents)

    def entries(self, shape: Shape) -> Callable[[list[tuple[Content, Content]]], Content]:
        """Entries are inside, or side by side where flattened; each has a key and a value."""
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        join = Repeated if shape.serialization.get("flattened") else _joined_entries
        return lambda contents: join(
            [element(key, name) + element(value, content) for name, content in contents]
        )

    def scalar(self, shape: Shape) -> Serialize | None:
        """Timestamps are ISO 8601; blobs are base64."""
        write = scalars.text_writer(shape, "iso8601")
        if shape.type_name in {"string", "character"}:
            return escaped
        return write


def _joined_entries(entries: list[str]) -> str:
    return "".join(element("entry", entry) for entry in entries)


def _first(node: Node) -> ET.Element:
    if not isinstance(node[0], ET.Element):
        raise malformed("Unexpected attribute")
    return node[0]


def _text(item: ET.Element | str) -> str:
    return item if isinstance(item, str) else item.text or ""


def _tag(item: ET.Element) -> str:
    return item.tag.rpartition("}")[2]
