"""Form parameters, for the query and ec2 protocols: ``Tags.member.1.Key=a``.

A node is the text of a parameter, or a dictionary of what comes behind the next dot of its name.
Empty structures and maps are not written at all, empty lists as ``Names=`` or not at all; both are
as good as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openecs.gateway.protocol import scalars
from openecs.gateway.protocol.parse import Node, Parse
from openecs.gateway.protocol.shape import Shape
from openecs.gateway.refusal import malformed


def decode(form: Mapping[str, str]) -> Node:
    """The parameters as a tree. Raises ``Refused`` where a name is both a value and more."""
    tree: dict[str, Node] = {}
    for name, text in form.items():
        *parents, last = name.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
            if not isinstance(branch, dict):
                raise malformed(f"{name} is both a value and a structure")
        if isinstance(branch.get(last), dict):
            raise malformed(f"{name} is both a value and a structure")
        branch[last] = text
    return tree


class FormReader:
    """Reads the query protocol.

    https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
    """

    def name(self, member: Shape, default: str) -> str:
        """Members have their location name; a flattened list that of its items, where given."""
        name = member.serialization.get("name", default)
        if member.type_name == "list" and member.serialization.get("flattened"):
            name = member.member.serialization.get("name", name)
        return str(name)

    def members(self, node: Node) -> Iterable[tuple[str, Node]]:
        """Structures go on behind a dot."""
        if node == "":
            return ()
        if not isinstance(node, dict):
            raise malformed("Unexpected field type")
        return node.items()

    def items(self, shape: Shape) -> Callable[[Node], Iterable[Node] | None]:
        """Items are numbered, behind ``member`` unless flattened."""
        if shape.serialization.get("flattened"):
            return _listed
        name = shape.member.serialization.get("name", "member")
        return lambda node: _listed(_below(node, name))

    def entries(self, shape: Shape) -> Callable[[Node], Iterable[tuple[Node, Node]]]:
        """Entries are numbered, behind ``entry`` unless flattened."""
        key = shape.key.serialization.get("name", "key")
        value = shape.value.serialization.get("name", "value")
        flattened = shape.serialization.get("flattened")

        def entries(node: Node) -> Iterable[tuple[Node, Node]]:
            for entry in _numbered(node if flattened else _below(node, "entry")):
                if not isinstance(entry, dict) or key not in entry:
                    raise malformed("Start of structure or map found where not expected.")
                yield entry[key], entry.get(value)

        return entries

    def scalar(self, shape: Shape) -> Parse:
        """Timestamps are ISO 8601; blobs are base64."""
        read = scalars.text_reader(shape, "iso8601")

        def scalar(node: Node) -> Any:
            if not isinstance(node, str):
                raise malformed("Start of structure or map found where not expected.")
            return read(node)

        return scalar

    def document(self, _: Node) -> Any:
        """There is no form for free-form documents."""
        raise malformed("Unexpected field type")


class Ec2FormReader(FormReader):
    """Reads the ec2 protocol: capitalised names, and every list flattened.

    https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html
    """

    def name(self, member: Shape, default: str) -> str:
        """Members have their query name, or else their location name with a capital."""
        name = str(member.serialization.get("name", default))
        return str(member.serialization.get("queryName", name[:1].upper() + name[1:]))

    def items(self, _: Shape) -> Callable[[Node], Iterable[Node] | None]:
        """Items are numbered."""
        return _listed


def _below(node: Node, name: str) -> Node:
    if isinstance(node, dict):
        return node.get(name, "")
    return node


def _listed(node: Node) -> Iterable[Node] | None:
    return None if node == "" else _numbered(node)


def _numbered(node: Node) -> Iterable[Node]:
    """What comes behind 1, 2, 3 ... in that order, whatever order it was sent in."""
    if node == "":
        return []
    if not isinstance(node, dict) or not all(key.isascii() and key.isdecimal() for key in node):
        raise malformed("Start of list found where not expected")
    return [node[key] for key in sorted(node, key=lambda key: (len(key), key))]
