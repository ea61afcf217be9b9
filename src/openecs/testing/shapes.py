"""Values for a botocore shape, as hypothesis strategies: what a client might send, or a server.

``Notation`` says what a protocol can express, since nothing else can be expected back: forms have
nothing that is empty, XML has no control characters, HTTP dates have no fractions of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 4_102_444_800_000
_DEEPEST = 3
_MOST_OPTIONAL = 4
_WORD = st.text("abcXYZ019-", min_size=1, max_size=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """What can be expressed: characters for text, and whether anything may be empty."""

    characters: st.SearchStrategy[str]
    empty: bool = True


JSON = Notation(characters=st.characters(exclude_categories=["Cs"]))
FORM = Notation(characters=JSON.characters, empty=False)
XML = Notation(
    characters=st.characters(
        exclude_categories=["Cs", "Cc"],
        include_characters="\t\n",
        exclude_characters="\ufffe\uffff",
    )
)


@st.composite
def members(draw: st.DrawFn, shape: Any, notation: Notation) -> dict[str, Any]:
    """Members of an operation's input or output: all required ones and some of the others.

    Those that REST puts elsewhere than into the body have values that fit there.
    """
    payload = shape.serialization.get("payload")
    given = {}
    for name in _chosen(draw, shape, notation, 0):
        member = shape.members[name]
        if "location" in member.serialization:
            given[name] = _outside(draw, member)
        elif name == payload and member.type_name in {"blob", "string"}:
            text = draw(_WORD)
            given[name] = text if member.type_name == "string" else text.encode()
        else:
            given[name] = _value(draw, member, notation, 1)
    return given


def _value(draw: st.DrawFn, shape: Any, notation: Notation, depth: int) -> Any:
    match shape.type_name:
        case "structure" if shape.is_document_type:
            return {"free": draw(st.text(notation.characters, max_size=8)), "form": [1, None]}
        case "structure":
            return {
                name: _value(draw, shape.members[name], notation, depth + 1)
                for name in _chosen(draw, shape, notation, depth)
            }
        case "list":
            count = draw(_count(shape, notation, depth))
            return [_value(draw, shape.member, notation, depth + 1) for _ in range(count)]
        case "map":
            count = draw(_count(shape, notation, depth))
            keys = draw(st.lists(_scalar(shape.key, notation), unique=True, max_size=count))
            keys = keys or [draw(_scalar(shape.key, notation))] * count
            return {key: _value(draw, shape.value, notation, depth + 1) for key in keys}
        case _:
            return draw(_scalar(shape, notation))


def _chosen(draw: st.DrawFn, shape: Any, notation: Notation, depth: int) -> list[str]:
    """The members to give values to."""
    possible = [name for name in shape.members if _is_possible(shape, name, notation, depth)]
    if shape.is_tagged_union:
        return [draw(st.sampled_from(possible))]
    required = [name for name in possible if name in shape.required_members]
    optional = [name for name in possible if name not in shape.required_members]
    least = 0 if notation.empty or required or not optional else 1
    if depth >= _DEEPEST:
        simple = [name for name in optional if not _is_compound(shape.members[name])]
        return required + (simple or optional)[:least]
    chosen = st.lists(st.sampled_from(optional or [""]), unique=True, min_size=least)
    return required + (draw(chosen)[:_MOST_OPTIONAL] if optional else [])


def _is_possible(shape: Any, name: str, notation: Notation, depth: int) -> bool:
    member = shape.members[name]
    if member.serialization.get("eventstream") or (depth and "location" in member.serialization):
        return False
    return notation.empty or _is_ever_full(member)


def _is_compound(shape: Any) -> bool:
    return shape.type_name in {"structure", "list", "map"}


def _is_ever_full(shape: Any) -> bool:
    """Whether values of the shape can be anything but empty."""
    match shape.type_name:
        case "structure":
            return bool(shape.members)
        case "list":
            return _is_ever_full(shape.member)
        case _:
            return True


def _count(shape: Any, notation: Notation, depth: int) -> st.SearchStrategy[int]:
    least = 0 if notation.empty and not shape.serialization.get("flattened") else 1
    return st.integers(least, 2 if depth < _DEEPEST else least)


def _scalar(shape: Any, notation: Notation) -> st.SearchStrategy[Any]:
    match shape.type_name:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-(2**31), 2**31 - 1)
        case "long":
            return st.integers(-(2**63), 2**63 - 1)
        case "float":
            return st.floats(allow_nan=False, allow_infinity=False, width=32)
        case "double":
            return st.floats(allow_nan=False, allow_infinity=False)
        case "timestamp":
            return _timestamps(whole=shape.serialization.get("timestampFormat") == "rfc822")
        case "blob":
            return st.binary(max_size=8)
        case _:
            return _text(shape, st.text(notation.characters, max_size=8))


def _text(shape: Any, free: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    known = getattr(shape, "enum", None)
    return st.sampled_from(known) if known else free


def _timestamps(*, whole: bool) -> st.SearchStrategy[datetime]:
    unit = 1000 if whole else 1
    return st.integers(0, _MILLISECONDS // unit).map(
        lambda count: _EPOCH + timedelta(milliseconds=count * unit)
    )


def _outside(draw: st.DrawFn, shape: Any) -> Any:
    """A value for the path, the query string, a header or the status."""
    match shape.type_name, shape.serialization["location"]:
        case "list", _:
            item = _text(shape.member, _WORD)
            return draw(st.lists(item, min_size=1, max_size=2))
        case "map", _:
            return draw(st.dictionaries(_WORD.map(str.lower), _WORD, min_size=1, max_size=2))
        case "integer", "statusCode":
            return draw(st.sampled_from([200, 201, 206]))
        case "timestamp", _:
            return draw(_timestamps(whole=True))
        case "string", "uri":
            return draw(_text(shape, st.text("abX9 /%+~é.:-_", min_size=1, max_size=8)))
        case "string", "querystring":
            return draw(_text(shape, st.text(JSON.characters, min_size=1, max_size=8)))
        case "string", _:
            return draw(_text(shape, _WORD))
        case _:
            return draw(_scalar(shape, JSON))
