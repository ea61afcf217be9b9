"""Metrics as Prometheus takes them."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from openecs.gateway import exposition
from openecs.model.identity import Scope
from openecs.model.metrics import Metric, dimensions, of_value, of_values

SCOPE = Scope("123456789012", "eu-central-1")


def told(*metrics):
    text = exposition.text(metrics).decode()
    return [
        (sample.name, sample.labels, sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    ]


def test_each_statistic_is_a_gauge_named_as_the_exporter_names_it():
    metric = Metric(
        SCOPE, "AWS/ECS", "CPUUtilization", dimensions(ClusterName="c", ServiceName="s")
    )
    labels = {
        "account_id": "123456789012",
        "region": "eu-central-1",
        "cluster_name": "c",
        "service_name": "s",
    }
    assert told((metric, of_values([(1.0, 1.0), (3.0, 1.0)]))) == [
        ("aws_ecs_cpuutilization_sum", labels, 4.0),
        ("aws_ecs_cpuutilization_sample_count", labels, 2.0),
        ("aws_ecs_cpuutilization_minimum", labels, 1.0),
        ("aws_ecs_cpuutilization_maximum", labels, 3.0),
        ("aws_ecs_cpuutilization_average", labels, 2.0),
    ]


def test_metrics_of_one_name_are_one_family():
    both = [
        (Metric(SCOPE, "AWS/ApplicationELB", "RequestCount", dimensions(LoadBalancer=n)), value)
        for n, value in (("a", of_value(1.0)), ("b", of_value(2.0)))
    ]
    sums = [s for s in told(*both) if s[0] == "aws_application_elb_request_count_sum"]
    assert [(labels["load_balancer"], value) for _, labels, value in sums] == [("a", 1), ("b", 2)]


words = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Zs"]), min_size=1)


@given(st.lists(st.tuples(words, words, words, words), max_size=8))
def test_whatever_users_call_theirs_can_be_scraped(given_names):
    metrics = [
        (Metric(SCOPE, namespace, name, dimensions(**{key: value})), of_value(1.0))
        for namespace, name, key, value in given_names
    ]
    found = told(*metrics)
    assert len({(name, frozenset(labels.items())) for name, labels, _ in found}) == len(found)
