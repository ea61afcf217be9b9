"""Between members as AWS spells them and the frozen values of the model.

A field's wire name is its own name in camel case, but for a few. What a class looks like is found
out once, from its field types: scalars, enums, other dataclasses, tuples and dicts of those. What
AWS shows otherwise than it is stored (sizes as strings, ARNs) is the business of each operation.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

from openecs.api.base import Members

T = TypeVar("T")
Convert = Callable[[Any], Any]

#: Wire names that are not the field's name in camel case.
_IRREGULAR = {
    "bind_ip": "bindIP",
    "delete_requested_at": "deleteRequestedAt",
    "size_in_gib": "sizeInGiB",
}


class MissingMember(ValueError):
    """A member that the value cannot be without is not there; ``type`` is the model's class."""

    def __init__(self, type_: type[Any], member: str) -> None:
        super().__init__(f"{type_.__name__} needs {member}")
        self.type = type_
        self.member = member


def from_members(cls: type[T], members: Members) -> T:
    """The value that ``members`` describe; what is not given takes the field's default.

    Members the class has no field for are passed over. Raises ``MissingMember``, and
    ``ValueError`` for a word an enum does not know.
    """
    shape = _shape(cls)
    for name in shape.required:
        if members.get(name) is None:
            raise MissingMember(cls, name)
    given: dict[str, Any] = {}
    for wire, value in members.items():
        reader = shape.readers.get(wire)
        if reader is not None and value is not None:
            name, read = reader
            given[name] = value if read is None else read(value)
    return cls(**given)


def to_members(value: object, always: Iterable[str] = ()) -> dict[str, Any]:
    """The members of a value: those not None, and no empty tuple that might be left out.

    ``always`` names members that are shown as an empty list where the value has none.
    """
    members: dict[str, Any] = {name: [] for name in always}
    for name, wire, required, write in _shape(type(value)).writers:
        item = getattr(value, name)
        if item is None or (not item and item == () and not required):
            continue
        members[wire] = item if write is None else write(item)
    return members


def wire_name(field: str) -> str:
    """How AWS spells a field: ``port_mappings`` is ``portMappings``."""
    if field in _IRREGULAR:
        return _IRREGULAR[field]
    first, *rest = field.split("_")
    return first + "".join(word[0].upper() + word[1:] for word in rest)


class _Shape(NamedTuple):
    """What a class looks like; a conversion is None where a value is the same on both sides."""

    #: Wire names of the fields that have no default.
    required: tuple[str, ...]
    #: By wire name, the field's own and how its value is read.
    readers: Mapping[str, tuple[str, Convert | None]]
    #: The field's own name, its wire name, whether it is required, and how its value is written.
    writers: tuple[tuple[str, str, bool, Convert | None], ...]


def _compile(cls: type[Any]) -> _Shape:
    hints = get_type_hints(cls)
    required = []
    readers = {}
    writers = []
    for entry in fields(cls):
        wire, needed = wire_name(entry.name), _is_required(entry)
        read, write = _converters(hints[entry.name])
        readers[wire] = (entry.name, read)
        writers.append((entry.name, wire, needed, write))
        if needed:
            required.append(wire)
    return _Shape(tuple(required), readers, tuple(writers))


def _is_required(entry: Field[Any]) -> bool:
    return entry.default is MISSING and entry.default_factory is MISSING


#: The annotation keeps the argument from having to be ``Hashable``, which types are not to mypy.
_shape: Callable[[Any], _Shape] = cache(_compile)


def _converters(hint: Any) -> tuple[Convert | None, Convert | None]:
    hint = _without_none(hint)
    origin = get_origin(hint)
    if origin is tuple:
        return _of_tuple(*_converters(get_args(hint)[0]))
    if origin is dict or origin is Mapping:
        return dict, dict
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint, str
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda members: from_members(hint, members), to_members
    return None, None


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in {Union, types.UnionType}:
        return next(arm for arm in get_args(hint) if arm is not type(None))
    return hint


def _of_tuple(read: Convert | None, write: Convert | None) -> tuple[Convert, Convert]:
    return (
        tuple if read is None else lambda items: tuple(map(read, items)),
        list if write is None else lambda items: list(map(write, items)),
    )
