"""Which metrics a search is after: examples of the user guide, and their neighbours."""

from __future__ import annotations

import pytest

from openecs.decide.metric_math import evaluation, search
from openecs.decide.metric_math.search import Search
from openecs.decide.metric_math.series import Series
from openecs.decide.metric_math.syntax import MathProblem
from openecs.model.alarms import MetricDataQuery
from openecs.model.metrics import Metric, dimensions
from openecs.testing.builders import SCOPE

EC2 = [
    Metric(SCOPE, "AWS/EC2", name, dimensions(InstanceId=instance))
    for name in ("CPUUtilization", "NetworkPacketsIn")
    for instance in ("i-1234567890abcdef0", "i-2")
]
TYPED = Metric(SCOPE, "AWS/EC2", "CPUUtilization", dimensions(InstanceType="t2.micro"))
LAMBDA = [
    Metric(SCOPE, "AWS/Lambda", name, dimensions(FunctionName=function))
    for name in ("Errors", "Invocations", "Throttles")
    for function in ("ProjectA-work", "ProjectC")
]
OWN = [
    Metric(SCOPE, "Own", name)
    for name in ("CustomCount1", "SDBFailure", "Network-Errors-2", "Europe\\France Traffic(Net)")
]
ALL = [*EC2, TYPED, *LAMBDA, *OWN]


def found(query: str) -> set[str]:
    wanted = search.wanted(Search(query, "Sum", 60))
    told = search.found(wanted, ALL)
    return {" ".join((m.name, *(value for _, value in m.dimensions))) for m in told}


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization"', 2),
        ("{AWS/EC2,InstanceId}", 4),
        ("{AWS/EC2}", 5),
        ("{AWS/EC2,InstanceType}", 1),
        ("{AWS/EC2,InstanceId,InstanceType}", 0),
        ('"CPUUtilization"', 3),
        ('{AWS/EC2, InstanceType} "CPUUtilization"', 1),
        ('"AWS/EC2" MetricName="CPUUtilization"', 3),
        ("InstanceType=micro", 1),
        ('InstanceType="t2.micro" Namespace="AWS/EC2"', 1),
        ("{AWS/EC2,InstanceId} network AND packets", 2),
        ("{AWS/EC2,InstanceId} network packets", 2),
        ('{AWS/EC2,InstanceId} MetricName="CPUUtilization" NOT i-1234567890abcdef0', 1),
        ("NOT Namespace=AWS", 4),
        ("NOT (Namespace=AWS)", 4),
        ("(EC2 OR Lambda) AND MetricName=Errors", 2),
        ("(EC2 OR Lambda) MetricName=Errors", 2),
        ('{AWS/Lambda} "Errors" OR (MetricName="Invocations" AND (ProjectA OR Project7))', 3),
        (f':aws.AccountId="{SCOPE.account}" EC2', 5),
        (':aws.AccountId="1" EC2', 0),
        (":aws.AccountId='LOCAL' EC2", 5),
        ('{Own}, "CustomCount1"', 1),
        ('{"Own"} "customcount1"', 0),
        ('"Custom"', 0),
        ("count", 1),
        ("Count", 1),
        ("COUNT", 1),
        ("couNT", 0),
        ("CustomCount", 1),
        ("Count1", 1),
        ("customcount", 0),
        ("count1", 0),
        ("CustomCount1", 1),
        ("customcount1", 1),
        ("failure", 1),
        ("sdb", 1),
        ("network/errors", 1),
        ("network+errors", 1),
        ("network-errors", 1),
        ("Network_Errors", 1),
        ('"Network-Errors-2"', 1),
        ('"Network_Errors_2"', 0),
        (r'"Europe\\France Traffic\(Net\)"', 1),
        ("---", 0),
    ],
)
def test_searches(query, count):
    assert len(found(query)) == count


@pytest.mark.parametrize(
    "query",
    ["", "{", "{}", "{A", "{A,}", "NOT", "a AND", "(a", "a)", '"a', "a=", "=a", "(" * 31],
)
def test_searches_that_make_no_sense(query):
    with pytest.raises(MathProblem, match="SEARCH"):
        search.wanted(Search(query, "Sum", 60))


def test_metrics_are_told_apart_by_what_differs():
    assert search.labels(EC2[:2]) == ["i-1234567890abcdef0", "i-2"]
    assert search.labels(EC2[::2]) == [
        "i-1234567890abcdef0 CPUUtilization",
        "i-1234567890abcdef0 NetworkPacketsIn",
    ]
    assert search.labels(OWN[:1]) == ["CustomCount1"]


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("SEARCH()", "takes a search, a statistic and a period"),
        ("SEARCH(AVG)", "takes a search"),
        ("SEARCH('{A}', 'Mean')", "the statistic Mean"),
        ("SEARCH('{A}', 'Sum', 45)", "period"),
        ("SEARCH('{A', 'Sum', 60)", "makes no sense"),
        (f"SEARCH('{'a' * 1025}', 'Sum', 60)", "1024"),
    ],
)
def test_calls_that_make_no_sense(expression, part):
    with pytest.raises(MathProblem, match=part):
        evaluation.searches([MetricDataQuery(id="e", expression=expression)])


def test_what_is_searched_for():
    text = "SUM(SEARCH('{A} x', 'p90', 300)) + SUM(SEARCH('{A} x'))"
    queries = [
        MetricDataQuery(id="a", expression=text, period=60),
        MetricDataQuery(id="b", expression="SEARCH('{A} x', 'p90')"),
    ]
    assert evaluation.searches(queries) == [
        Search("{A} x", "p90", 300),
        Search("{A} x", "Average", 60),
    ]


def test_what_a_search_found_is_an_array():
    query = MetricDataQuery(id="e", expression="SUM(SEARCH('{Own}', 'Sum')) * 2", period=60)
    found = {Search("{Own}", "Sum", 60): (Series(60, {0: 1.0}), Series(60, {0: 2.0, 60: 3.0}))}
    known = evaluation.Known(metrics={}, searches=found, start=0, end=120)
    assert evaluation.evaluated([query], known)["e"].series.values == {0: 6.0, 60: 6.0}
