"""The awslogs driver: what real containers print is in CloudWatch Logs, once."""

from __future__ import annotations

import select
import subprocess
import sys
import time
import uuid

import pytest

from openecs_server import eventually
from tasks import Tasks

COUNT = 400
LONG = "head -c 300000 /dev/zero | tr '\\0' x"
PRINTS = f"echo one; echo; echo two >&2; {LONG}; echo; printf three"


def awslogs(group, **options):
    known = {"awslogs-group": group, "awslogs-region": "us-east-1", **options}
    return {"logDriver": "awslogs", "options": known}


def new_group():
    return f"/shop/{uuid.uuid4().hex[:8]}"


def messages(logs, group, stream=None):
    members = {"logGroupName": group, **({"logStreamNames": [stream]} if stream else {})}
    pages = logs.get_paginator("filter_log_events").paginate(**members)
    return [event["message"] for page in pages for event in page["events"]]


def test_output_is_told_by_api_and_cli(server, tasks):
    logs, group = server.client("logs"), new_group()
    options = {"awslogs-stream-prefix": "ecs", "awslogs-create-group": "true"}
    arn = tasks.launch(
        {
            "command": ["sh", "-c", PRINTS],
            "logConfiguration": awslogs(group, **options),
        },
        {
            "name": "traces",
            "essential": False,
            "command": ["printf", "ERR a\\n  at b\\nERR c\\n"],
            "logConfiguration": awslogs(group, **options, **{"awslogs-multiline-pattern": "^ERR"}),
        },
    )
    tasks.stopped(arn)
    stream = f"ecs/app/{arn.rpartition('/')[2]}"

    def told():
        answer = server.aws(
            *("logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream)
        )
        found = [event["message"] for event in answer["events"]]
        return found if "three" in found else None

    found = eventually(told)
    # Which of the two outputs comes first is not known.
    assert sorted(text for text in found if len(text) < 10) == ["one", "three", "two"]
    assert sum(len(text) for text in found if len(text) > 10) == 300_000
    traces = stream.replace("/app/", "/traces/")
    expected = ["ERR a\n  at b", "ERR c"]
    assert eventually(lambda: (f := messages(logs, group, traces)) == expected and f) == expected


def test_a_group_that_is_not_there_fails_the_task(tasks):
    arn = tasks.launch({"logConfiguration": awslogs(new_group())})
    task = tasks.stopped(arn)
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == (
        "ResourceInitializationError: failed to validate logger args: create stream has been "
        "retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The "
        "specified log group does not exist. : exit status 1"
    )


def test_nothing_is_lost_or_doubled_when_the_process_is_killed(own_server):
    own_server.start()
    tasks, group = Tasks(own_server), new_group()
    own_server.client("logs").create_log_group(logGroupName=group)
    loop = f"i=0; while [ $i -lt {COUNT} ]; do echo $i; i=$((i+1)); usleep 10000; done"
    arn = tasks.launch({"command": ["sh", "-c", loop], "logConfiguration": awslogs(group)})
    for reached in (50, 150):
        eventually(lambda n=reached: len(messages(own_server.client("logs"), group)) > n)
        own_server.kill()
        own_server.start()
    tasks.stopped(arn)
    logs = own_server.client("logs")
    found = eventually(lambda: (f := messages(logs, group)) and f[-1] == f"{COUNT - 1}" and f)
    assert found == [f"{number}" for number in range(COUNT)]
    (stream,) = logs.describe_log_streams(logGroupName=group)["logStreams"]
    container = tasks.describe(arn)["containers"][0]
    assert stream["logStreamName"] == container["runtimeId"]


@pytest.mark.covers("logs:StartLiveTail")
def test_live_tail_goes_on_until_the_server_stops(own_server):
    own_server.start()
    logs, group = own_server.client("logs", inject_host_prefix=False), new_group()
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    (found,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    follow = ["logs", "start-live-tail", "--log-group-identifiers", found["logGroupArn"]]
    cli = subprocess.Popen(
        [sys.executable, "-m", "awscli", *follow],
        env=own_server.client_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer = logs.start_live_tail(logGroupIdentifiers=[found["logGroupArn"]])
    stream = iter(answer["responseStream"])
    assert "sessionStart" in next(stream)

    def is_told():
        event = {"timestamp": int(time.time() * 1000), "message": "hello"}
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])
        return select.select([cli.stdout], [], [], 1)[0]

    eventually(is_told)
    assert "hello" in cli.stdout.readline()
    assert own_server.stop() == 0
    assert [e["message"] for u in stream for e in u["sessionUpdate"]["sessionResults"]]
    cli.terminate()
    cli.communicate(timeout=30)
