"""Security groups in the words of the host's packet filter."""

from __future__ import annotations

from openecs.decide.packet_filter import Guarded, ruleset
from openecs.model.network import SecurityGroup, SecurityGroupRule
from openecs.testing.builders import SCOPE


def a_group(name: str, *rules: SecurityGroupRule) -> SecurityGroup:
    return SecurityGroup(
        scope=SCOPE, id=name, name=name, description=name, vpc_id="vpc-1", rules=rules
    )


def a_rule(protocol="tcp", *, egress=False, **members) -> SecurityGroupRule:
    return SecurityGroupRule(id="sgr-1", is_egress=egress, protocol=protocol, **members)


def chain(text: str, name: str) -> list[str]:
    """The lines of a chain."""
    lines = [line.strip() for line in text.splitlines()]
    begin = lines.index(f"chain {name} {{") + 1
    return lines[begin : lines.index("}", begin)]


def test_without_anything_to_guard_there_is_no_table() -> None:
    assert ruleset("t", ()) == "table ip t\ndelete table ip t\n"


def test_rules_in_both_directions_and_nothing_else() -> None:
    web = a_group(
        "web",
        a_rule(from_port=80, to_port=80, cidr_ipv4="0.0.0.0/0"),
        a_rule(from_port=8000, to_port=8010, cidr_ipv4="10.0.0.0/8"),
        a_rule("-1", egress=True, cidr_ipv4="0.0.0.0/0"),
    )
    text = ruleset("t", [Guarded("10.0.0.5", (web,))])
    assert chain(text, "in0") == [
        "tcp dport 80 return",
        "ip saddr 10.0.0.0/8 tcp dport 8000-8010 return",
        "drop",
    ]
    assert chain(text, "out0") == ["return", "drop"]
    assert "ip saddr vmap { 10.0.0.5 : jump out0 }" in chain(text, "forward")
    assert "ip daddr vmap { 10.0.0.5 : jump in0 }" in chain(text, "forward")


def test_a_group_stands_for_its_members() -> None:
    friends = a_group("friends", a_rule("icmp", referenced_group="friends"))
    strangers = a_group("strangers", a_rule("udp", referenced_group="nobody"))
    text = ruleset(
        "t",
        [
            Guarded("10.0.0.6", (friends,)),
            Guarded("10.0.0.5", (friends,)),
            Guarded("10.0.0.7", (strangers,)),
        ],
    )
    assert chain(text, "in0") == ["ip saddr { 10.0.0.5, 10.0.0.6 } ip protocol 1 return", "drop"]
    assert chain(text, "in2") == ["drop"]


def test_the_same_groups_make_the_same_text() -> None:
    one, other = Guarded("10.0.0.5", (a_group("a"),)), Guarded("10.0.0.6", (a_group("b"),))
    assert ruleset("t", [one, other]) == ruleset("t", [other, one])
