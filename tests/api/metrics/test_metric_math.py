"""GetMetricData with expressions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError

from gateway_door import client_of, gateway_of, served
from openecs.api import cloudwatch as service

NOW = datetime.now(UTC).replace(second=0, microsecond=0)
BEGAN = NOW - timedelta(minutes=10)
RANGE = {
    "StartTime": BEGAN,
    "EndTime": BEGAN + timedelta(minutes=4),
    "ScanBy": "TimestampAscending",
}


@pytest.fixture
def cloudwatch():
    with served(gateway_of(service.SERVICE)) as url:
        client = client_of(url, "cloudwatch")
        data = [
            *(datum("Requests", n, value) for n, value in enumerate([10, 20, 40, 50])),
            *(datum("Errors", n, value) for n, value in [(0, 1), (2, 10)]),
            *(datum("Work", n, 1 + n, Queue="a") for n in range(4)),
            *(datum("Work", n, 10, Queue="b") for n in range(4)),
            datum("Work", 0, 7, Queue="b", Kind="c"),
        ]
        client.put_metric_data(Namespace="Shop", MetricData=data)
        yield client


def datum(name, minutes, value, **named):
    return {
        "MetricName": name,
        "Timestamp": BEGAN + timedelta(minutes=minutes),
        "Value": float(value),
        "Dimensions": [{"Name": key, "Value": text} for key, text in named.items()],
    }


def metric(id_, name, stat="Sum", *, period=60, **more):
    asked = {"Metric": {"Namespace": "Shop", "MetricName": name}, "Period": period, "Stat": stat}
    return {"Id": id_, "MetricStat": asked, "ReturnData": False, **more}


METRICS = [metric("requests", "Requests"), metric("errors", "Errors")]


def told(client, *queries, **more):
    return client.get_metric_data(MetricDataQueries=list(queries), **{**RANGE, **more})


def values(client, expression, **more):
    queries = [*METRICS, {"Id": "e", "Expression": expression, **more}]
    return [each["Values"] for each in told(client, *queries)["MetricDataResults"]]


def refused(client, *queries, **more):
    with pytest.raises(ClientError) as caught:
        told(client, *queries, **more)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.covers("cloudwatch:GetMetricData")
def test_expressions_of_metrics_and_of_each_other(cloudwatch):
    answer = told(
        cloudwatch,
        {"Id": "percent", "Expression": "share * 100", "Label": "failed"},
        {"Id": "share", "Expression": "errors / requests", "ReturnData": False},
        *METRICS,
    )
    (percent,) = answer["MetricDataResults"]
    assert percent["Id"] == "percent"
    assert percent["Label"] == "failed"
    assert percent["Values"] == [10.0, 0.0, 25.0, 0.0]
    assert percent["Timestamps"][0] == BEGAN
    assert percent["StatusCode"] == "Complete"


def test_numbers_alone_make_a_series_of_the_period_that_is_told(cloudwatch):
    assert values(cloudwatch, "TIME_SERIES(7)", Period=120) in ([[7.0, 7.0]], [[7.0, 7.0, 7.0]])
    assert values(cloudwatch, "FILL(errors, 0)") == [[1.0, 0.0, 10.0, 0.0]]


def test_divisions_by_zero_are_dropped_and_told(cloudwatch):
    queries = [*METRICS, {"Id": "e", "Expression": "requests / errors"}]
    (result,) = told(cloudwatch, *queries)["MetricDataResults"]
    assert result["Values"] == [10.0, 4.0]
    assert [each["Code"] for each in result["Messages"]] == ["ArithmeticError"]


def test_arrays_are_a_series_each_with_labels_of_their_own(cloudwatch):
    queries = [*METRICS, {"Id": "e", "Expression": "METRICS() * 2", "Label": "twice"}]
    first, second = told(cloudwatch, *queries)["MetricDataResults"]
    assert (first["Id"], first["Label"]) == ("e", "twice Requests")
    assert (second["Id"], second["Label"]) == ("e", "twice Errors")
    assert second["Values"] == [2.0, 20.0]


def test_searches_find_metrics(cloudwatch):
    search = "SEARCH('{Shop,Queue} MetricName=\"Work\"', 'Sum', 60)"
    first, second = told(cloudwatch, {"Id": "e", "Expression": search})["MetricDataResults"]
    assert (first["Label"], first["Values"]) == ("a", [1.0, 2.0, 3.0, 4.0])
    assert (second["Label"], second["Values"]) == ("b", [10.0] * 4)
    assert values(cloudwatch, f"SUM({search})") == [[11.0, 12.0, 13.0, 14.0]]
    assert values(cloudwatch, "SEARCH('{Shop} nothing', 'Sum', 60)") == []
    assert len(values(cloudwatch, "SEARCH('{Shop} work NOT Queue=a', 'Sum')")) == 2


def test_dynamic_labels(cloudwatch):
    search = "SEARCH('{Shop,Queue} MetricName=\"Work\"', 'Sum', 60)"
    dynamic = "${LABEL}: ${MAX} of ${PROP('Dim.Queue')} at ${LAST_TIME}"
    answer = told(
        cloudwatch,
        {"Id": "found", "Expression": search, "Label": dynamic},
        metric("one", "Requests", Label="${LABEL} ${SUM}", ReturnData=True),
        {"Id": "both", "Expression": "[one, one * 2]", "Label": "x"},
        {"Id": "sum", "Expression": "one + one", "Label": "${LAST} ${LABEL}"},
        LabelOptions={"Timezone": "+0200"},
    )
    labels = [each["Label"] for each in answer["MetricDataResults"]]
    last = BEGAN + timedelta(minutes=3)
    at = last.astimezone(timezone(timedelta(hours=2))).isoformat(sep=" ")
    assert labels == [
        f"a: 4 of a at {at}",
        f"b: 10 of b at {at}",
        "Requests 120",
        "x Requests 120",
        "x Requests 120",
        "100 sum",
    ]
    code, message = refused(
        cloudwatch, metric("m", "Requests", ReturnData=True), LabelOptions={"Timezone": "x"}
    )
    assert code == "ValidationError"
    assert "Timezone" in message


def test_a_search_that_finds_too_many_says_so(cloudwatch):
    many = [{"MetricName": f"many{n:03d}", "Value": 1.0} for n in range(120)]
    cloudwatch.put_metric_data(Namespace="Many", MetricData=many)
    answer = told(cloudwatch, {"Id": "e", "Expression": "SEARCH('{Many}', 'Sum', 60)"})
    assert len(answer["MetricDataResults"]) == 100
    assert [each["Code"] for each in answer["Messages"]] == ["MaxMetricsExceeded"]


def test_pages_of_expressions(cloudwatch):
    queries = [*METRICS, {"Id": "e", "Expression": "METRICS()"}]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, **RANGE, MaxDatapoints=3
    )
    told_values = [
        v for page in pages for each in page["MetricDataResults"] for v in each["Values"]
    ]
    assert told_values == [10.0, 20.0, 40.0, 50.0, 1.0, 10.0]


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ({"Expression": "requests +"}, "Error in expression 'e': it ends too early."),
        ({"Expression": "nothing + 1"}, "Error in expression 'e': the id nothing"),
        ({"Expression": "AVG(requests)"}, "must tell a time series"),
        ({"Expression": "ANOMALY_DETECTION_BAND(requests)"}, "OpenECS does not build anomaly"),
        ({"Expression": "SELECT AVG(a) FROM b"}, "OpenECS does not build Metrics Insights"),
        ({"Expression": "SEARCH('{Shop', 'Sum')"}, "Error in expression 'e': the search"),
        ({}, "Exactly one of the parameters MetricStat and Expression"),
        ({"Expression": "requests", "AccountId": "111111111111"}, "AccountId"),
        ({"Expression": "requests", "Period": 61}, "Period"),
    ],
)
def test_queries_that_make_no_sense(cloudwatch, query, part):
    code, message = refused(cloudwatch, *METRICS, {"Id": "e", **query})
    assert code in {"ValidationError", "InvalidParameterValue"}
    assert part in message


def test_some_query_is_to_return_data(cloudwatch):
    code, message = refused(cloudwatch, *METRICS)
    assert (code, message) == ("ValidationError", "At least one query must return data.")
    many = [metric(f"m{n}", "Requests", ReturnData=True) for n in range(501)]
    assert "more than 500" in refused(cloudwatch, *many)[1]
    assert "not unique" in refused(cloudwatch, *METRICS, *METRICS)[1]
