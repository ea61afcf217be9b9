"""Metric filters, and the metrics they make of what is logged."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import cloudwatch, logs
from openecs.control.log_filters import LogFilters
from openecs.store.memory import MemoryStore
from openecs.store.memory_logs import MemoryLogStore
from openecs.store.memory_metrics import MemoryMetricStore

STATUS = {
    "metricName": "Bytes",
    "metricNamespace": "Shop",
    "metricValue": "$.bytes",
    "unit": "Bytes",
    "dimensions": {"Path": "$.path"},
}
ERRORS = {"metricName": "Errors", "metricNamespace": "Shop", "metricValue": "1", "defaultValue": 0}


class World:
    def __init__(self):
        self.store, self.kept, self.metrics = MemoryStore(), MemoryLogStore(), MemoryMetricStore()
        self.filters = LogFilters(store=self.store, logs=self.kept, metrics=self.metrics)


@pytest.fixture
def world():
    world = World()
    parts = {"logs": world.kept, "metrics": world.metrics}
    gateway = gateway_of(logs.SERVICE, cloudwatch.SERVICE, store=world.store, **parts)
    with served(gateway) as url:
        world.logs, world.cloudwatch = client_of(url, "logs"), client_of(url, "cloudwatch")
        world.logs.create_log_group(logGroupName="g")
        world.logs.create_log_stream(logGroupName="g", logStreamName="s")
        yield world


def put(world, name, pattern, transformation):
    world.logs.put_metric_filter(
        logGroupName="g",
        filterName=name,
        filterPattern=pattern,
        metricTransformations=[transformation],
    )


def log(world, *messages):
    at = int(time.time() * 1000)
    events = [{"timestamp": at, "message": message} for message in messages]
    world.logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)


def statistics(world, name, **dimensions):
    now = datetime.now(UTC)
    answer = world.cloudwatch.get_metric_statistics(
        Namespace="Shop",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=2),
        Period=3600,
        Statistics=["Sum", "SampleCount"],
    )
    points = answer["Datapoints"]
    return sum(p["Sum"] for p in points), sum(p["SampleCount"] for p in points)


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    return caught.value.response["Error"]["Code"]


@pytest.mark.covers("logs:PutMetricFilter", "logs:DescribeMetricFilters", "logs:DeleteMetricFilter")
def test_filters_come_and_go(world):
    put(world, "bytes", "{ $.bytes > 0 }", STATUS)
    put(world, "errors", "ERROR", ERRORS)
    first, second = world.logs.describe_metric_filters(logGroupName="g")["metricFilters"]
    assert first["metricTransformations"] == [STATUS]
    assert second["filterPattern"] == "ERROR"
    assert world.logs.describe_log_groups()["logGroups"][0]["metricFilterCount"] == 2
    (found,) = world.logs.describe_metric_filters(metricName="Errors", metricNamespace="Shop")[
        "metricFilters"
    ]
    assert found["filterName"] == "errors"
    pages = world.logs.get_paginator("describe_metric_filters").paginate(
        PaginationConfig={"PageSize": 1}
    )
    assert [f["filterName"] for p in pages for f in p["metricFilters"]] == ["bytes", "errors"]
    world.logs.delete_metric_filter(logGroupName="g", filterName="bytes")
    gone = {"logGroupName": "g", "filterName": "bytes"}
    assert refused(world.logs.delete_metric_filter, **gone) == "ResourceNotFoundException"
    world.logs.delete_log_group(logGroupName="g")
    assert world.logs.describe_metric_filters()["metricFilters"] == []


@pytest.mark.parametrize(
    ("pattern", "change"),
    [
        ("{", {}),
        ("a", {"metricValue": "x"}),
        ("a", {"defaultValue": 1}),
        ("a", {"dimensions": {"a": "b"}}),
    ],
)
def test_filters_that_cannot_be_meant(world, pattern, change):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        put(world, "x", pattern, STATUS | change)


async def test_what_is_logged_is_measured_once(world):
    log(world, "ERROR before")
    put(world, "bytes", "{ $.path = * }", STATUS)
    put(world, "errors", "ERROR", ERRORS)
    await world.filters.measure()
    log(world, '{"path": "/a", "bytes": 5}', '{"path": "/a", "bytes": 7}', "ERROR")
    log(world, '{"path": "/b", "bytes": "much"}', '{"bytes": 7}')
    for _ in range(2):
        await world.filters.measure()
    assert statistics(world, "Bytes", Path="/a") == (12.0, 2.0)
    assert statistics(world, "Bytes", Path="/b") == (0, 0)
    total, _ = statistics(world, "Errors")
    assert total == 1.0


@pytest.mark.covers("logs:TestMetricFilter")
def test_a_pattern_is_tried(world):
    answer = world.logs.test_metric_filter(
        filterPattern="[ip, ..., status = 4*]", logEventMessages=["a b 404", "a b 200", "c 400"]
    )
    assert answer["matches"] == [
        {
            "eventNumber": 1,
            "eventMessage": "a b 404",
            "extractedValues": {"$ip": "a", "$status": "404"},
        },
        {
            "eventNumber": 3,
            "eventMessage": "c 400",
            "extractedValues": {"$ip": "c", "$status": "400"},
        },
    ]
