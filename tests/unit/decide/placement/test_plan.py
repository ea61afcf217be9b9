from __future__ import annotations

import pytest

from openecs.decide.placement import plan, providers
from openecs.decide.placement.ask import Ask, ask_of
from openecs.decide.placement.filters import Rejection
from openecs.model.clusters import CapacityProviderStrategyItem, ContainerInstanceStatus
from openecs.model.task_definitions import NetworkMode, PlacementStrategy, PortMapping
from openecs.model.tasks import ContainerOverride, TaskOverride
from openecs.testing.builders import a_container_definition, a_task_definition
from openecs.testing.instances import an_instance

ASK = Ask(cpu=256, memory=256, group="g")


def placed(ask, count, candidates, *strategies, seed="s") -> list[str | None]:
    outcome = plan.plan(ask, count, candidates, strategies, seed)
    return [p.candidate.id if isinstance(p, plan.Placed) else None for p in outcome]


def test_tasks_spread_over_zones_then_instances():
    instances = [an_instance("a1"), an_instance("a2"), an_instance("b1", zone="b")]
    chosen = placed(ASK, 4, instances)
    assert sorted(chosen) == ["a1", "a2", "b1", "b1"]


def test_binpack_fills_the_fullest_first():
    instances = [an_instance("empty"), an_instance("full", memory=512)]
    binpack = PlacementStrategy(type="binpack", field="memory")
    assert placed(ASK, 3, instances, binpack) == ["full", "full", "empty"]


def test_random_depends_on_the_seed_only():
    instances = [an_instance(str(n)) for n in range(8)]
    by_chance = PlacementStrategy(type="random")
    first = placed(ASK, 8, instances, by_chance)
    assert placed(ASK, 8, instances[::-1], by_chance) == first
    assert placed(ASK, 8, instances, by_chance, seed="other") != first


def test_two_instances_of_one_machine_share_it():
    instances = [an_instance("x", machine="m"), an_instance("y", machine="m")]
    assert placed(Ask(cpu=600, memory=1), 2, instances).count(None) == 1


def test_why_each_instance_refused():
    instances = [
        an_instance("small", memory=1),
        an_instance("away", connected=False),
        an_instance("draining", status=ContainerInstanceStatus.DRAINING),
    ]
    (outcome,) = plan.plan(ASK, 1, instances, (), "s")
    assert isinstance(outcome, plan.Unplaced)
    assert {c.id: r for c, r in outcome.rejections} == {
        "small": Rejection.MEMORY,
        "away": Rejection.AGENT,
        "draining": Rejection.INACTIVE,
    }


@pytest.mark.parametrize(
    ("mode", "ports"),
    [
        (NetworkMode.BRIDGE, {"8080/tcp"}),
        (NetworkMode.HOST, {"80/tcp", "8080/tcp", "53/udp"}),
        (NetworkMode.AWSVPC, set()),
    ],
)
def test_host_ports_by_network_mode(mode, ports):
    mappings = (
        PortMapping(container_port=80, host_port=None if mode is not NetworkMode.HOST else 80),
        PortMapping(container_port=8080, host_port=8080),
        PortMapping(container_port=53, protocol="udp"),
    )
    definition = a_task_definition(
        "f", 1, a_container_definition(port_mappings=mappings), network_mode=mode
    )
    assert ask_of(definition, TaskOverride()).host_ports == ports


def test_the_size_of_a_task():
    containers = (
        a_container_definition("a", cpu=100, memory=64, memory_reservation=32),
        a_container_definition("b", cpu=50, memory=64),
    )
    definition = a_task_definition("f", 1, *containers)
    ask = ask_of(definition, TaskOverride())
    assert (ask.cpu, ask.memory) == (150, 96)
    override = ContainerOverride(name="b", cpu=200, memory=128)
    ask = ask_of(definition, TaskOverride(container_overrides=(override,)))
    assert (ask.cpu, ask.memory) == (300, 160)
    sized = a_task_definition("f", 1, *containers, cpu=1024, memory=2048)
    ask = ask_of(sized, TaskOverride(container_overrides=(override,)))
    assert (ask.cpu, ask.memory) == (1024, 2048)


def test_providers_are_filled_by_base_then_weight():
    strategy = (
        CapacityProviderStrategyItem(capacity_provider="a", base=2, weight=1),
        CapacityProviderStrategyItem(capacity_provider="b", weight=4),
    )
    chosen = providers.split(strategy, 12)
    assert chosen[:2] == ("a", "a")
    assert (chosen.count("a"), chosen.count("b")) == (4, 8)
    assert providers.split(strategy, 2, {"a": 2, "b": 0}).count("b") >= 1
    unweighted = (CapacityProviderStrategyItem(capacity_provider="a", base=1),)
    assert providers.split(unweighted, 3) == ("a", "a", "a")


@pytest.mark.parametrize(
    ("weights", "usable"), [((), False), ((0,), True), ((0, 0), False), ((0, 1), True)]
)
def test_several_providers_need_a_weight(weights, usable):
    strategy = tuple(
        CapacityProviderStrategyItem(capacity_provider=f"p{n}", weight=weight)
        for n, weight in enumerate(weights)
    )
    assert providers.is_usable(strategy) is usable
    if usable:
        assert set(providers.split(strategy, 3)) == {f"p{len(weights) - 1}"}
