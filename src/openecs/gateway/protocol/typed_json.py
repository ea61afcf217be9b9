"""Large JSON bodies, read and checked in one go.

Of a shape a type is made that msgspec decodes straight into members. It takes a part of what the
walks of ``parse`` and ``validate`` take, to the same result, many times as fast; whatever it does
not take goes their way, and so hears what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, Required, TypedDict

import msgspec
from msgspec import Meta

from openecs.gateway.protocol import scalars
from openecs.gateway.protocol.patterns import pattern
from openecs.gateway.protocol.shape import Shape
from openecs.gateway.refusal import Refused

#: Bytes below which there is little to gain.
LARGE = 8_192


class CheckedMembers(dict[str, Any]):
    """Members of an input that are known to be all that its model demands."""


#: What no value is: members of shapes that are left to the walks.
_NEVER = Annotated[str, Meta(min_length=1, max_length=0)]

_Fix = Callable[[Any], None]


class TypedReader:
    """Reads large bodies of the shapes that it can make a type of."""

    def __init__(self) -> None:
        self._readers: dict[str, Callable[[bytes], CheckedMembers]] = {}

    def read(self, shape: Shape, content: bytes) -> CheckedMembers | None:
        """The members of an input; None where the walks must see it."""
        if len(content) < LARGE:
            return None
        if shape.name not in self._readers:
            self._readers[shape.name] = _reader(shape)
        try:
            return self._readers[shape.name](content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Refused):
            return None


def _reader(shape: Shape) -> Callable[[bytes], CheckedMembers]:
    decode = msgspec.json.Decoder(_type(shape, ())).decode
    fix = _fix(shape, ())

    def read(content: bytes) -> CheckedMembers:
        members = decode(content)
        if fix:
            fix(members)
        return CheckedMembers(members)

    return read


def _type(shape: Shape, around: tuple[str, ...]) -> Any:
    match shape.type_name:
        case "structure" if not shape.is_document_type and shape.name not in around:
            return _structure(shape, (*around, shape.name))
        case "list" if shape.member.type_name != "timestamp":
            return _sized(list[_type(shape.member, around)], shape)  # type: ignore[misc]
        case "string":
            return _text(shape)
        case "integer" | "long" as kind:
            most = 2**31 if kind == "integer" else 2**63
            return _ranged(int, shape, -most, most - 1)
        case "float" | "double":
            return _ranged(float, shape, None, None)
        case "boolean":
            return bool
        case "timestamp" if scalars.timestamp_format(shape, "unixtimestamp") == "unixtimestamp":
            return float
        case _:
            return _NEVER


def _structure(shape: Shape, around: tuple[str, ...]) -> Any:
    required = set(shape.required_members)
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        sent = str(member.serialization.get("name", name))
        of_member = _type(member, around) if sent == name else _NEVER
        members[sent] = Required[of_member] if name in required else NotRequired[of_member]
    return TypedDict(shape.name, members)  # type: ignore[operator]


def _text(shape: Shape) -> Any:
    if known := getattr(shape, "enum", ()):
        return Literal[tuple(known)]
    java = shape.metadata.get("pattern")
    compiled = None if java is None else pattern(java)
    if compiled is None:
        return _sized(str, shape)
    flags = "(?a)" if compiled.flags & re.ASCII else ""
    whole = rf"{flags}\A(?:{compiled.pattern})\Z"
    return _sized(Annotated[str, Meta(pattern=whole)], shape)


def _sized(type_: Any, shape: Shape) -> Any:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    return Annotated[type_, Meta(min_length=least, max_length=most)] if least or most else type_


def _ranged(type_: Any, shape: Shape, least: float | None, most: float | None) -> Any:
    least, most = shape.metadata.get("min", least), shape.metadata.get("max", most)
    if least is None and most is None:
        return type_
    return Annotated[type_, Meta(ge=least, le=most)]


def _fix(shape: Shape, around: tuple[str, ...]) -> _Fix | None:
    """What makes timestamps of the numbers that are decoded; None where there are none."""
    match shape.type_name:
        case "list":
            return _fix_items(_fix(shape.member, around))
        case "structure" if shape.name not in around:
            return _fix_members(shape, (*around, shape.name))
        case _:
            return None


def _fix_items(fix: _Fix | None) -> _Fix | None:
    if fix is None:
        return None

    def fix_items(items: list[Any]) -> None:
        for item in items:
            fix(item)

    return fix_items


def _fix_members(shape: Shape, around: tuple[str, ...]) -> _Fix | None:
    read = scalars.timestamp_reader("unixtimestamp")
    moments = [name for name, each in shape.members.items() if each.type_name == "timestamp"]
    inner = {
        name: fix for name, each in shape.members.items() if (fix := _fix(each, around)) is not None
    }

    def fix_members(members: dict[str, Any]) -> None:
        for name in moments:
            if name in members:
                members[name] = read(members[name])
        for name, fix in inner.items():
            if name in members:
                fix(members[name])

    return fix_members if moments or inner else None
