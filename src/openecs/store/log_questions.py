"""Questions about logs, answered by SQLite: with its own functions, and some of ours."""

from __future__ import annotations

import ipaddress
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import re2

from openecs.model.log_queries import Answer, Question

#: Whether to go on is asked after so many steps of SQLite's.
_STEPS = 20_000
_NUMBER = re.compile(r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*")
_TABLE = "CREATE TABLE source(id, timestamp, ingested, message, stream, log, ptr)"


class QuestionStopped(Exception):
    """Somebody did not want to know any more."""


class QuestionFailed(Exception):
    """A question has no answer."""


def answered(
    connection: sqlite3.Connection,
    question: Question,
    source: str,
    known: Mapping[str, Any],
    is_over: Callable[[], bool],
) -> Answer:
    """The answer from events that the SQL ``source`` selects. Raises ``QuestionStopped``."""
    if is_over():
        raise QuestionStopped
    _prepare(connection)
    connection.set_progress_handler(is_over, _STEPS)
    query, given = question.query, {**question.query.parameters, **known}
    steps = f"WITH source AS ({source})" + (f", {query.steps}" if query.steps else "")
    counted = f"WITH source AS ({source}) SELECT count(*), {_SIZE} FROM source"
    try:
        rows = connection.execute(f"{steps} {query.final}", given).fetchall()
        scanned, size = connection.execute(counted, known).fetchone()
    except sqlite3.OperationalError as error:
        if is_over():
            raise QuestionStopped from error
        raise QuestionFailed(str(error)) from error
    except sqlite3.Error as error:
        raise QuestionFailed(str(error)) from error
    finally:
        connection.set_progress_handler(None, _STEPS)
    return Answer(rows, scanned, size or 0)


def answered_of(
    events: Iterable[tuple[Any, ...]], question: Question, is_over: Callable[[], bool]
) -> Answer:
    """The answer from events in the order id, timestamp, ingested, message, stream, group."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute(_TABLE.replace("source", "events"))
        connection.execute("BEGIN")
        rows = ((*row[:5], question.groups[row[5]], f"{row[0]}") for row in events)
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return answered(connection, question, "SELECT * FROM events", {}, is_over)
    finally:
        connection.close()


#: Newer SQLites tell it without reading the text.
_SIZE = (
    "sum(octet_length(message))"
    if sqlite3.sqlite_version_info >= (3, 43)
    else "sum(length(CAST(message AS BLOB)))"
)


@lru_cache(maxsize=128)
def _regex(pattern: str) -> Any:
    return re2.compile(pattern)


def _match(pattern: str, text: str | None) -> bool | None:
    return None if text is None else _regex(pattern).search(text) is not None


class _Groups:
    """The groups of a match, which are asked for one after the other."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None
        self._found: Any = None

    def __call__(self, pattern: str, text: str | None, group: int | str) -> str | None:
        if text is None:
            return None
        if self._last != (pattern, text):
            self._last, self._found = (pattern, text), _regex(pattern).search(text)
        found = self._found
        if found is None or (isinstance(group, int) and group > found.re.groups):
            return None
        return None if found.group(group) is None else str(found.group(group))


class _Globs:
    """What stands between the parts of a text, each asked for one after the other."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None
        self._found: Sequence[str] = ()

    def __call__(self, parts: str, text: str | None, number: int) -> str | None:
        """``parts`` have a NUL between each other, which no text has."""
        if text is None:
            return None
        if self._last != (parts, text):
            self._last, self._found = (parts, text), _between(parts.split("\0"), text)
        return self._found[number] if number < len(self._found) else None


def _between(parts: Sequence[str], text: str) -> Sequence[str]:
    """What is between parts that follow each other; nothing where one is missing."""
    at = text.find(parts[0])
    found: list[str] = []
    for number, part in enumerate(parts[1:], 1):
        if at < 0:
            return ()
        begin = at + len(parts[number - 1])
        is_rest = not part and number == len(parts) - 1
        at = len(text) if is_rest else text.find(part, begin)
        if at >= 0:
            found.append(text[begin:at])
    return found if at >= 0 else ()


def _number(value: Any) -> float | int | None:
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else None
    if value.isdecimal() and value.isascii() and len(value) < 19:
        return int(value)
    if not _NUMBER.fullmatch(value):
        return None
    if value.strip().lstrip("+-").isdigit() and len(value) < 19:
        return int(value)
    found = float(value)
    return found if math.isfinite(found) else None


def _order(value: Any) -> Any:
    number = _number(value)
    return value if number is None else number


def _substr(text: Any, start: Any, length: Any = None) -> str | None:
    """From a position on, counted from 0."""
    at, size = _number(start), _number(length)
    if text is None or at is None:
        return None
    first = max(int(at), 0)
    return str(text)[first:] if size is None else str(text)[first : first + max(int(size), 0)]


def _is_ip(text: str | None, version: int) -> bool:
    try:
        return version in {0, ipaddress.ip_address(text or "").version}
    except ValueError:
        return False


def _safe(function: Callable[..., Any]) -> Callable[..., float | None]:
    """NULL where a number has no result."""

    def made(*given: Any) -> float | None:
        if any(value is None for value in given):
            return None
        try:
            found = function(*given)
        except (ArithmeticError, ValueError):
            return None
        # Of a negative number to a broken power Python makes a complex one.
        is_known = not isinstance(found, complex) and math.isfinite(found)
        return found if is_known and abs(found) < 2**63 else None

    return made


class _Percentile:
    def __init__(self) -> None:
        self._values: list[float] = []
        self._wanted = 0.0

    def step(self, value: float | None, wanted: float) -> None:
        """One more."""
        if value is not None:
            self._values.append(value)
            self._wanted = wanted or 0.0

    def finalize(self) -> float | None:
        """Between the two that are next to it."""
        values = sorted(self._values)
        if not values:
            return None
        at = min(max(self._wanted, 0), 100) / 100 * (len(values) - 1)
        low = int(at)
        high = min(low + 1, len(values) - 1)
        return values[low] + (values[high] - values[low]) * (at - low)


class _Deviation:
    """Welford's."""

    def __init__(self) -> None:
        self._count, self._mean, self._sum = 0, 0.0, 0.0

    def step(self, value: float | None) -> None:
        """One more."""
        if value is None:
            return
        self._count += 1
        off = value - self._mean
        self._mean += off / self._count
        self._sum += off * (value - self._mean)

    def finalize(self) -> float | None:
        """Of a sample."""
        return math.sqrt(self._sum / (self._count - 1)) if self._count > 1 else None


class _Latest:
    def __init__(self) -> None:
        self._at: int | None = None
        self._value: Any = None

    def step(self, value: Any, at: int) -> None:
        """One more."""
        if value is not None and (self._at is None or self._is_better(at, self._at)):
            self._at, self._value = at, value

    def finalize(self) -> Any:
        """The one."""
        return self._value

    def _is_better(self, at: int, than: int) -> bool:
        return at >= than


class _Earliest(_Latest):
    def _is_better(self, at: int, than: int) -> bool:
        return at < than


_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "ins_match": (2, _match),
    "ins_number": (1, _number),
    "ins_order": (1, _order),
    "ins_concat": (-1, lambda *texts: "".join(text for text in texts if text is not None)),
    "ins_substr": (-1, _substr),
    "ins_is_ip": (2, _is_ip),
    "ins_power": (2, _safe(lambda x, y: float(x) ** y)),
    "ins_modulo": (2, _safe(math.fmod)),
    "ins_ceil": (1, _safe(math.ceil)),
    "ins_floor": (1, _safe(math.floor)),
    "ins_log": (1, _safe(math.log)),
    "ins_sqrt": (1, _safe(math.sqrt)),
}


def _prepare(connection: Any) -> None:
    for name, (count, function) in _FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
    connection.create_function("ins_group", 3, _Groups(), deterministic=True)
    connection.create_function("ins_glob", 3, _Globs(), deterministic=True)
    connection.create_aggregate("ins_percentile", 2, _Percentile)
    connection.create_aggregate("ins_stddev", 1, _Deviation)
    connection.create_aggregate("ins_latest", 2, _Latest)
    connection.create_aggregate("ins_earliest", 2, _Earliest)
