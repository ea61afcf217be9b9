"""What every placement keeps, whatever is asked of whatever instances."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from openecs.decide.placement import explain, filters, plan, providers
from openecs.decide.placement.ask import Ask
from openecs.decide.placement.candidates import Candidate, place
from openecs.decide.placement.resources import Resources
from openecs.model.clusters import CapacityProviderStrategyItem, ContainerInstanceStatus
from openecs.model.task_definitions import PlacementConstraint, PlacementStrategy

PORTS = st.frozensets(st.sampled_from(["80/tcp", "443/tcp", "53/udp"]), max_size=2)


def candidates(name: int) -> st.SearchStrategy[Candidate]:
    return st.builds(
        Candidate,
        id=st.just(f"i{name}"),
        arn=st.just(f"arn:i{name}"),
        machine=st.sampled_from([f"m{name}", "shared"]),
        status=st.sampled_from(
            [ContainerInstanceStatus.ACTIVE] * 3 + [ContainerInstanceStatus.DRAINING]
        ),
        connected=st.booleans(),
        attributes=st.fixed_dictionaries({"ecs.availability-zone": st.sampled_from("abc")}),
        free=st.just(Resources(cpu=1024, memory=1024, ports=frozenset())),
        agent_version=st.just("1"),
        ec2_instance_id=st.just(f"i-{name}"),
        registered_at=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
        groups=st.dictionaries(st.just("g"), st.integers(1, 3)),
    )


CLUSTERS = st.integers(0, 5).flatmap(lambda n: st.tuples(*[candidates(i) for i in range(n)]))
ASKS = st.builds(
    Ask,
    cpu=st.integers(0, 600),
    memory=st.integers(0, 600),
    host_ports=PORTS,
    constraints=st.sampled_from(
        [
            (),
            (PlacementConstraint(type="distinctInstance"),),
            (
                PlacementConstraint(
                    type="memberOf", expression="attribute:ecs.availability-zone == a"
                ),
            ),
        ]
    ),
    group=st.just("g"),
)
STRATEGIES = st.lists(
    st.sampled_from(
        [
            PlacementStrategy(type="random"),
            PlacementStrategy(type="spread", field="instanceId"),
            PlacementStrategy(type="spread", field="attribute:ecs.availability-zone"),
            PlacementStrategy(type="binpack", field="cpu"),
            PlacementStrategy(type="binpack", field="memory"),
        ]
    ),
    max_size=2,
).map(tuple)


@given(ASKS, st.integers(1, 6), CLUSTERS, STRATEGIES)
def test_every_placement_passes_every_filter_and_none_is_over_capacity(ask, count, cluster, ranked):
    known = cluster
    for outcome in plan.plan(ask, count, cluster, ranked, "seed"):
        if isinstance(outcome, plan.Unplaced):
            assert {c.id for c, _ in outcome.rejections} == {c.id for c in known}
            continue
        now = next(c for c in known if c.id == outcome.candidate.id)
        assert filters.reject(ask, now) is None
        known = place(now, ask, known)
        assert all(c.free.cpu >= 0 and c.free.memory >= 0 for c in known)


@given(ASKS, st.integers(1, 4), CLUSTERS, STRATEGIES, st.randoms())
def test_the_order_of_instances_does_not_matter(ask, count, cluster, ranked, random):
    shuffled = list(cluster)
    random.shuffle(shuffled)

    def names(outcome):
        return [p.candidate.id if isinstance(p, plan.Placed) else None for p in outcome]

    assert names(plan.plan(ask, count, cluster, ranked, "s")) == names(
        plan.plan(ask, count, shuffled, ranked, "s")
    )


@given(ASKS, CLUSTERS, STRATEGIES, candidates(9))
def test_another_instance_never_makes_a_single_ask_unplaceable(ask, cluster, ranked, more):
    (before,) = plan.plan(ask, 1, cluster, ranked, "s")
    (after,) = plan.plan(ask, 1, (*cluster, more), ranked, "s")
    if isinstance(before, plan.Placed):
        assert isinstance(after, plan.Placed)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=4),
    st.integers(0, 12),
)
def test_every_task_has_a_provider_and_bases_come_first(numbers, count):
    strategy = tuple(
        CapacityProviderStrategyItem(capacity_provider=f"p{n}", weight=weight, base=base)
        for n, (weight, base) in enumerate(numbers)
    )
    assume(providers.is_usable(strategy))
    chosen = Counter(providers.split(strategy, count))
    assert chosen.total() == count
    if count >= sum(item.base for item in strategy):
        assert all(chosen[item.capacity_provider] >= item.base for item in strategy)


@given(ASKS, CLUSTERS)
def test_the_closest_matching_instance_is_one_that_refused(ask, cluster):
    (outcome,) = plan.plan(ask, 1, cluster, (), "s")
    assume(isinstance(outcome, plan.Unplaced))
    found = explain.closest(outcome)
    assert (found is None) == (not cluster)
    assert found is None or (
        found in outcome.rejections and found[0].id in explain.explain(outcome)
    )
