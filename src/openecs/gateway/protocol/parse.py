"""The walk from the wire to Python: a parser for every shape, made once and kept.

What a node of the wire is, and how one looks into it, only the ``Reader`` of the notation knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from openecs.gateway.protocol.shape import Shape

Node = Any
Parse = Callable[[Node], Any]


class Reader(Protocol):
    """One notation (JSON, CBOR, form, XML) as the walk sees it.

    Every method is called once for a shape; what it returns is called for every node. Those raise
    ``Refused`` where a node is not what the shape says.
    """

    def name(self, member: Shape, default: str, /) -> str:
        """What the member ``default`` of a structure is called on the wire."""
        ...

    def members(self, node: Node, /) -> Iterable[tuple[str, Node]]:
        """The wire names and nodes of a structure, None for null."""
        ...

    def items(self, shape: Shape, /) -> Callable[[Node], Iterable[Node] | None]:
        """How the items of a list are found; None where the list is not really there."""
        ...

    def entries(self, shape: Shape, /) -> Callable[[Node], Iterable[tuple[Node, Node]]]:
        """How the keys and values of a map are found."""
        ...

    def scalar(self, shape: Shape, /) -> Parse:
        """How a string, number, boolean, timestamp or blob is read."""
        ...

    def document(self, node: Node, /) -> Any:
        """The value of a free-form document."""
        ...


class Parsers:
    """The parsers of one service's shapes in one notation."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._structures: dict[str, _StructureParser] = {}

    def of(self, shape: Shape) -> Parse:
        """What turns a node of ``shape`` into its value: members not given or null are left out."""
        match shape.type_name:
            case "structure" if shape.is_document_type:
                return self._reader.document
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case _:
                return self._reader.scalar(shape)

    def _structure(self, shape: Shape) -> Parse:
        if shape.name not in self._structures:
            self._structures[shape.name] = _StructureParser(self, self._reader, shape)
        return self._structures[shape.name]

    def _list(self, shape: Shape) -> Parse:
        items, parse = self._reader.items(shape), self.of(shape.member)

        def parse_list(node: Node) -> list[Any] | None:
            found = items(node)
            if found is None:
                return None
            return [None if item is None else parse(item) for item in found]

        return parse_list

    def _map(self, shape: Shape) -> Parse:
        entries = self._reader.entries(shape)
        key, value = self.of(shape.key), self.of(shape.value)
        return lambda node: {
            key(name): None if item is None else value(item) for name, item in entries(node)
        }


class _StructureParser:
    """Looks at its members when first used, so that shapes may contain themselves."""

    def __init__(self, parsers: Parsers, reader: Reader, shape: Shape) -> None:
        self._parsers = parsers
        self._reader = reader
        self._shape = shape
        self._plan: dict[str, tuple[str, Parse]] | None = None

    def __call__(self, node: Node) -> dict[str, Any]:
        plan = self._compiled() if self._plan is None else self._plan
        parsed = {}
        for wire_name, child in self._reader.members(node):
            if child is not None and wire_name in plan:
                name, parse = plan[wire_name]
                value = parse(child)
                if value is not None:
                    parsed[name] = value
        return parsed

    def _compiled(self) -> dict[str, tuple[str, Parse]]:
        self._plan = {
            self._reader.name(member, name): (name, self._parsers.of(member))
            for name, member in self._shape.members.items()
            if "location" not in member.serialization
        }
        return self._plan
