"""Prefix lists in rules of security groups, and whom they let in."""

from __future__ import annotations

import pytest

from openecs.decide.admission import admitted
from openecs.decide.prefix_lists import resolved
from openecs.model.network import PrefixList, PrefixListEntry, SecurityGroup, SecurityGroupRule
from openecs.testing.builders import SCOPE

RULE = SecurityGroupRule(id="sgr-1", is_egress=False, protocol="-1", prefix_list_id="pl-1")
GROUP = SecurityGroup(
    scope=SCOPE, id="sg-1", name="g", description="g", vpc_id="vpc-1", rules=(RULE,)
)


def a_list(family, *cidrs):
    entries = tuple(PrefixListEntry(cidr=cidr) for cidr in cidrs)
    return PrefixList(
        scope=SCOPE, id="pl-1", name="p", address_family=family, max_entries=9, entries=entries
    )


@pytest.mark.parametrize(
    ("lists", "blocks"),
    [
        ([a_list("IPv4", "192.0.2.0/24", "198.51.100.0/24")], ("192.0.2.0/24", "198.51.100.0/24")),
        ([a_list("IPv4", "0.0.0.0/0")], None),
        ([a_list("IPv4")], ()),
        ([a_list("IPv6", "::/0")], ()),
        ([], ()),
    ],
)
def test_the_blocks_of_a_list_are_let_in(lists, blocks) -> None:
    group = resolved(GROUP, {one.id: one for one in lists})
    assert admitted([group], {}, "tcp", 80) == blocks


def test_other_rules_stay() -> None:
    other = SecurityGroupRule(id="sgr-2", is_egress=True, protocol="-1", cidr_ipv4="0.0.0.0/0")
    group = SecurityGroup(
        scope=SCOPE, id="sg-1", name="g", description="g", vpc_id="vpc-1", rules=(other,)
    )
    assert resolved(group, {}) == group
