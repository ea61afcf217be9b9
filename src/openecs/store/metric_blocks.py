"""Metrics as bytes: blocks of many periods, which stay, and batches of samples, which are folded.

A block has what is known of a series in a stretch of time, in columns. Most periods have one value
that came once: of those only the value is kept. Of the others there are the four numbers and the
values; those that are the middle of a bucket (``model.metrics.condensed``) are the bucket's number.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import fsum
from typing import Any

import msgspec

from openecs.model.metrics import (
    MANY_VALUES,
    Statistics,
    bucket_of,
    condensed,
    merged,
    middle_of,
)

#: What is known of a period: a value that came once, or more than that.
Known = float | Statistics
#: A period's begin, in seconds since the epoch, and its unit.
Period = tuple[int, str]

#: Bytes below which compression gains nothing.
_SMALL = 256
#: Whole numbers up to this one are floats without loss.
_WHOLE = 2.0**53

#: A period's number, the four of its statistics, exact values and buckets with their counts.
_Rich = tuple[int, float, float, float, float, list[float], list[float]]


class _Columns(msgspec.Struct, array_like=True):
    """The periods of one unit. Numbers of periods: from the block's begin on."""

    unit: str
    plain_at: bytes
    plain: bytes
    rich: list[_Rich]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[_Columns]).decode


def together(parts: Sequence[Known], most: int = MANY_VALUES) -> Known:
    """All that is known of a period; beyond ``most`` values, neighbours are put together."""
    if len(parts) == 1:
        one = parts[0]
        return one if isinstance(one, float) else condensed(one, most)
    plain = [part for part in parts if isinstance(part, float)]
    whole = [part for part in parts if not isinstance(part, float)]
    if plain:
        whole.append(_of_plain(plain))
    return condensed(merged(whole), most)


def _of_plain(values: Sequence[float]) -> Statistics:
    """The statistics of values that came once each."""
    times = Counter(values)
    known = tuple((value, float(times[value])) for value in sorted(times))
    return Statistics(float(len(values)), fsum(values), known[0][0], known[-1][0], known)


def statistics_of(known: Known) -> Statistics:
    """What is known, as statistics."""
    if isinstance(known, float):
        return Statistics(1.0, known, known, known, ((known, 1.0),))
    return known


def known_of(statistics: Statistics) -> Known:
    """The same, as its value alone where that is all."""
    value = statistics.minimum
    is_plain = statistics.count == 1.0 and statistics.values == ((value, 1.0),)
    if is_plain and statistics.sum == value == statistics.maximum:
        return float(value)
    return statistics


def block(periods: Mapping[Period, Known], begin: int, resolution: int) -> bytes:
    """The periods of ``resolution`` seconds as bytes; none is before ``begin``."""
    units: defaultdict[str, list[tuple[int, Known]]] = defaultdict(list)
    for (moment, unit), known in sorted(periods.items(), key=lambda each: each[0]):
        units[unit].append(((moment - begin) // resolution, known))
    packed = _encode([_columns(unit, known) for unit, known in units.items()])
    if len(packed) < _SMALL:
        return packed
    return min(zlib.compress(packed, 1), packed, key=len)


def periods(packed: bytes, begin: int, resolution: int) -> Iterator[tuple[int, str, Known]]:
    """What is in a block: moments, their units and what is known of them."""
    # The first byte of a list is never that of compressed bytes.
    for columns in _decode(zlib.decompress(packed) if packed[0] == _COMPRESSED else packed):
        unit = columns.unit
        values = _array("d", columns.plain)
        for number, value in zip(_numbers(columns.plain_at, len(values)), values, strict=True):
            yield begin + number * resolution, unit, value
        for rich in columns.rich:
            yield begin + rich[0] * resolution, unit, _told(rich)


_COMPRESSED = 0x78


def _columns(unit: str, known: Sequence[tuple[int, Known]]) -> _Columns:
    plain = [(number, value) for number, value in known if isinstance(value, float)]
    numbers = [number for number, _ in plain]
    if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
        numbers = [numbers[0], numbers[-1]]
    return _Columns(
        unit,
        _bytes(array("H", numbers)),
        _bytes(array("d", [value for _, value in plain])),
        [_rich(number, each) for number, each in known if not isinstance(each, float)],
    )


def _numbers(packed: bytes, count: int) -> Iterable[int]:
    numbers = _array("H", packed)
    # Two numbers for more than two periods: the first and the last of a row without a gap.
    return range(numbers[0], numbers[1] + 1) if len(numbers) < count else numbers


def _rich(number: int, known: Statistics) -> _Rich:
    exact: list[float] = []
    buckets: list[float] = []
    for value, count in known.values:
        if abs(value) < _WHOLE and value == int(value):
            exact += (int(value), _short(count))
            continue
        bucket = bucket_of(value)
        if middle_of(bucket, value) == value:
            buckets += (bucket * 2 + (value < 0), _short(count))
        else:
            exact += (value, _short(count))
    four = (known.count, known.sum, known.minimum, known.maximum)
    count, total, low, high = (_short(each) for each in four)
    return number, count, total, low, high, exact, buckets


def _told(rich: _Rich) -> Statistics:
    _, count, total, low, high, exact, buckets = rich
    values = [(float(v), float(c)) for v, c in zip(exact[::2], exact[1::2], strict=True)]
    for signed, times in zip(buckets[::2], buckets[1::2], strict=True):
        bucket, is_negative = divmod(int(signed), 2)
        values.append((middle_of(bucket, -1.0 if is_negative else 1.0), float(times)))
    if buckets:
        values.sort()
    return Statistics(float(count), float(total), float(low), float(high), tuple(values))


def _short(number: float) -> float:
    """A whole number as such takes fewer bytes."""
    return int(number) if abs(number) < _WHOLE and number == int(number) else number


#: A series, a moment, the resolution, the unit and what is known.
Kept = tuple[int, int, int, str, Known]


class _Batch(msgspec.Struct, array_like=True):
    series: bytes
    moments: bytes
    resolutions: bytes
    #: Of each sample the number of its unit.
    units: bytes
    #: Of samples that are more than a value, 0.
    values: bytes
    unit_names: list[str]
    rich: list[_Rich]


_decode_batch = msgspec.msgpack.Decoder(_Batch).decode


def batch(samples: Sequence[Kept]) -> bytes:
    """Samples of different series as bytes."""
    series, moments, resolutions, units, known = zip(*samples, strict=True)
    names = {name: number for number, name in enumerate(dict.fromkeys(units))}
    packed = _Batch(
        _bytes(array("q", series)),
        _bytes(array("q", moments)),
        _bytes(array("i", resolutions)),
        bytes([names[unit] for unit in units]),
        _bytes(array("d", [each if isinstance(each, float) else 0.0 for each in known])),
        list(names),
        [_rich(n, each) for n, each in enumerate(known) if not isinstance(each, float)],
    )
    return _encode(packed)


def samples(packed: bytes) -> Iterable[Kept]:
    """The samples of a batch."""
    read = _decode_batch(packed)
    known: list[Known] = list(_array("d", read.values))
    for rich in read.rich:
        known[rich[0]] = _told(rich)
    return zip(
        _array("q", read.series),
        _array("q", read.moments),
        _array("i", read.resolutions),
        [read.unit_names[number] for number in read.units],
        known,
        strict=True,
    )


def _array(code: str, packed: bytes) -> array[Any]:
    read: array[Any] = array(code)
    read.frombytes(packed)
    if sys.byteorder == "big":
        read.byteswap()
    return read


def _bytes(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
