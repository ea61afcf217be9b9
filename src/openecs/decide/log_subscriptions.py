"""What subscription filters send, and where.

CloudWatch Logs User Guide, "Real-time processing of log data with subscriptions": a document per
stream, packed by gzip; functions of AWS Lambda get it in an event of theirs.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from openecs.decide import filter_patterns
from openecs.decide.filter_patterns import PatternProblem
from openecs.model.logs import KeptEvent, LogSubscriptionFilter

#: So much goes into one request, in characters of messages: Lambda takes 6 MB, packed.
_MOST = 1_000_000
_LAMBDA = "arn:aws:lambda:"


@dataclass(frozen=True, slots=True)
class Destinations:
    """Which ARNs can be sent to: those that have a URL, and functions where Lambda is."""

    urls: Mapping[str, str]
    lambda_url: str = ""

    def url(self, arn: str) -> str | None:
        """Where a destination takes events; None: nowhere."""
        if arn in self.urls:
            return self.urls[arn]
        if self.lambda_url and arn.startswith(_LAMBDA):
            base = self.lambda_url.rstrip("/")
            return f"{base}/2015-03-31/functions/{quote(arn, safe='')}/invocations"
        return None


def payloads(wanted: LogSubscriptionFilter, events: Sequence[KeptEvent]) -> Iterator[bytes]:
    """The bodies of the requests that tell those of a group's events that match."""
    pattern = filter_patterns.read(wanted.pattern)
    if isinstance(pattern, PatternProblem):
        return
    for part in _parts(events):
        told = [each for each in part if _is_new(wanted, each) and pattern.is_match(each.message)]
        by_stream: dict[str, list[KeptEvent]] = {}
        for event in told:
            by_stream.setdefault(event.stream, []).append(event)
        for stream, found in by_stream.items():
            yield _body(wanted, stream, found)


def _is_new(wanted: LogSubscriptionFilter, event: KeptEvent) -> bool:
    return event.ingested >= wanted.created


def _parts(events: Sequence[KeptEvent]) -> Iterator[Sequence[KeptEvent]]:
    """Events in pieces that fit into one request each."""
    part: list[KeptEvent] = []
    size = 0
    for event in events:
        if part and size + len(event.message) > _MOST:
            yield part
            part, size = [], 0
        part.append(event)
        size += len(event.message)
    if part:
        yield part


def _body(wanted: LogSubscriptionFilter, stream: str, events: Sequence[KeptEvent]) -> bytes:
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": wanted.scope.account,
        "logGroup": wanted.group,
        "logStream": stream,
        "subscriptionFilters": [wanted.name],
        "logEvents": [
            {
                "id": f"{event.timestamp:020d}{event.id:036d}",
                "timestamp": event.timestamp,
                "message": event.message,
            }
            for event in events
        ],
    }
    packed = gzip.compress(json.dumps(document).encode(), mtime=0)
    return json.dumps({"awslogs": {"data": base64.b64encode(packed).decode()}}).encode()
