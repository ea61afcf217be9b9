"""The metrics of load balancers, by the names and dimensions of AWS."""

import pytest

from openecs.edge import traffic
from openecs.edge.counters import Counts, Requests, told_as
from openecs.edge.traffic import Facts, GroupFacts
from openecs.model.load_balancing import LoadBalancerType
from openecs.model.metrics import dimensions
from openecs.testing.builders import NOW, a_load_balancer, a_target_group

BALANCER, GROUP = a_load_balancer().arn, a_target_group().arn
OF = dimensions(LoadBalancer=BALANCER.partition(":loadbalancer/")[2])
TARGETS = dict(OF, TargetGroup=GROUP.rpartition(":")[2])
IN_GROUP = dimensions(**TARGETS)
ALONE = dimensions(TargetGroup=TARGETS["TargetGroup"])
APPLICATION, NETWORK = LoadBalancerType.APPLICATION, LoadBalancerType.NETWORK


def told(counts, *, kind=APPLICATION, healthy=1, registered=1, ends_minute=True):
    group = GroupFacts(
        arn=GROUP,
        balancers=(BALANCER,),
        registered=registered,
        healthy=healthy,
        unhealthy=registered - healthy,
    )
    facts = Facts(balancers={BALANCER: kind}, groups=(group,), listeners={BALANCER: ("own a:b",)})
    found = traffic.samples(counts, facts, NOW, ends_minute=ends_minute)
    assert {each.metric.namespace for each in found} == {traffic.NAMESPACES[kind]}
    return {(each.metric.name, each.metric.dimensions): each.statistics for each in found}


def answered(code, count=1, *, group=GROUP, by_target=True, action="forward"):
    kind = Requests(balancer=BALANCER, group=group, code=code, by_target=by_target, action=action)
    return Counts(requests={kind: count})


def test_requests_are_counted_by_load_balancer_and_group():
    found = told(answered(200, 10))
    assert found["RequestCount", OF].sum == 10
    assert found["RequestCount", IN_GROUP].sum == 10
    assert found["HTTPCode_Target_2XX_Count", OF].sum == 10
    assert found["HTTPCode_Target_2XX_Count", IN_GROUP].sum == 10


@pytest.mark.parametrize(("healthy", "registered", "share"), [(2, 4, 5), (0, 5, 2), (0, 0, 10)])
def test_requests_are_shared_by_healthy_targets_or_else_by_all(healthy, registered, share):
    found = told(answered(200, 10), healthy=healthy, registered=registered)
    assert found["RequestCountPerTarget", ALONE].sum == share
    assert found["RequestCountPerTarget", IN_GROUP].sum == share


def test_no_requests_are_told_too():
    found = told(Counts())
    assert found["RequestCount", OF].sum == 0
    assert found["RequestCountPerTarget", ALONE].sum == 0
    assert not [name for name, _ in found if name.startswith("HTTPCode")]


def test_what_the_load_balancer_answers_for_a_target_is_its_own():
    found = told(answered(503, by_target=False))
    assert found["HTTPCode_ELB_5XX_Count", OF].sum == 1
    assert found["HTTPCode_ELB_503_Count", OF].sum == 1
    assert ("HTTPCode_ELB_5XX_Count", IN_GROUP) not in found
    assert found["RequestCount", OF].sum == 1


def test_redirects_and_fixed_responses_reach_no_target():
    found = told(answered(301, group="", by_target=False, action="redirect"))
    assert found["HTTP_Redirect_Count", OF].sum == 1
    assert found["HTTPCode_ELB_3XX_Count", OF].sum == 1
    assert found["RequestCount", OF].sum == 0
    found = told(answered(200, group="", by_target=False, action="fixed-response"))
    assert found["HTTP_Fixed_Response_Count", OF].sum == 1
    assert ("HTTPCode_ELB_2XX_Count", OF) not in found


def test_times_are_seconds():
    found = told(Counts(times={(BALANCER, GROUP): {1e6: 3, 3e6: 1}}))
    time = found["TargetResponseTime", IN_GROUP]
    assert (time.count, time.sum, time.maximum) == (4, 6, 3)
    assert found["TargetResponseTime", OF].values == ((1.0, 3.0), (3.0, 1.0))


def listened(**found):
    names = {"total": "downstream_cx_total", "active": "downstream_cx_active"}
    return {(told_as("own a:b"), names[name]): value for name, value in found.items()}


def test_connections_are_told_of_listeners():
    found = told(Counts(listeners=listened(total=3, active=2), carried={BALANCER: 100}))
    assert found["NewConnectionCount", OF].sum == 3
    assert found["ActiveConnectionCount", OF].sum == 2
    assert found["ProcessedBytes", OF].sum == 100


def test_gauges_are_told_once_a_minute():
    found = told(Counts(listeners=listened(active=2)), ends_minute=False)
    assert {name for name, _ in found} == {
        "NewConnectionCount",
        "ProcessedBytes",
        "RequestCount",
        "RequestCountPerTarget",
    }


def test_hosts_are_told_of_groups_that_have_some():
    found = told(Counts(), healthy=1, registered=3)
    assert found["HealthyHostCount", IN_GROUP].sum == 1
    assert found["UnHealthyHostCount", IN_GROUP].sum == 2
    assert ("HealthyHostCount", IN_GROUP) not in told(Counts(), healthy=0, registered=0)


def test_network_load_balancers_carry_flows():
    carried = {(told_as(GROUP), f"upstream_cx_{way}x_bytes_total"): 50 for way in "rt"}
    found = told(Counts(listeners=listened(total=3, active=2), clusters=carried), kind=NETWORK)
    assert found["NewFlowCount", OF].sum == 3
    assert found["ActiveFlowCount", OF].sum == 2
    assert found["ProcessedBytes", OF].sum == 100
    assert not [name for name, _ in found if name.startswith("Request")]


def test_failed_connections_to_targets():
    failed = {(told_as(GROUP), "upstream_cx_connect_fail"): 2}
    assert told(Counts(clusters=failed))["TargetConnectionErrorCount", IN_GROUP].sum == 2


def test_what_is_deleted_meanwhile_is_counted_no_more():
    facts = Facts(balancers={})
    assert traffic.samples(answered(200), facts, NOW, ends_minute=True) == []
