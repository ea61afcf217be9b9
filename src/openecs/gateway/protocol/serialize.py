"""The walk from Python to the wire: a serializer for every shape, made once and kept.

What content looks like, and how it is put together, only the ``Writer`` of the notation knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from openecs.gateway.protocol.shape import Shape

Content = Any
Serialize = Callable[[Any], Content]


class Writer(Protocol):
    """One notation (JSON, CBOR, XML) as the walk sees it."""

    def name(self, member: Shape, default: str, /) -> str:
        """What the member ``default`` of a structure is called on the wire."""
        ...

    def structure(self, members: list[tuple[str, Content]], /) -> Content:
        """A structure of named contents."""
        ...

    def items(self, shape: Shape, /) -> Callable[[list[Content]], Content]:
        """How a list is put together."""
        ...

    def entries(self, shape: Shape, /) -> Callable[[list[tuple[Content, Content]]], Content]:
        """How a map is put together."""
        ...

    def scalar(self, shape: Shape, /) -> Serialize | None:
        """How a string, number, boolean, timestamp or blob is written; None: as it is."""
        ...


class UnknownMember(Exception):
    """A response has a member its model does not know: a bug of the operation."""


class Serializers:
    """The serializers of one service's shapes in one notation."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._structures: dict[str, _StructureSerializer] = {}

    def of(self, shape: Shape) -> Serialize | None:
        """What turns a value of ``shape`` into content; None where the value is its content.

        Members that are None are left out; one the model does not know raises ``UnknownMember``.
        """
        match shape.type_name:
            case "structure" if shape.is_document_type:
                return None
            case "structure":
                return self.structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case _:
                return self._writer.scalar(shape)

    def structure(self, shape: Shape) -> Serialize:
        """What turns the members of a structure into content."""
        if shape.name not in self._structures:
            self._structures[shape.name] = _StructureSerializer(self, self._writer, shape)
        return self._structures[shape.name]

    def _list(self, shape: Shape) -> Serialize:
        join, serialize = self._writer.items(shape), self.of(shape.member)
        if serialize is None:
            return lambda items: join(list(items))
        return lambda items: join([serialize(item) for item in items])

    def _map(self, shape: Shape) -> Serialize:
        join = self._writer.entries(shape)
        key, value = self.of(shape.key) or _as_is, self.of(shape.value) or _as_is
        return lambda entries: join([(key(name), value(item)) for name, item in entries.items()])


class _StructureSerializer:
    """Looks at its members when first used, so that shapes may contain themselves."""

    def __init__(self, serializers: Serializers, writer: Writer, shape: Shape) -> None:
        self._serializers = serializers
        self._writer = writer
        self._shape = shape
        self._plan: dict[str, tuple[str, Serialize | None]] | None = None

    def __call__(self, members: Mapping[str, Any]) -> Content:
        plan = self._compiled() if self._plan is None else self._plan
        contents = []
        for name, value in members.items():
            if name not in plan:
                raise UnknownMember(f"{self._shape.name} has no member {name}")
            if value is not None:
                wire_name, serialize = plan[name]
                contents.append((wire_name, value if serialize is None else serialize(value)))
        return self._writer.structure(contents)

    def _compiled(self) -> dict[str, tuple[str, Serialize | None]]:
        self._plan = {
            name: (self._writer.name(member, name), self._serializers.of(member))
            for name, member in self._shape.members.items()
            if "location" not in member.serialization
        }
        return self._plan


def _as_is(value: Any) -> Content:
    return value
