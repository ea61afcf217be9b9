"""Rules of security groups that name prefix lists, as rules for the blocks in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from openecs.model.network import PrefixList, SecurityGroup, SecurityGroupRule


def resolved(group: SecurityGroup, lists: Mapping[str, PrefixList]) -> SecurityGroup:
    """The group with a rule for each block; what names a list that is not there allows nobody."""
    rules = tuple(one for rule in group.rules for one in _rules(rule, lists))
    return replace(group, rules=rules)


def _rules(rule: SecurityGroupRule, lists: Mapping[str, PrefixList]) -> Iterator[SecurityGroupRule]:
    if rule.prefix_list_id is None:
        yield rule
        return
    found = lists.get(rule.prefix_list_id)
    for entry in found.entries if found else ():
        is_ipv4 = found is not None and found.address_family == "IPv4"
        yield replace(
            rule,
            prefix_list_id=None,
            cidr_ipv4=entry.cidr if is_ipv4 else None,
            cidr_ipv6=None if is_ipv4 else entry.cidr,
        )
