"""GetLogEvents, of one stream, and FilterLogEvents, of a group.

API Reference, GetLogEvents, FilterLogEvents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openecs.api.base import Call, Logs, Members, Operation
from openecs.api.logs import errors, paging, patterns, references
from openecs.decide.filter_patterns import Pattern
from openecs.model.logs import KeptEvent, LogGroup, Position, milliseconds
from openecs.store.logs import EventRange, LogStore, StreamFilter

_MOST = 10_000
#: How many events one answer looks at, at most.
_SEARCHED = 100_000


async def get_log_events(store: LogStore, call: Call, request: Members, group: LogGroup) -> Members:
    """A page of a stream, in the order of time: the last one, or where a token says."""
    name = request["logStreamName"]
    if await store.stream(group.id, name) is None:
        raise errors.no_stream()
    token = request.get("nextToken") or ""
    after, before = _stand(token, "f/"), _stand(token, "b/")
    if token and after is None and before is None:
        raise errors.invalid_token()
    backward = before is not None or not (after or request.get("startFromHead"))
    wanted = EventRange(
        group=group.id,
        streams=(name,),
        start=_start(call, request, group),
        end=request.get("endTime"),
        after=after,
        before=before,
    )
    found = await store.read(wanted, request.get("limit") or _MOST, descending=backward)
    events = paging.fitting(found)
    shown = list(reversed(events)) if backward else list(events)
    here = after or before or Position(wanted.start or 0, 0)
    return {
        "events": [_shown(event) for event in shown],
        "nextForwardToken": _token("f/", shown[-1].position if shown else here),
        "nextBackwardToken": _token("b/", shown[0].position if shown else here),
    }


async def filter_log_events(
    store: LogStore, call: Call, request: Members, group: LogGroup
) -> Members:
    """The events of a group, or of some of its streams, in the order of time."""
    pattern = patterns.pattern_of(request.get("filterPattern") or "")
    most, token = request.get("limit") or _MOST, request.get("nextToken")
    wanted = EventRange(
        group=group.id,
        streams=await _streams(store, request, group),
        start=_start(call, request, group),
        end=request.get("endTime"),
        after=paging.position_of(token) if token else None,
    )
    events, behind = await _search(store, wanted, pattern, most)
    more = {"nextToken": paging.digits(behind)} if behind is not None else {}
    told = [
        {
            "logStreamName": event.stream,
            **_shown(event),
            "eventId": paging.digits(event.position),
        }
        for event in events
    ]
    return {"events": told, "searchedLogStreams": [], **more}


OPERATIONS: dict[str, Operation] = {
    "GetLogEvents": Logs(references.group, get_log_events),
    "FilterLogEvents": Logs(references.group, filter_log_events),
}


async def _search(
    store: LogStore, wanted: EventRange, pattern: Pattern, most: int
) -> tuple[Sequence[KeptEvent], Position | None]:
    """The events that match, and where to go on; None: there are no more."""
    matching: list[KeptEvent] = []
    size = min(most + 1, _MOST) if pattern.is_everything else _MOST
    for _ in range(_SEARCHED // _MOST):
        found = await store.read(wanted, size)
        matching += [event for event in found if pattern.is_match(event.message)]
        shown = paging.fitting(matching[:most])
        if len(shown) < len(matching):
            return shown, shown[-1].position
        if len(found) < size:
            return shown, None
        wanted = replace(wanted, after=found[-1].position)
        if len(shown) == most:
            break
    return matching, wanted.after


async def _streams(store: LogStore, request: Members, group: LogGroup) -> tuple[str, ...] | None:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix")
    if names and prefix:
        raise errors.invalid(
            "Parameters logStreamNames and logStreamNamePrefix are mutually exclusive."
        )
    if names:
        for name in names:
            if await store.stream(group.id, name) is None:
                raise errors.no_stream()
        return tuple(names)
    if prefix:
        found = await store.streams(StreamFilter(group=group.id, prefix=prefix))
        return tuple(stream.name for stream in found)
    return None


def _start(call: Call, request: Members, group: LogGroup) -> int:
    """What is expired is not told, even before it is dropped."""
    return max(request.get("startTime") or 0, group.oldest(milliseconds(call.now)))


def _stand(token: str, direction: str) -> Position | None:
    if not token.startswith(direction):
        return None
    return paging.position_of(token.removeprefix(direction).removesuffix("/s"))


def _token(direction: str, position: Position) -> str:
    return f"{direction}{paging.digits(position)}/s"


def _shown(event: KeptEvent) -> Members:
    return {
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingested,
    }
