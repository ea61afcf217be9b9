"""Log streams.

API Reference, CreateLogStream, DescribeLogStreams.
"""

from __future__ import annotations

from openecs.api.base import Call, Logs, Members, Operation
from openecs.api.logs import errors, paging, references
from openecs.model.logs import LogGroup, LogStream, milliseconds
from openecs.store.logs import LogStore, StreamFilter

#: Uploads need none any more; the API still tells one, always the same.
SEQUENCE_TOKEN = f"{4961:056d}"


async def create_log_stream(
    store: LogStore, call: Call, request: Members, group: LogGroup
) -> Members:
    """Make a stream."""
    if not await store.create_stream(group.id, request["logStreamName"], milliseconds(call.now)):
        raise errors.exists("stream")
    return {}


async def delete_log_stream(store: LogStore, _: Call, request: Members, group: LogGroup) -> Members:
    """Drop a stream and its events."""
    if not await store.delete_stream(group.id, request["logStreamName"]):
        raise errors.no_stream()
    return {}


async def describe_log_streams(
    store: LogStore, _: Call, request: Members, group: LogGroup
) -> Members:
    """The streams of a group, by name or by the time of the last event."""
    by_last_event = request.get("orderBy") == "LastEventTime"
    prefix = request.get("logStreamNamePrefix") or ""
    if by_last_event and prefix:
        message = "Cannot order by LastEventTime with a logStreamNamePrefix."
        raise errors.invalid(message)
    given, most = request.get("nextToken"), paging.limit(request)
    wanted = StreamFilter(
        group=group.id,
        prefix=prefix,
        by_last_event=by_last_event,
        descending=bool(request.get("descending")),
        after=paging.key_of(given, tuple[int, str]) if given else None,
        limit=most + 1,
    )
    found = await store.streams(wanted)
    shown = found[:most]
    more = {}
    if len(found) > most:
        last = shown[-1]
        more = {
            "nextToken": paging.token((last.last_event or 0 if by_last_event else 0, last.name))
        }
    return {"logStreams": [_shown(group, stream) for stream in shown], **more}


OPERATIONS: dict[str, Operation] = {
    "CreateLogStream": Logs(references.group, create_log_stream),
    "DeleteLogStream": Logs(references.group, delete_log_stream),
    "DescribeLogStreams": Logs(references.group, describe_log_streams),
}


def _shown(group: LogGroup, stream: LogStream) -> Members:
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "firstEventTimestamp": stream.first_event,
        "lastEventTimestamp": stream.last_event,
        "lastIngestionTime": stream.last_ingestion,
        "uploadSequenceToken": SEQUENCE_TOKEN,
        "arn": group.stream_arn(stream.name),
        "storedBytes": 0,
    }
