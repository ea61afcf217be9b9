"""Whom security groups of load balancers let connect."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.admission import admitted
from openecs.model.network import SecurityGroup, SecurityGroupRule
from openecs.testing.builders import SCOPE


def a_group(*rules: SecurityGroupRule) -> SecurityGroup:
    return SecurityGroup(
        scope=SCOPE, id="sg-1", name="web", description="web", vpc_id="vpc-1", rules=rules
    )


def a_rule(protocol="tcp", first=80, last=80, cidr=None, *, egress=False, group=None):
    return SecurityGroupRule(
        id="sgr-1",
        is_egress=egress,
        protocol=protocol,
        from_port=first,
        to_port=last,
        cidr_ipv4=cidr,
        referenced_group=group,
    )


def test_blocks_of_the_rules_about_the_port() -> None:
    group = a_group(
        a_rule(cidr="10.0.0.0/8"),
        a_rule(first=70, last=90, cidr="192.0.2.0/24"),
        a_rule(first=443, last=443, cidr="198.51.100.0/24"),
        a_rule(protocol="udp", cidr="203.0.113.0/24"),
        a_rule(cidr="172.16.0.0/12", egress=True),
    )
    assert admitted([group], {}, "tcp", 80) == ("10.0.0.0/8", "192.0.2.0/24")
    assert admitted([group], {}, "udp", 80) == ("203.0.113.0/24",)
    assert admitted([group], {}, "tcp", 8080) == ()


def test_everybody_and_every_protocol() -> None:
    assert admitted([a_group(a_rule(cidr="0.0.0.0/0"))], {}, "tcp", 80) is None
    every = a_rule(protocol="-1", first=None, last=None, cidr="0.0.0.0/0")
    assert admitted([a_group(every)], {}, "udp", 53) is None
    assert admitted([a_group(a_rule(protocol="6", cidr="0.0.0.0/0"))], {}, "tcp", 80) is None


def test_the_members_of_a_group_that_is_named() -> None:
    group = a_group(a_rule(group="sg-2"), a_rule(group="sg-3"))
    assert admitted([group], {"sg-2": ["10.0.0.5"]}, "tcp", 80) == ("10.0.0.5/32",)


def test_no_group_lets_nobody_in() -> None:
    assert admitted([], {}, "tcp", 80) == ()


RULES = st.builds(
    a_rule,
    st.sampled_from(["tcp", "udp", "-1", "icmp"]),
    st.integers(0, 5),
    st.integers(3, 9),
    st.sampled_from(["10.0.0.0/8", "192.0.2.0/24"]),
    egress=st.booleans(),
)


@given(st.lists(RULES, max_size=4), RULES, st.integers(0, 9))
def test_one_more_rule_only_lets_more_in(rules, more, port) -> None:
    before = admitted([a_group(*rules)], {}, "tcp", port)
    after = admitted([a_group(*rules, more)], {}, "tcp", port)
    assert before is not None
    assert after is not None
    assert set(before) <= set(after)
