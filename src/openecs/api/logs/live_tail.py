"""Live Tail: what is logged, told as it comes.

API Reference, StartLiveTail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from openecs.api.base import Call, Members, Operation, ServiceError, Streams, Told
from openecs.api.logs import errors, references
from openecs.api.logs.patterns import pattern_of
from openecs.decide.filter_patterns import Pattern
from openecs.model.identity import parse_arn
from openecs.model.logs import KeptEvent, LogGroup
from openecs.store.base import View
from openecs.store.logs import LogStore

#: Updates come every second, for three hours.
_UPDATES = 3 * 60 * 60
#: Of an update.
_MOST = 500
#: So many new events of a group one update looks at.
_SEARCHED = 20_000


@dataclass(frozen=True, slots=True)
class _Session:
    """What is told: events of groups, by their ids, of some streams, that match."""

    groups: Mapping[int, LogGroup]
    names: frozenset[str]
    prefixes: tuple[str, ...]
    pattern: Pattern

    def means(self, event: KeptEvent) -> bool:
        """Whether an event is told."""
        if self.names and event.stream not in self.names:
            return False
        if self.prefixes and not event.stream.startswith(self.prefixes):
            return False
        return self.pattern.is_match(event.message)


def _find(view: View, call: Call, request: Members) -> _Session:
    for identifier in request["logGroupIdentifiers"]:
        if parse_arn(identifier) is None or identifier.endswith("*"):
            raise errors.invalid(f"The log group identifier is not the ARN of one: {identifier}")
    groups = [references.named(view, call, name) for name in references.names_in(request)]
    names, prefixes = request.get("logStreamNames"), request.get("logStreamNamePrefixes")
    if names and prefixes:
        raise errors.invalid(
            "Parameters logStreamNames and logStreamNamePrefixes are mutually exclusive."
        )
    if (names or prefixes) and len(groups) > 1:
        raise errors.invalid("Log streams can be chosen of one log group only.")
    return _Session(
        groups={group.id: group for group in groups},
        names=frozenset(names or ()),
        prefixes=tuple(prefixes or ()),
        pattern=pattern_of(request.get("logEventFilterPattern") or ""),
    )


async def start_live_tail(
    store: LogStore, call: Call, request: Members, session: _Session
) -> AsyncIterator[Told]:
    """Tell what is new each second."""
    after = await store.newest()
    yield (
        "sessionStart",
        {
            "requestId": call.request_id,
            "sessionId": call.ids.uuid(),
            "logGroupIdentifiers": request["logGroupIdentifiers"],
            "logStreamNames": request.get("logStreamNames") or [],
            "logStreamNamePrefixes": request.get("logStreamNamePrefixes") or [],
            "logEventFilterPattern": request.get("logEventFilterPattern") or "",
        },
    )
    for _ in range(_UPDATES):
        newest = await store.newest()
        yield "sessionUpdate", await _update(store, session, after, newest)
        after = max(after, newest)
        await asyncio.sleep(1)
    raise ServiceError("SessionTimeoutException", "The Live Tail session has timed out.")


OPERATIONS: dict[str, Operation] = {"StartLiveTail": Streams(_find, start_live_tail)}


async def _update(store: LogStore, session: _Session, after: int, newest: int) -> Members:
    told: list[tuple[int, KeptEvent]] = []
    is_sampled = False
    for group in session.groups if newest > after else ():
        found = await store.newer(after, _SEARCHED, group)
        is_sampled = is_sampled or len(found) == _SEARCHED
        told += [(id_, each) for id_, each in found if each.id <= newest and session.means(each)]
    is_sampled = is_sampled or len(told) > _MOST
    told.sort(key=lambda pair: pair[1].id)
    return {
        "sessionMetadata": {"sampled": is_sampled},
        "sessionResults": [_shown(session.groups[group], each) for group, each in _some(told)],
    }


def _some(told: Sequence[tuple[int, KeptEvent]]) -> Sequence[tuple[int, KeptEvent]]:
    """As many as an update tells, from all of its second."""
    if len(told) <= _MOST:
        return told
    return [told[number * len(told) // _MOST] for number in range(_MOST)]


def _shown(group: LogGroup, event: KeptEvent) -> Members:
    return {
        "logGroupIdentifier": f"{group.scope.account}:{group.name}",
        "logStreamName": event.stream,
        "message": event.message,
        "timestamp": event.timestamp,
        "ingestionTime": event.ingested,
    }
