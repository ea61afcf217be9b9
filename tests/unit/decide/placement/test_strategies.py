from __future__ import annotations

import pytest

from openecs.decide.placement import strategies
from openecs.decide.placement.ask import Ask
from openecs.model.task_definitions import PlacementStrategy
from openecs.testing.instances import an_instance

ASK = Ask(cpu=1, memory=1, group="g")


def chosen(candidates, *ranked: PlacementStrategy) -> str | None:
    ranking = strategies.Ranking(ASK, ranked, "seed", candidates, lambda _: True)
    found = ranking.best()
    return found and found.id


def by(type_: str, field: str | None = None) -> PlacementStrategy:
    return PlacementStrategy(type=type_, field=field)


@pytest.mark.parametrize("field", ["instanceId", "host", "INSTANCEID"])
def test_spread_over_instances_counts_the_own_group(field):
    instances = [
        an_instance("busy", groups={"other": 9}),
        an_instance("own", groups={"g": 1}),
    ]
    assert chosen(instances, by("spread", field)) == "busy"


def test_spread_over_an_attribute_that_some_lack():
    instances = [
        an_instance("r1", attributes={"rack": "r"}, groups={"g": 1}),
        an_instance("r2", attributes={"rack": "r"}),
        an_instance("none", attributes={}),
    ]
    assert chosen(instances, by("spread", "attribute:rack")) == "none"


def test_binpack_by_cpu_or_memory():
    instances = [an_instance("cpu", cpu=100), an_instance("memory", memory=100)]
    assert chosen(instances, by("binpack", "cpu")) == "cpu"
    assert chosen(instances, by("binpack", "MEMORY")) == "memory"


def test_the_first_strategy_goes_before_the_second():
    instances = [
        an_instance("a", zone="a", memory=100, groups={"g": 1}),
        an_instance("b1", zone="b", memory=500),
        an_instance("b2", zone="b", memory=400),
    ]
    ranked = by("spread", "attribute:ecs.availability-zone"), by("binpack", "memory")
    assert chosen(instances, *ranked) == "b2"
    assert chosen(instances, *ranked[::-1]) == "a"


def test_tasks_on_full_instances_count_in_their_zone():
    full = an_instance("full", zone="a", groups={"g": 5})
    free = an_instance("free", zone="a")
    other = an_instance("other", zone="b", groups={"g": 2})
    instances = [full, free, other]
    ranking = strategies.Ranking(ASK, (), "seed", instances, lambda c: c is not full)
    assert ranking.best() is other


def test_none_of_none():
    assert chosen([]) is None


@pytest.mark.parametrize(
    ("strategy", "known"),
    [
        (by("random"), True),
        (by("binpack", "Memory"), True),
        (by("binpack"), False),
        (by("spread", "attribute:x"), True),
        (by("spread", "cpu"), False),
        (by("spread"), False),
        (by("magic"), False),
    ],
)
def test_strategies_that_are_known(strategy, known):
    assert strategies.is_known(strategy) is known
