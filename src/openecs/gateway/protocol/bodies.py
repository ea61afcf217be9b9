"""A structure as the body of a request or reply, in each notation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from openecs.gateway.protocol import cbor_codec, json_codec, xml_codec
from openecs.gateway.protocol.parse import Parsers
from openecs.gateway.protocol.serialize import Content, Serializers
from openecs.gateway.protocol.shape import Shape


class Body(Protocol):
    """One notation for one service's structures."""

    @property
    def content_type(self) -> str:
        """The media type of what ``write`` makes."""
        ...

    def read(self, shape: Shape, content: bytes, /) -> Any:
        """The value of a body. Raises ``Refused``."""
        ...

    def write(self, shape: Shape, members: Mapping[str, Any], root: str, /) -> bytes:
        """Members as a body; ``root`` is the name of the whole, where the notation has one."""
        ...


class JsonBody:
    """JSON objects."""

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        self._parsers = Parsers(json_codec.JsonReader())
        self._serializers = Serializers(json_codec.JsonWriter())

    def read(self, shape: Shape, content: bytes) -> Any:
        """The value of a JSON body."""
        return self._parsers.of(shape)(json_codec.decode(content))

    def write(self, shape: Shape, members: Mapping[str, Any], _: str) -> bytes:
        """A JSON object; it has no name."""
        return json_codec.encode(self.contents(shape, members))

    def contents(self, shape: Shape, members: Mapping[str, Any]) -> Content:
        """The JSON object before it is encoded."""
        return self._serializers.structure(shape)(members)


class CborBody:
    """CBOR maps."""

    content_type = "application/cbor"

    def __init__(self) -> None:
        self._parsers = Parsers(cbor_codec.CborReader())
        self._serializers = Serializers(cbor_codec.CborWriter())

    def read(self, shape: Shape, content: bytes) -> Any:
        """The value of a CBOR body."""
        return self._parsers.of(shape)(cbor_codec.decode(content))

    def write(self, shape: Shape, members: Mapping[str, Any], _: str) -> bytes:
        """A CBOR map; it has no name."""
        return cbor_codec.encode(self.contents(shape, members))

    def contents(self, shape: Shape, members: Mapping[str, Any]) -> Content:
        """The CBOR map before it is encoded."""
        return self._serializers.structure(shape)(members)


class XmlBody:
    """XML elements, the outermost in the service's namespace."""

    content_type = "text/xml"

    def __init__(self, namespace: str | None) -> None:
        self._namespace = f' xmlns="{namespace}"' if namespace else ""
        self._parsers = Parsers(xml_codec.XmlReader())
        self._serializers = Serializers(xml_codec.XmlWriter())

    def read(self, shape: Shape, content: bytes) -> Any:
        """The value of an XML body; nothing at all is an empty element."""
        return self._parsers.of(shape)(xml_codec.decode(content or b"<Empty/>"))

    def write(self, shape: Shape, members: Mapping[str, Any], root: str) -> bytes:
        """A document whose root has the members."""
        return self.document(root, self.contents(shape, members))

    def contents(self, shape: Shape, members: Mapping[str, Any]) -> Content:
        """The members as elements."""
        return self._serializers.structure(shape)(members)

    def document(self, root: str, content: Content) -> bytes:
        """A document of ready content."""
        return f"{xml_codec.PROLOGUE}<{root}{self._namespace}>{content}</{root}>".encode()
