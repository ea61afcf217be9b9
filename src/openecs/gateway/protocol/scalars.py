"""Scalars as text, and as the values of JSON: what forms, XML, HTTP headers and JSON share.

Timestamps are aware datetimes in UTC; what is written has whole milliseconds, as AWS has. Formats:
Smithy, "Timestamp formats" (https://smithy.io/2.0/aws/protocols/).
"""

from __future__ import annotations

import binascii
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from openecs.gateway.protocol.shape import Shape
from openecs.gateway.refusal import malformed

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_BITS = {"integer": 31, "long": 63}
_JAVA_NAMES = {"boolean": "Boolean", "integer": "Integer", "long": "Long", "float": "Float"}
#: Numbers that JSON and XML have no digits for.
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def text_reader(shape: Shape, timestamps: str) -> Callable[[str], Any]:
    """How a scalar is read from text; ``timestamps`` is their format where the shape has none."""
    match shape.type_name:
        case "boolean":
            return _boolean
        case "integer" | "long" as kind:
            return lambda text: _bounded(_whole(text), kind)
        case "float" | "double":
            return _number
        case "timestamp":
            return timestamp_reader(timestamp_format(shape, timestamps))
        case "blob":
            return blob
        case _:
            return str


def text_writer(shape: Shape, timestamps: str) -> Callable[[Any], str]:
    """How a scalar is written as text; ``timestamps`` as in ``text_reader``."""
    match shape.type_name:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "float" | "double":
            return lambda value: str(written_number(value))
        case "timestamp":
            write = timestamp_writer(timestamp_format(shape, timestamps))
            return lambda value: str(write(value))
        case "blob":
            return written_blob
        case _:
            return str


def timestamp_format(shape: Shape, default: str) -> str:
    """``iso8601``, ``rfc822`` or ``unixtimestamp``: the shape's, or else the default."""
    return str(shape.serialization.get("timestampFormat", default)).lower()


def timestamp_reader(format_: str) -> Callable[[Any], datetime]:
    """How a timestamp is read. Raises ``Refused`` where it is none, or one of no known year."""
    read = {"iso8601": _iso, "rfc822": _http_date, "unixtimestamp": _epoch}[format_]

    def timestamp(node: Any) -> datetime:
        try:
            return read(node)
        except (ValueError, OverflowError, TypeError):
            raise malformed(f"Invalid timestamp '{node}'") from None

    return timestamp


def timestamp_writer(format_: str) -> Callable[[datetime], str | float]:
    """How a timestamp is written."""
    writers: dict[str, Callable[[datetime], str | float]] = {
        "iso8601": _written_iso,
        "rfc822": _written_http_date,
        "unixtimestamp": epoch,
    }
    return writers[format_]


def epoch(value: datetime) -> float:
    """Seconds since 1970, whole where they are whole, else with milliseconds."""
    if value.microsecond < 1000:
        return math.floor(value.timestamp())
    return (value - _EPOCH) // timedelta(milliseconds=1) / 1000


def blob(text: str) -> bytes:
    """The bytes behind base64. Raises ``Refused`` where it is not."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise malformed("Invalid base64 in a blob") from None


def written_blob(value: bytes) -> str:
    """Bytes in base64."""
    return b64encode(value).decode()


def whole_number(kind: str) -> Callable[[Any], int]:
    """How JSON and CBOR have an ``integer`` or ``long``: fractions are cut off, as AWS does."""

    def read(node: Any) -> int:
        if type(node) is int or (type(node) is float and math.isfinite(node)):
            return _bounded(int(node), kind)
        raise not_convertible(node, kind)

    return read


def number(kind: str) -> Callable[[Any], float]:
    """How JSON and CBOR have a ``float`` or ``double``."""

    def read(node: Any) -> float:
        if type(node) in {int, float}:
            return _float(node)
        if isinstance(node, str) and node in _SPECIAL:
            return _SPECIAL[node]
        raise not_convertible(node, kind)

    return read


def written_number(value: float) -> float | str:
    """A number, as text where it has no digits."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def exactly(type_: type[Any], kind: str) -> Callable[[Any], Any]:
    """How JSON and CBOR have what is a Python ``type_`` already."""

    def read(node: Any) -> Any:
        if type(node) is type_:
            return node
        raise not_convertible(node, kind)

    return read


def not_convertible(node: Any, kind: str) -> Exception:
    """What AWS says of a value of the wrong type."""
    java = _JAVA_NAMES.get(kind, kind.capitalize())
    match node:
        case bool():
            found = "TRUE_VALUE" if node else "FALSE_VALUE"
        case str():
            found = "STRING_VALUE"
        case int() | float():
            found = "NUMBER_VALUE"
        case dict():
            return malformed("Start of structure or map found where not expected.")
        case list():
            return malformed("Start of list found where not expected")
        case _:
            found = "VALUE"
    return malformed(f"{found} cannot be converted to {java}")


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise not_convertible(text, "boolean")
    return text.lower() == "true"


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise not_convertible(text, "integer")
    return int(text)


def _bounded(value: int, kind: str) -> int:
    if -1 << _BITS[kind] <= value < 1 << _BITS[kind]:
        return value
    raise not_convertible(value, kind)


def _number(text: str) -> float:
    try:
        return _SPECIAL[text] if text in _SPECIAL else float(text)
    except ValueError:
        raise not_convertible(text, "double") from None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise not_convertible(value, "double") from None


def _iso(text: Any) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _http_date(text: Any) -> datetime:
    return parsedate_to_datetime(text).astimezone(UTC)


def _epoch(value: Any) -> datetime:
    return _EPOCH + timedelta(seconds=float(value))


def _written_iso(value: datetime) -> str:
    precision = "milliseconds" if value.microsecond >= 1000 else "seconds"
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision)
    return f"{text}Z"


def _written_http_date(value: datetime) -> str:
    return format_datetime(value.astimezone(UTC), usegmt=True)
