"""The story of a service: its last 100 events, no state of things told twice in a row.

Developer Guide, "Viewing Amazon ECS service event messages": a message that repeats the one before
is held back until something else has happened, or for six hours. What was done is told every time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from openecs.model.services import ServiceEvent, ServiceEvents

KEPT = 100
REPEATED = timedelta(hours=6)

#: Deeds whose message does not name the task.
_DEEDS = ("registered ", "deregistered ")


def told(
    story: ServiceEvents, messages: Sequence[str], ids: Sequence[str], now: datetime
) -> ServiceEvents:
    """The story with ``messages``, oldest first, each with the id at its place."""
    events = story.events
    for message, identifier in zip(messages, ids, strict=True):
        if events and _repeats(events[0], message, now):
            continue
        events = (ServiceEvent(id=identifier, created_at=now, message=message), *events)
    return replace(story, events=events[:KEPT])


def _repeats(last: ServiceEvent, message: str, now: datetime) -> bool:
    is_deed = message.partition(") ")[2].startswith(_DEEDS)
    return not is_deed and last.message == message and now - last.created_at < REPEATED
