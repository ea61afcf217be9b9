"""Groups, streams and events, as boto3 puts and reads them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from gateway_door import ACCOUNT, client_of, gateway_of, served
from openecs.api import logs as service
from openecs.control.log_retention import LogRetention
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore

HOUR = 3_600_000
NO_GROUP = ("ResourceNotFoundException", "The specified log group does not exist.")
NO_STREAM = ("ResourceNotFoundException", "The specified log stream does not exist.")
PREFIX = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:"


@pytest.fixture
def stores():
    return MemoryStore(), MemoryLogStore()


@pytest.fixture
def logs(stores):
    store, kept = stores
    with served(gateway_of(service.SERVICE, store=store, logs=kept)) as url:
        yield client_of(url, "logs")


@pytest.fixture
def stream(logs):
    """A stream of a group."""
    logs.create_log_group(logGroupName="/shop")
    logs.create_log_stream(logGroupName="/shop", logStreamName="s")
    return {"logGroupName": "/shop", "logStreamName": "s"}


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def now():
    return int(time.time() * 1000)


def put(logs, stream, *pairs):
    events = [{"timestamp": timestamp, "message": message} for timestamp, message in pairs]
    return logs.put_log_events(**stream, logEvents=events)


def messages(answer):
    return [event["message"] for event in answer["events"]]


@pytest.mark.covers("logs:CreateLogGroup", "logs:DescribeLogGroups", "logs:DeleteLogGroup")
def test_groups_come_and_go(logs):
    logs.create_log_group(logGroupName="/shop/web", tags={"team": "a"})
    logs.create_log_group(logGroupName="/shop/db", logGroupClass="INFREQUENT_ACCESS")
    logs.create_log_group(logGroupName="other")
    assert refused(logs.create_log_group, logGroupName="other") == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )
    (db, web) = logs.describe_log_groups(logGroupNamePrefix="/shop/")["logGroups"]
    assert db["logGroupName"] == "/shop/db"
    assert db["logGroupClass"] == "INFREQUENT_ACCESS"
    assert web["arn"] == f"{PREFIX}/shop/web:*"
    assert web["logGroupArn"] == f"{PREFIX}/shop/web"
    assert (web["storedBytes"], web["metricFilterCount"]) == (0, 0)
    assert "retentionInDays" not in web
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    assert names == ["/shop/db", "/shop/web", "other"]
    (found,) = logs.describe_log_groups(logGroupNamePattern="the")["logGroups"]
    assert found["logGroupName"] == "other"
    logs.delete_log_group(logGroupName="other")
    assert refused(logs.delete_log_group, logGroupName="other") == NO_GROUP


def test_names_that_may_not_be(logs):
    assert refused(logs.create_log_group, logGroupName="a b") == (
        "InvalidParameterException",
        (
            "1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy "
            r"constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+"
        ),
    )
    code, _ = refused(logs.create_log_stream, logGroupName="a", logStreamName="a:b")
    assert code == "InvalidParameterException"
    assert refused(logs.describe_log_groups, nextToken="?")[0] == "InvalidParameterException"
    assert refused(logs.create_log_group, logGroupName="a", kmsKeyId="k") == (
        "InvalidParameterException",
        "OpenECS does not build kmsKeyId.",
    )


@pytest.mark.covers("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:DeleteLogStream")
def test_streams_come_and_go(logs):
    assert refused(logs.create_log_stream, logGroupName="g", logStreamName="a") == NO_GROUP
    logs.create_log_group(logGroupName="g")
    for name in ("b", "a", "ab"):
        logs.create_log_stream(logGroupName="g", logStreamName=name)
    assert refused(logs.create_log_stream, logGroupName="g", logStreamName="a") == (
        "ResourceAlreadyExistsException",
        "The specified log stream already exists",
    )
    put(logs, {"logGroupName": "g", "logStreamName": "ab"}, (now(), "x"))

    def names(**members):
        pages = logs.get_paginator("describe_log_streams").paginate(
            logGroupName="g", PaginationConfig={"PageSize": 2}, **members
        )
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert names() == ["a", "ab", "b"]
    assert names(descending=True) == ["b", "ab", "a"]
    assert names(logStreamNamePrefix="a") == ["a", "ab"]
    assert names(orderBy="LastEventTime", descending=True) == ["ab", "b", "a"]
    both = {"orderBy": "LastEventTime", "logStreamNamePrefix": "a"}
    assert refused(logs.describe_log_streams, logGroupName="g", **both) == (
        "InvalidParameterException",
        "Cannot order by LastEventTime with a logStreamNamePrefix.",
    )
    (shown,) = logs.describe_log_streams(logGroupIdentifier=f"{PREFIX}g", limit=1)["logStreams"]
    assert shown["arn"] == f"{PREFIX}g:log-stream:a"
    assert "lastEventTimestamp" not in shown
    logs.delete_log_stream(logGroupName="g", logStreamName="a")
    assert refused(logs.delete_log_stream, logGroupName="g", logStreamName="a") == NO_STREAM


@pytest.mark.covers("logs:PutLogEvents", "logs:GetLogEvents")
def test_what_is_put_is_told_page_by_page(logs, stream):
    begin = now() - HOUR
    answer = put(logs, stream, *((begin + n, f"line {n}") for n in range(5)))
    assert answer["nextSequenceToken"]
    assert "rejectedLogEventsInfo" not in answer
    last = logs.get_log_events(**stream, limit=2)
    assert messages(last) == ["line 3", "line 4"]
    assert last["events"][0]["timestamp"] == begin + 3
    assert last["events"][0]["ingestionTime"] >= begin
    earlier = logs.get_log_events(**stream, limit=2, nextToken=last["nextBackwardToken"])
    assert messages(earlier) == ["line 1", "line 2"]
    end = logs.get_log_events(**stream, nextToken=last["nextForwardToken"])
    assert messages(end) == []
    assert end["nextForwardToken"] == last["nextForwardToken"]
    head = logs.get_log_events(**stream, limit=2, startFromHead=True)
    assert messages(head) == ["line 0", "line 1"]
    more = logs.get_log_events(**stream, nextToken=head["nextForwardToken"])
    assert messages(more) == ["line 2", "line 3", "line 4"]
    window = logs.get_log_events(**stream, startTime=begin + 1, endTime=begin + 3)
    assert messages(window) == ["line 1", "line 2"]
    assert refused(logs.get_log_events, **stream, nextToken="f/1")[0] == "InvalidParameterException"
    missing = {**stream, "logStreamName": "none"}
    assert refused(logs.get_log_events, **missing) == NO_STREAM
    one = [{"timestamp": begin, "message": "x"}]
    assert refused(logs.put_log_events, **missing, logEvents=one) == NO_STREAM
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["storedBytes"] == 5 * (6 + 26)


def test_batches_that_are_not_taken(logs, stream):
    begin = now()

    def reason(*pairs):
        events = [{"timestamp": timestamp, "message": message} for timestamp, message in pairs]
        code, message = refused(logs.put_log_events, **stream, logEvents=events)
        assert code == "InvalidParameterException"
        return message

    assert "chronological order" in reason((begin, "x"), (begin - 1, "y"))
    assert "24 hours" in reason((begin - 25 * HOUR, "x"), (begin, "y"))
    assert reason((begin, "x" * 1_048_551)) == (
        "Log event too large: 1048577 bytes exceeds limit of 1048576"
    )
    assert reason(*[(begin, "x" * 600_000)] * 2) == (
        "Upload too large: 1200052 bytes exceeds limit of 1048576"
    )
    assert "length less than or equal to 10000" in reason(*[(begin, "x")] * 10_001)
    assert messages(logs.get_log_events(**stream)) == []


def test_events_that_are_left_out_are_told(logs, stream):
    current = now()
    answer = put(
        logs, stream, (current - 15 * 24 * HOUR, "old"), (current - 15 * 24 * HOUR + HOUR, "old")
    )
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2}
    answer = put(logs, stream, (current, "fine"), (current + 3 * HOUR, "new"))
    assert answer["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=3)
    answer = put(logs, stream, (current - 73 * HOUR, "expired"), (current - 71 * HOUR, "kept"))
    assert answer["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert messages(logs.get_log_events(**stream)) == ["kept", "fine"]


@pytest.mark.covers("logs:FilterLogEvents")
def test_the_streams_of_a_group_together(logs):
    logs.create_log_group(logGroupName="g")
    begin = now() - HOUR
    for number, name in enumerate(("a", "ab", "b")):
        stream = {"logGroupName": "g", "logStreamName": name}
        logs.create_log_stream(**stream)
        put(logs, stream, (begin + number, f"{name} 1"), (begin + 10 + number, f"{name} 2"))

    def found(**members):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="g", PaginationConfig={"PageSize": 2}, **members
        )
        return [event["message"] for page in pages for event in page["events"]]

    assert found() == ["a 1", "ab 1", "b 1", "a 2", "ab 2", "b 2"]
    assert found(logStreamNames=["a", "b"]) == ["a 1", "b 1", "a 2", "b 2"]
    assert found(logStreamNamePrefix="a", startTime=begin + 1) == ["ab 1", "a 2", "ab 2"]
    (event,) = logs.filter_log_events(logGroupIdentifier=f"{PREFIX}g", limit=1)["events"]
    assert (event["logStreamName"], len(event["eventId"])) == ("a", 56)
    both = {"logStreamNames": ["a"], "logStreamNamePrefix": "a"}
    assert refused(logs.filter_log_events, logGroupName="g", **both)[0] == (
        "InvalidParameterException"
    )
    assert refused(logs.filter_log_events, logGroupName="none") == NO_GROUP


def test_a_message_may_be_any_text(logs, stream):
    put(logs, stream, (now(), "né\0 \U0001f600\n"))
    assert messages(logs.get_log_events(**stream)) == ["né\ufffd \U0001f600\n"]


def test_only_what_matches_is_told(logs, stream):
    begin = now() - HOUR
    put(logs, stream, *((begin + n, f"GET {n}" if n % 3 else f"ERROR {n}") for n in range(9)))

    def found(pattern, **members):
        answer = logs.filter_log_events(logGroupName="/shop", filterPattern=pattern, **members)
        return messages(answer), answer.get("nextToken")

    assert found("ERROR") == (["ERROR 0", "ERROR 3", "ERROR 6"], None)
    assert found("[method, number > 6]") == (["GET 7", "GET 8"], None)
    first, token = found("ERROR", limit=2)
    assert first == ["ERROR 0", "ERROR 3"]
    assert found("ERROR", limit=2, nextToken=token)[0] == ["ERROR 6"]
    code, message = refused(logs.filter_log_events, logGroupName="/shop", filterPattern="{")
    assert code == "InvalidParameterException"
    assert message.startswith("Invalid filter pattern")


@pytest.mark.covers("logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy")
async def test_old_events_go_and_those_of_deleted_groups(logs, stores, stream):
    store, kept = stores
    put(logs, stream, (now() - 2 * HOUR, "x"))
    code, message = refused(logs.put_retention_policy, logGroupName="/shop", retentionInDays=2)
    assert code == "InvalidParameterException"
    assert "enum value set: [1, 3, 5" in message
    logs.put_retention_policy(logGroupName="/shop", retentionInDays=1)
    (group,) = logs.describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 1
    later = datetime.now(UTC) + timedelta(days=1)
    retention = LogRetention(store=store, logs=kept, clock=lambda: later)
    await retention.sweep()
    assert messages(logs.get_log_events(**stream)) == []
    logs.delete_retention_policy(logGroupName="/shop")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
    assert len(await kept.groups()) == 1
    logs.delete_log_group(logGroupName="/shop")
    await retention.sweep()
    assert await kept.groups() == []


@pytest.mark.covers(
    "logs:TagResource",
    "logs:UntagResource",
    "logs:ListTagsForResource",
    "logs:TagLogGroup",
    "logs:UntagLogGroup",
    "logs:ListTagsLogGroup",
)
def test_tags_by_arn_and_by_name(logs):
    logs.create_log_group(logGroupName="g", tags={"a": "1"})
    arn = f"{PREFIX}g"
    logs.tag_resource(resourceArn=arn, tags={"b": "2"})
    assert logs.list_tags_log_group(logGroupName="g")["tags"] == {"a": "1", "b": "2"}
    logs.tag_log_group(logGroupName="g", tags={"a": "3"})
    logs.untag_log_group(logGroupName="g", tags=["b"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "3"}
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}
    assert refused(logs.list_tags_for_resource, resourceArn=f"{PREFIX}none")[0] == (
        "ResourceNotFoundException"
    )
    many = {f"k{n}": "" for n in range(50)}
    logs.tag_resource(resourceArn=arn, tags=many)
    assert refused(logs.tag_resource, resourceArn=arn, tags={"one": "more"})[0] == (
        "TooManyTagsException"
    )
