"""What a model demands of a request's values: a check for every shape, made once and kept.

Required members, enums, lengths, ranges and patterns. Types are no matter here, the parser has seen
to those. The words in which a service complains are in ``complaints``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, TypeAlias

from openecs.gateway.protocol.patterns import pattern
from openecs.gateway.protocol.shape import Shape

#: Longer values are not matched against patterns: some of those take time that grows fast.
_LONGEST_MATCHED = 8192


class Demand(Enum):
    """What a value did not satisfy."""

    PRESENT = auto()
    KNOWN = auto()
    LONG_ENOUGH = auto()
    SHORT_ENOUGH = auto()
    LARGE_ENOUGH = auto()
    SMALL_ENOUGH = auto()
    MATCHING = auto()
    OF_ITEMS = auto()
    OF_KEYS = auto()
    OF_VALUES = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A value that is not what its shape demands.

    ``path`` leads to it by members as the model spells them; list indexes start at 1. ``owner`` is
    the name of the structure it is a member of, empty for the input itself; ``shape`` its own. The
    limit is what ``demand`` is about: a number, a pattern, the known values; where it is about the
    scalars in a list or map, the complaints about those.
    """

    path: tuple[str, ...]
    owner: str
    shape: str
    value: Any
    demand: Demand
    limit: Any = None
    sensitive: bool = False


#: The place around, the name or number in it, and the structure it is a member of. Requests have
#: many of them and complaints are few: paths are only made for those.
_Place: TypeAlias = "tuple[_Place | None, str | int, str]"


#: The input itself.
_TOP: _Place = (None, "", "")


def _path(place: _Place) -> tuple[str, ...]:
    around, name, _ = place
    if around is None:
        return ()
    return (*_path(around), f"{name}.member" if isinstance(name, int) else name)


_Check = Callable[[Any, _Place, list[Complaint]], None]


class Validator:
    """The checks of one service's shapes."""

    def __init__(self) -> None:
        self._structures: dict[str, _StructureCheck] = {}

    def complaints(self, shape: Shape, members: Mapping[str, Any]) -> list[Complaint]:
        """All that is wrong with an operation's input, in the order of the model's members."""
        found: list[Complaint] = []
        self._structure(shape)(members, _TOP, found)
        return found

    def of(self, shape: Shape) -> _Check | None:
        """The check of a shape; None where it demands nothing."""
        match shape.type_name:
            case "structure" if shape.is_document_type:
                return None
            case "structure":
                return self._structure(shape)
            case "list":
                return self._list(shape)
            case "map":
                return self._map(shape)
            case _:
                return _scalar(shape)

    def _structure(self, shape: Shape) -> _StructureCheck:
        if shape.name not in self._structures:
            self._structures[shape.name] = _StructureCheck(self, shape)
        return self._structures[shape.name]

    def _list(self, shape: Shape) -> _Check:
        of_size, of_item = _size(shape), self.of(shape.member)
        scalars = _of_scalars(of_item, Demand.OF_ITEMS) if _is_scalar(shape.member) else None

        def check(value: Any, place: _Place, found: list[Complaint]) -> None:
            if of_size:
                of_size(value, place, found)
            for number, item in enumerate(value, 1):
                if item is None:
                    found.append(_absent((place, number, place[2]), shape.member.name))
                elif of_item and not scalars:
                    of_item(item, (place, number, place[2]), found)
            if scalars:
                scalars(value, value, place, found)

        return check

    def _map(self, shape: Shape) -> _Check:
        of_size, of_value = _size(shape), self.of(shape.value)
        keys = _of_scalars(self.of(shape.key), Demand.OF_KEYS)
        scalars = _of_scalars(of_value, Demand.OF_VALUES) if _is_scalar(shape.value) else None

        def check(value: Any, place: _Place, found: list[Complaint]) -> None:
            if of_size:
                of_size(value, place, found)
            if keys:
                keys(value, value, place, found)
            for key, item in value.items():
                if item is None:
                    found.append(_absent((place, f"{key}.member", place[2]), shape.value.name))
                elif of_value and not scalars:
                    of_value(item, (place, f"{key}.member", place[2]), found)
            if scalars:
                scalars(value.values(), value, place, found)

        return check


