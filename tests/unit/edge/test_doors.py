"""Who of those that share a door is meant by the name of a handshake."""

from __future__ import annotations

from pathlib import Path

from openecs.edge import listeners
from openecs.edge.listeners import Front
from openecs.model.load_balancing import Condition, Rule
from openecs.testing.builders import SCOPE, a_listener, a_load_balancer


def a_front(name: str, *hosts: str) -> Front:
    balancer = a_load_balancer(name)
    listener = a_listener(load_balancer=balancer.path, protocol="HTTPS", port=443)
    conditions = tuple(Condition(field="host-header", values=(host,)) for host in hosts)
    rule = Rule(
        scope=SCOPE,
        listener=listener.path,
        id="1".zfill(16),
        priority=1,
        conditions=conditions,
        actions=(),
    )
    return Front(balancer=balancer, listener=listener, rules=(rule,))


def test_a_name_that_rules_are_for_belongs_to_who_was_there_first() -> None:
    fronts = [
        a_front("a", "One.test", "*.any.test"),
        a_front("b", "one.test", "two.test"),
        a_front("c", "two.test"),
    ]
    door = listeners.door(fronts, "127.0.0.1", Path("/xds"))
    names = [chain.get("filter_chain_match") for chain in door["filter_chains"]]
    b, c = (front.balancer.dns_name for front in fronts[1:])
    assert names == [{"server_names": [b, "two.test"]}, {"server_names": [c]}, None]


def test_the_name_of_a_load_balancer_is_its_own() -> None:
    other = a_front("b")
    name = other.balancer.dns_name
    door = listeners.door([a_front("a", name), other], "127.0.0.1", Path("/xds"))
    assert door["filter_chains"][0]["filter_chain_match"] == {"server_names": [name]}
