"""PutMetricData and what is read back, in each protocol that SDKs speak."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import cloudwatch as service

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
BEGAN = NOW - timedelta(minutes=10)
RANGE = {"StartTime": BEGAN, "EndTime": NOW + timedelta(minutes=2)}
HITS = {"Namespace": "Shop", "MetricName": "Hits"}


@pytest.fixture
def door():
    with served(gateway_of(service.SERVICE)) as url:
        yield url


@pytest.fixture
def cloudwatch(door):
    return client_of(door, "cloudwatch")


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def put(client, *data, namespace="Shop"):
    client.put_metric_data(Namespace=namespace, MetricData=list(data))


def hit(value, minutes=0, **more):
    at = BEGAN + timedelta(minutes=minutes)
    return {"MetricName": "Hits", "Timestamp": at, "Value": value, **more}


@pytest.mark.covers("cloudwatch:PutMetricData", "cloudwatch:GetMetricStatistics")
def test_what_is_put_is_told(cloudwatch):
    put(cloudwatch, hit(1), hit(3), hit(10, minutes=1, Unit="Count"))
    answer = cloudwatch.get_metric_statistics(
        **HITS,
        **RANGE,
        Period=60,
        Statistics=["SampleCount", "Average", "Sum", "Minimum", "Maximum"],
    )
    assert answer["Label"] == "Hits"
    first, second = sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])
    assert first == {
        "Timestamp": BEGAN,
        "SampleCount": 2.0,
        "Average": 2.0,
        "Sum": 4.0,
        "Minimum": 1.0,
        "Maximum": 3.0,
        "Unit": "None",
    }
    assert (second["Sum"], second["Unit"]) == (10.0, "Count")
    counted = cloudwatch.get_metric_statistics(
        **HITS, **RANGE, Period=300, Statistics=["Sum"], Unit="Count"
    )
    assert [point["Sum"] for point in counted["Datapoints"]] == [10.0]


def test_values_with_counts_sets_and_percentiles(cloudwatch):
    values = {"MetricName": "Hits", "Timestamp": BEGAN}
    put(cloudwatch, {**values, "Values": [1.0, 2.0, 100.0], "Counts": [50.0, 49.0, 1.0]})
    asked = {**HITS, **RANGE, "Period": 60}
    (point,) = cloudwatch.get_metric_statistics(
        **asked, Statistics=["SampleCount"], ExtendedStatistics=["p50", "p99", "p99.9"]
    )["Datapoints"]
    assert point["SampleCount"] == 100.0
    assert point["ExtendedStatistics"] == {"p50": 1.0, "p99": 2.0, "p99.9": 100.0}
    known = {"SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 4.0}
    put(cloudwatch, {**values, "MetricName": "Set", "StatisticValues": known})
    (point,) = cloudwatch.get_metric_statistics(
        **{**asked, "MetricName": "Set"}, Statistics=["Average"], ExtendedStatistics=["p50"]
    )["Datapoints"]
    assert point["Average"] == 2.5
    assert "ExtendedStatistics" not in point


EXTENDED = {
    "p90": 9.0,
    "tm90": 5.0,
    "TM(10%:90%)": 5.5,
    "TM(2:5)": 4.0,
    "IQM": 5.5,
    "WM(20%:80%)": 5.5,
    "tc90": 9.0,
    "TS(80%:)": 19.0,
    "PR(:3)": 30.0,
}


def test_extended_statistics(cloudwatch):
    values = {"MetricName": "Hits", "Timestamp": BEGAN, "Values": [float(n + 1) for n in range(10)]}
    put(cloudwatch, values)
    (point,) = cloudwatch.get_metric_statistics(
        **HITS, **RANGE, Period=60, ExtendedStatistics=list(EXTENDED)
    )["Datapoints"]
    assert point["ExtendedStatistics"] == pytest.approx(EXTENDED)
    queries = [
        {"Id": f"m{n}", "MetricStat": {"Metric": HITS, "Period": 60, "Stat": stat}}
        for n, stat in enumerate(EXTENDED)
    ]
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, **RANGE)
    found = [value for each in answer["MetricDataResults"] for value in each["Values"]]
    assert found == pytest.approx(list(EXTENDED.values()))


def test_high_resolution(cloudwatch):
    for second in range(0, 30, 5):
        at = BEGAN + timedelta(seconds=second)
        put(cloudwatch, {**hit(second), "Timestamp": at, "StorageResolution": 1})
    answer = cloudwatch.get_metric_statistics(**HITS, **RANGE, Period=10, Statistics=["Sum"])
    told = sorted((point["Timestamp"], point["Sum"]) for point in answer["Datapoints"])
    assert [value for _, value in told] == [5.0, 25.0, 45.0]


@pytest.mark.covers("cloudwatch:GetMetricData")
def test_several_series_at_once_page_by_page(cloudwatch):
    put(cloudwatch, *(hit(n, minutes=n) for n in range(5)))
    put(
        cloudwatch,
        *(hit(10 * n, minutes=n, Dimensions=[{"Name": "a", "Value": "b"}]) for n in range(3)),
    )

    def query(name, stat, **more):
        metric = {**HITS, "Dimensions": more.pop("dimensions", [])}
        return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **more}

    queries = [
        query("all", "Sum", Label="hits"),
        query("hidden", "Sum", ReturnData=False),
        query("one", "Average", dimensions=[{"Name": "a", "Value": "b"}]),
        query("none", "p90", dimensions=[{"Name": "a", "Value": "c"}]),
    ]
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=queries, **RANGE, ScanBy="TimestampAscending"
    )
    told = {each["Id"]: each for each in answer["MetricDataResults"]}
    assert told["all"]["Label"] == "hits"
    assert told["all"]["Values"] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert told["all"]["Timestamps"][0] == BEGAN
    assert told["one"]["Values"] == [0.0, 10.0, 20.0]
    assert (told["none"]["Values"], told["none"]["StatusCode"]) == ([], "Complete")
    assert "hidden" not in told
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, **RANGE, MaxDatapoints=3
    )
    values: dict[str, list[float]] = {}
    states = []
    for page in pages:
        states.append([each["StatusCode"] for each in page["MetricDataResults"]])
        for each in page["MetricDataResults"]:
            values.setdefault(each["Id"], []).extend(each["Values"])
    partial, whole = "PartialData", "Complete"
    assert states == [[partial], [whole, partial], [whole, whole]]
    with pytest.raises(ClientError, match="InvalidNextToken"):
        cloudwatch.get_metric_data(MetricDataQueries=queries, **RANGE, NextToken="MTA=")
    assert values["all"] == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert values["one"] == [20.0, 10.0, 0.0]


@pytest.mark.covers("cloudwatch:ListMetrics")
def test_metrics_are_listed_page_by_page(cloudwatch):
    data = [{"MetricName": f"m{n:04d}", "Value": 1.0} for n in range(700)]
    put(cloudwatch, *data)
    put(cloudwatch, hit(1, Dimensions=[{"Name": "a", "Value": "b"}]), namespace="Other")
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="Shop"))
    assert [len(page["Metrics"]) for page in pages] == [500, 200]
    (found,) = cloudwatch.list_metrics(Dimensions=[{"Name": "a"}])["Metrics"]
    assert found == {
        "Namespace": "Other",
        "MetricName": "Hits",
        "Dimensions": [{"Name": "a", "Value": "b"}],
    }
    recent = cloudwatch.list_metrics(MetricName="m0001", RecentlyActive="PT3H")["Metrics"]
    assert len(recent) == 1
    assert refused(cloudwatch.list_metrics, NextToken="?")[0] == "InvalidNextToken"


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": float("inf")}, "InvalidParameterValue"),
        ({"Value": 1e200}, "InvalidParameterValue"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
        ({"Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 5}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": NOW + timedelta(hours=3)}, "InvalidParameterValue"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is(cloudwatch, datum, code):
    data = [{"MetricName": "Good", "Value": 1.0}, {"MetricName": "Bad", **datum}]
    assert refused(cloudwatch.put_metric_data, Namespace="Shop", MetricData=data)[0] == code
    assert cloudwatch.list_metrics()["Metrics"] == []


def test_namespaces_of_aws_are_aws_s(cloudwatch):
    assert (
        refused(cloudwatch.put_metric_data, Namespace="AWS/ECS", MetricData=[{"MetricName": "a"}])[
            0
        ]
        == "InvalidParameterValue"
    )


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"Period": 45}, "InvalidParameterValue", "Period"),
        ({"Period": 1}, None, ""),
        ({"StartTime": NOW - timedelta(days=3)}, "InvalidParameterCombination", "1,440"),
        ({"EndTime": BEGAN}, "InvalidParameterCombination", "StartTime"),
        ({"ExtendedStatistics": ["tm900"]}, "InvalidParameterValue", "tm900"),
    ],
)
def test_questions_that_make_no_sense(cloudwatch, changes, code, part):
    asked = {**HITS, **RANGE, "Period": 60, "Statistics": ["Sum"], **changes}
    if code is None:
        assert cloudwatch.get_metric_statistics(**asked)["Datapoints"] == []
        return
    found, message = refused(cloudwatch.get_metric_statistics, **asked)
    assert found == code
    assert part in message


def test_some_statistic_is_to_be_asked_for(cloudwatch):
    code, message = refused(cloudwatch.get_metric_statistics, **HITS, **RANGE, Period=60)
    assert code == "MissingParameter"
    assert "Statistics" in message


def test_a_body_that_is_packed(door):
    cloudwatch = client_of(door, "cloudwatch", request_min_compression_size_bytes=1)
    sent = []
    cloudwatch.meta.events.register(
        "before-send.cloudwatch", lambda request, **_: sent.append(request)
    )
    put(cloudwatch, hit(7))
    assert sent[0].headers["Content-Encoding"] in {"gzip", b"gzip"}
    body = sent[0].body
    unpacked = gzip.decompress(body if isinstance(body, bytes) else body.read())
    assert json.loads(unpacked)["Namespace"] == "Shop"
    assert len(cloudwatch.list_metrics()["Metrics"]) == 1


def test_many_datapoints_at_once_are_all_checked(cloudwatch):
    many = [hit(n, minutes=n % 5, Dimensions=[{"Name": "a", "Value": "b"}]) for n in range(300)]
    put(cloudwatch, *many)
    dimension = many[0]["Dimensions"]
    asked = {**HITS, **RANGE, "Dimensions": dimension, "Period": 60, "Statistics": ["SampleCount"]}
    points = cloudwatch.get_metric_statistics(**asked)["Datapoints"]
    assert sorted(each["SampleCount"] for each in points) == [60.0] * 5
    for wrong in (
        hit(1, Unit="Parsecs"),
        {**hit(1), "MetricName": "x" * 256},
        {"MetricName": "Hits"},
    ):
        alone = refused(put_checked, client=cloudwatch, data=[wrong])
        among = refused(put_checked, client=cloudwatch, data=[wrong, *many])
        assert among == alone


def put_checked(client, data):
    client.put_metric_data(Namespace="Shop", MetricData=data)