class _StructureCheck:
    """Looks at its members when first used, so that shapes may contain themselves."""

    def __init__(self, validator: Validator, shape: Shape) -> None:
        self._validator = validator
        self._shape = shape
        self._plan: tuple[tuple[str, str, bool, _Check | None], ...] | None = None

    def __call__(self, members: Any, place: _Place, found: list[Complaint]) -> None:
        owner = "" if place is _TOP else self._shape.name
        plan = self._compiled() if self._plan is None else self._plan
        for name, shape, required, check in plan:
            value = members.get(name)
            if value is None:
                if required:
                    found.append(_absent((place, name, owner), shape))
            elif check is not None:
                check(value, (place, name, owner), found)

    def _compiled(self) -> tuple[tuple[str, str, bool, _Check | None], ...]:
        required = set(self._shape.required_members)
        checks = (
            (name, member.name, name in required, self._validator.of(member))
            for name, member in self._shape.members.items()
        )
        self._plan = tuple(entry for entry in checks if entry[2] or entry[3])
        return self._plan


def _is_scalar(shape: Shape) -> bool:
    return shape.type_name not in {"structure", "list", "map"}


def _of_scalars(
    check: _Check | None, demand: Demand
) -> Callable[[Iterable[Any], Any, _Place, list[Complaint]], None] | None:
    """One complaint about all scalars in a list or map, as AWS makes it."""
    if check is None:
        return None

    def each(values: Iterable[Any], whole: Any, place: _Place, found: list[Complaint]) -> None:
        inner: list[Complaint] = []
        for value in values:
            if value is not None:
                check(value, place, inner)
        if inner:
            distinct = {complaint.demand: complaint for complaint in inner}
            found.append(
                replace(inner[0], value=whole, demand=demand, limit=tuple(distinct.values()))
            )

    return each


#: What an engine of one's own can do beyond Amazon's models: log drivers of Docker's.
_MORE_KNOWN: Mapping[str, Sequence[str]] = {"LogDriver": ("local", "none")}


def _scalar(shape: Shape) -> _Check | None:
    possible = (_enum(shape), _range(shape), _size(shape), _pattern(shape))
    checks = [check for check in possible if check]
    return _all(checks) if checks else None


def _all(checks: Sequence[_Check]) -> _Check:
    if len(checks) == 1:
        return checks[0]

    def check(value: Any, place: _Place, found: list[Complaint]) -> None:
        for one in checks:
            one(value, place, found)

    return check


def _enum(shape: Shape) -> _Check | None:
    known = [*getattr(shape, "enum", ()), *_MORE_KNOWN.get(shape.name, ())]
    return _test(shape, Demand.KNOWN, known, frozenset(known).__contains__) if known else None


def _range(shape: Shape) -> _Check | None:
    if shape.type_name not in {"integer", "long", "float", "double"}:
        return None
    least: Any = shape.metadata.get("min")
    most: Any = shape.metadata.get("max")
    return _between(
        None if least is None else _test(shape, Demand.LARGE_ENOUGH, least, lambda n: n >= least),
        None if most is None else _test(shape, Demand.SMALL_ENOUGH, most, lambda n: n <= most),
        lambda n: least <= n <= most,
    )


def _size(shape: Shape) -> _Check | None:
    if shape.type_name not in {"string", "blob", "list", "map"}:
        return None
    least: Any = shape.metadata.get("min")
    most: Any = shape.metadata.get("max")
    return _between(
        _test(shape, Demand.LONG_ENOUGH, least, lambda v: len(v) >= least) if least else None,
        None if most is None else _test(shape, Demand.SHORT_ENOUGH, most, lambda v: len(v) <= most),
        lambda v: least <= len(v) <= most,
    )


def _between(low: _Check | None, high: _Check | None, both: Callable[[Any], bool]) -> _Check | None:
    """The checks that there are; where there are two, most values are done with in one test."""
    if low is None or high is None:
        return low or high

    def check(value: Any, place: _Place, found: list[Complaint]) -> None:
        if not both(value):
            low(value, place, found)
            high(value, place, found)

    return check


def _pattern(shape: Shape) -> _Check | None:
    java = shape.metadata.get("pattern")
    compiled = None if java is None else pattern(java)
    if compiled is None:
        return None
    return _test(
        shape,
        Demand.MATCHING,
        java,
        lambda text: len(text) > _LONGEST_MATCHED or compiled.fullmatch(text) is not None,
    )


def _test(shape: Shape, demand: Demand, limit: Any, holds: Callable[[Any], bool]) -> _Check:
    sensitive = bool(shape.metadata.get("sensitive"))

    def check(value: Any, place: _Place, found: list[Complaint]) -> None:
        if not holds(value):
            found.append(
                Complaint(
                    path=_path(place),
                    owner=place[2],
                    shape=shape.name,
                    value=value,
                    demand=demand,
                    limit=limit,
                    sensitive=sensitive,
                )
            )

    return check


def _absent(place: _Place, shape: str) -> Complaint:
    return Complaint(
        path=_path(place), owner=place[2], shape=shape, value=None, demand=Demand.PRESENT
    )
