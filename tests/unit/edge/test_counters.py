"""What Envoy's counters say."""

from hypothesis import given
from hypothesis import strategies as st

from openecs.edge import counters
from openecs.edge.counters import Counts, Requests

BALANCER = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/a/1"
OTHER = "arn:aws:elasticloadbalancing:r:1:loadbalancer/app/b/2"
GROUP = "arn:aws:elasticloadbalancing:r:1:targetgroup/g/3"


def stat(name, value):
    return {"name": name, "value": value}


SCOPE = f"openecs.first.{counters.told_as(BALANCER)}"


def requests(*, host="", group=GROUP, code="200", route="1 forward", details="via_upstream"):
    sharing = f".host.{host}" if host else ""
    kind = f"code.{code}.route.{route}.details.{details}"
    return f"{SCOPE}.requests{sharing}.group.{group}.{kind}"


def read(*stats, histograms=()):
    details = [{"name": name, "totals": totals} for name, totals in histograms]
    return counters.read({"stats": [*stats, {"histograms": {"details": details}}]})


def test_requests_are_known_by_who_answered_what():
    redirect = requests(group="", code="301", route="7 authenticate,redirect", details="direct")
    found = read(stat(requests(), 5), stat(redirect, 2))
    kind = Requests(balancer=BALANCER, group=GROUP, code=200, by_target=True, action="forward")
    other = Requests(balancer=BALANCER, group="", code=301, by_target=False, action="redirect")
    assert found.requests == {kind: 5, other: 2}


def test_what_no_target_answered_adds_up():
    refused = [requests(group="", code="400", route="", details=f"http1.{n}") for n in "ab"]
    found = read(*(stat(each, 1) for each in refused))
    assert found.requests == {
        Requests(balancer=BALANCER, group="", code=400, by_target=False, action="forward"): 2
    }


def test_those_at_a_shared_door_are_the_hosts_or_the_first_ones():
    found = read(stat(requests(host=OTHER), 1), stat(requests(host="all"), 2), stat(requests(), 4))
    assert {kind.balancer: n for kind, n in found.requests.items()} == {OTHER: 1, BALANCER: 6}


def test_a_request_without_an_answer_has_no_code():
    (kind,) = read(stat(requests(code="", details="downstream_remote_disconnect"), 1)).requests
    assert kind.code == 0


def test_bytes_of_both_ways_add_up():
    found = read(stat(f"{SCOPE}.received", 3), stat(f"{SCOPE}.sent.host.{OTHER}", 4))
    assert found.carried == {BALANCER: 3, OTHER: 4}
    found = read(stat(f"{SCOPE}.received", 3), stat(f"{SCOPE}.sent", 4))
    assert found.carried == {BALANCER: 7}


def test_connections_are_those_of_all_workers():
    found = read(
        stat("listener.door 80.downstream_cx_total", 7),
        stat("listener.door 80.worker_0.downstream_cx_total", 3),
        stat("udp.door 53 UDP.downstream_sess_total", 2),
        stat("cluster.arn_aws/x.upstream_cx_connect_fail", 1),
    )
    assert found.listeners == {
        ("door 80", "downstream_cx_total"): 7,
        ("door 53 UDP", "downstream_sess_total"): 2,
    }
    assert found.clusters == {("arn_aws/x", "upstream_cx_connect_fail"): 1}


def test_a_time_is_the_middle_of_its_bucket():
    name = f"{SCOPE}.target_us.group.{GROUP}"
    found = read(histograms=[(name, [{"lower_bound": 4300, "width": 100, "count": 2}])])
    assert found.times == {(BALANCER, GROUP): {4350.0: 2}}


def test_what_is_not_counted_for_load_balancers_is_left_out():
    assert read(stat("server.uptime", 5), stat("cluster.x.upstream_rq_total", 9)) == Counts()


names = st.sampled_from([("door 80", "downstream_cx_total"), ("own a", "downstream_cx_active")])
counted = st.dictionaries(names, st.integers(0, 100))


@given(before=counted, grown=counted)
def test_what_grew_is_told_and_gauges_as_they_are(before, grown):
    now = {key: before.get(key, 0) + grown.get(key, 0) for key in {**before, **grown}}
    found = counters.since(Counts(listeners=before), Counts(listeners=now)).listeners
    for key, value in now.items():
        is_gauge = key[1] == "downstream_cx_active"
        assert found[key] == (value if is_gauge else grown.get(key, 0))


@given(
    before=st.dictionaries(names, st.integers(0, 9)), now=st.dictionaries(names, st.integers(0, 9))
)
def test_nothing_is_ever_taken_back(before, now):
    found = counters.since(Counts(clusters=before), Counts(clusters=now)).clusters
    assert all(0 <= found[key] <= value for key, value in now.items())


def test_buckets_grow_each_for_itself():
    before = Counts(times={(BALANCER, GROUP): {10.0: 3, 20.0: 1}})
    now = Counts(times={(BALANCER, GROUP): {10.0: 5, 20.0: 1, 30.0: 2}})
    assert counters.since(before, now).times == {(BALANCER, GROUP): {10.0: 2, 30.0: 2}}
