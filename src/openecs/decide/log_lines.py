"""What containers print, put together to events: lines in pieces, events of several lines.

Docker's awslogs driver: a line is an event, or whatever is between two lines that match a pattern;
an event is cut at 256 KiB. How far was read is told so that a later reader of the same output, by
the engine's times, goes on exactly there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from openecs.model.logs import LogEvent, Piece

#: Of one event, in bytes: what CloudWatch counts for each is off.
_LONGEST = 262_144 - 26
_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000
#: The two outputs of a container may be stored out of order by as much, in nanoseconds.
_DISORDER = 200 * _MILLISECOND

#: Whether a line begins an event.
Begins = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True)
class Mark:
    """How far was read: ``count`` pieces of those the engine has from ``since`` on."""

    since: int = 0
    count: int = 0

    def __str__(self) -> str:
        return f"{self.since} {self.count}"


def mark_of(text: str | None) -> Mark:
    """The mark that was kept as text; the very begin where there was none."""
    if not text:
        return Mark()
    since, count = text.split()
    return Mark(int(since), int(count))


@dataclass(slots=True)
class _Open:
    """A line, or several, not yet told; ``first`` is the number of its first piece."""

    first: int
    at: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    is_whole: bool = False

    def add(self, text: bytes) -> None:
        self.parts.append(text)
        self.size += len(text)


class LineReader:
    """Reads the pieces that follow a mark; the first ``mark.count`` of them were read before."""

    def __init__(self, mark: Mark, begins: Begins | None = None) -> None:
        self._begins = begins
        self._skipped = mark.count
        self._number = 0
        self._lines: deque[_Open] = deque()
        self._parts: dict[int, _Open] = {}
        self._event: _Open | None = None
        #: Numbers and times of pieces that a mark may count.
        self._recent: deque[tuple[int, int]] = deque()
        self._since = mark.since

    @property
    def is_waiting(self) -> bool:
        """Whether an event may be complete, and will not be known to be until more is read."""
        return self._event is not None

    def read(self, pieces: Iterable[Piece]) -> list[LogEvent]:
        """The events that are complete with these pieces."""
        for piece in pieces:
            self._number += 1
            self._recent.append((self._number, piece.at))
            if self._number > self._skipped:
                self._take(piece)
        return [event for line in self._whole() for event in self._joined(line)]

    def flush(self) -> list[LogEvent]:
        """The events that are complete if nothing more comes."""
        event, self._event = self._event, None
        return [] if event is None else list(_events(event))

    def end(self) -> list[LogEvent]:
        """The events that are left when the output has ended."""
        for line in self._lines:
            line.is_whole = True
        self._parts.clear()
        return [*(e for line in self._whole() for e in self._joined(line)), *self.flush()]

    def mark(self) -> Mark:
        """How far the events that were told go."""
        waiting = [line.first for line in self._lines]
        if self._event is not None:
            waiting.append(self._event.first)
        told = max(min(waiting, default=self._number + 1) - 1, self._skipped)
        newest = max((at for number, at in self._recent if number <= told), default=0)
        # Whole seconds: some engines tell no finer times than they look for.
        self._since = max(self._since, (newest - _DISORDER) // _SECOND * _SECOND)
        since = self._since
        self._recent = deque(each for each in self._recent if each[1] >= since or each[0] > told)
        count = sum(number <= told for number, _ in self._recent)
        return Mark(since, count)

    def _take(self, piece: Piece) -> None:
        line = self._parts.pop(piece.output, None)
        if line is None:
            line = _Open(self._number, piece.at)
            self._lines.append(line)
        line.add(piece.text)
        line.is_whole = piece.ends or line.size >= _LONGEST
        if not line.is_whole:
            self._parts[piece.output] = line

    def _whole(self) -> Iterator[_Open]:
        while self._lines and self._lines[0].is_whole:
            yield self._lines.popleft()

    def _joined(self, line: _Open) -> Iterator[LogEvent]:
        if self._begins is None:
            yield from _events(line)
            return
        known, text = self._event, b"".join(line.parts)
        if known is None or self._begins(text) or known.size + line.size >= _LONGEST:
            yield from self.flush()
            self._event = _Open(line.first, line.at, [text], line.size)
        else:
            known.add(b"\n" + text)


def _events(line: _Open) -> Iterator[LogEvent]:
    """What is empty is left out."""
    text = b"".join(line.parts)
    for start in range(0, len(text), _LONGEST):
        message = text[start : start + _LONGEST].decode(errors="replace").replace("\0", "\ufffd")
        yield LogEvent(line.at // _MILLISECOND, message)
