"""PutLogEvents: what is taken, what is refused, and what is left out.

API Reference, PutLogEvents.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from openecs.api.base import Call, Logs, Members, Operation
from openecs.api.logs import errors, references
from openecs.api.logs.streams import SEQUENCE_TOKEN
from openecs.model.logs import DAY, LogEvent, LogGroup, milliseconds
from openecs.store.logs import LogStore, size_of

#: Of a batch and of one event, in bytes.
_MOST, _MOST_OF_EVENT = 1_048_576, 1_048_576
_OLDEST, _NEWEST = 14 * DAY, DAY // 12


async def put_log_events(store: LogStore, call: Call, request: Members, group: LogGroup) -> Members:
    """Keep the events that are neither too old nor too new, durably."""
    # Databases know no NUL in texts.
    events = [
        LogEvent(each["timestamp"], each["message"].replace("\0", "\ufffd"))
        for each in request["logEvents"]
    ]
    _check(events)
    now = milliseconds(call.now)
    old = _before(events, now - _OLDEST)
    expired = _before(events, group.oldest(now))
    new = _before(events, now + _NEWEST + 1)
    kept = events[max(old, expired) : new]
    if not await store.append(group.id, request["logStreamName"], kept, now):
        raise errors.no_stream()
    rejected = {
        "tooOldLogEventEndIndex": old or None,
        "expiredLogEventEndIndex": expired if expired > old else None,
        "tooNewLogEventStartIndex": new if new < len(events) else None,
    }
    told = {"rejectedLogEventsInfo": rejected} if len(kept) < len(events) else {}
    return {"nextSequenceToken": SEQUENCE_TOKEN, **told}


OPERATIONS: dict[str, Operation] = {"PutLogEvents": Logs(references.group, put_log_events)}


def _check(events: Sequence[LogEvent]) -> None:
    """Raise ``InvalidParameterException`` for a batch that is not taken at all."""
    sizes = [size_of(event.message) for event in events]
    if max(sizes) > _MOST_OF_EVENT:
        raise errors.invalid(
            f"Log event too large: {max(sizes)} bytes exceeds limit of {_MOST_OF_EVENT}"
        )
    if sum(sizes) > _MOST:
        raise errors.invalid(f"Upload too large: {sum(sizes)} bytes exceeds limit of {_MOST}")
    if any(later.timestamp < earlier.timestamp for earlier, later in pairwise(events)):
        raise errors.invalid(
            "Log events in a single PutLogEvents request must be in chronological order."
        )
    if events[-1].timestamp - events[0].timestamp > DAY:
        raise errors.invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 "
            "hours."
        )


def _before(events: Sequence[LogEvent], moment: int) -> int:
    """How many of the events, which are in order, are from before a time."""
    return sum(event.timestamp < moment for event in events)
