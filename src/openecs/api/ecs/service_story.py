"""Adding to the events of a service."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from openecs.decide.services import story
from openecs.model.services import ServiceEvents
from openecs.store.base import Transaction
from openecs.store.kinds import SERVICE_EVENTS


def tell(
    tx: Transaction,
    beginning: ServiceEvents,
    messages: Sequence[str],
    ids: Sequence[str],
    now: datetime,
) -> None:
    """Add events, oldest first, to the story of the service that ``beginning`` is of."""
    key = SERVICE_EVENTS.key(beginning)
    known = tx.get(SERVICE_EVENTS, beginning.scope, key) or beginning
    tx.put(SERVICE_EVENTS, story.told(known, messages, ids, now))
