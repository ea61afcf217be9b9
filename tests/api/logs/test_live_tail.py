"""Live Tail over a real socket."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from gateway_door import ACCOUNT, client_of, gateway_of, served
from openecs.api import logs

GROUP = f"arn:aws:logs:eu-central-1:{ACCOUNT}:log-group:g"


@pytest.fixture
def client():
    gateway = gateway_of(logs.SERVICE)
    with served(gateway) as url:
        client = client_of(url, "logs", inject_host_prefix=False)
        client.create_log_group(logGroupName="g")
        for name in "a", "b":
            client.create_log_stream(logGroupName="g", logStreamName=name)
        yield client


def log(client, *messages, stream="a"):
    at = int(time.time() * 1000)
    events = [{"timestamp": at, "message": message} for message in messages]
    client.put_log_events(logGroupName="g", logStreamName=stream, logEvents=events)


def updates(stream):
    for event in stream:
        update = event["sessionUpdate"]
        if update["sessionResults"]:
            yield update


@pytest.mark.covers("logs:StartLiveTail")
def test_what_is_logged_is_told_as_it_comes(client):
    log(client, "before")
    answer = client.start_live_tail(
        logGroupIdentifiers=[GROUP], logEventFilterPattern="-fine", logStreamNames=["a"]
    )
    stream = iter(answer["responseStream"])
    start = next(stream)["sessionStart"]
    assert start["logGroupIdentifiers"] == [GROUP]
    log(client, "fine", "ERROR")
    log(client, "ERROR of another", stream="b")
    update = next(updates(stream))
    assert update["sessionMetadata"] == {"sampled": False}
    (event,) = update["sessionResults"]
    assert event["message"] == "ERROR"
    assert event["logGroupIdentifier"] == f"{ACCOUNT}:g"
    log(client, *(f"{number}" for number in range(1_200)))
    update = next(updates(stream))
    assert update["sessionMetadata"] == {"sampled": True}
    assert len(update["sessionResults"]) == 500
    answer["responseStream"].close()


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"logGroupIdentifiers": ["g"]}, "InvalidParameterException"),
        ({"logGroupIdentifiers": [f"{GROUP}x"]}, "ResourceNotFoundException"),
        (
            {"logGroupIdentifiers": [GROUP], "logEventFilterPattern": "{"},
            "InvalidParameterException",
        ),
        (
            {
                "logGroupIdentifiers": [GROUP],
                "logStreamNames": ["a"],
                "logStreamNamePrefixes": ["a"],
            },
            "InvalidParameterException",
        ),
    ],
)
def test_what_cannot_be_meant(client, members, code):
    with pytest.raises(ClientError) as caught:
        client.start_live_tail(**members)
    assert caught.value.response["Error"]["Code"] == code
