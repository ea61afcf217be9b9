"""Whom the security groups of a load balancer let connect.

User Guide for Application Load Balancers, "Security groups for your Application Load Balancer".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from openecs.model.network import SecurityGroup, SecurityGroupRule

EVERYBODY = "0.0.0.0/0"
_ALL = "-1"
_NUMBERS = {"6": "tcp", "17": "udp"}


def admitted(
    groups: Iterable[SecurityGroup],
    members: Mapping[str, Sequence[str]],
    protocol: str,
    port: int,
) -> tuple[str, ...] | None:
    """The blocks of addresses that may connect to a port by ``tcp`` or ``udp``; None: everybody.

    ``members`` are the addresses in each security group, by its id.
    """
    rules = (rule for group in groups for rule in group.rules if not rule.is_egress)
    open_ = [rule for rule in rules if _is_about(rule, protocol, port)]
    found = {block for rule in open_ for block in _blocks(rule, members)}
    return None if EVERYBODY in found else tuple(sorted(found))


def _is_about(rule: SecurityGroupRule, protocol: str, port: int) -> bool:
    if rule.protocol == _ALL:
        return True
    if _NUMBERS.get(rule.protocol, rule.protocol) != protocol:
        return False
    first, last = rule.from_port, rule.to_port
    return first in {None, -1} or last is None or (first or 0) <= port <= last


def _blocks(rule: SecurityGroupRule, members: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if rule.cidr_ipv4:
        yield rule.cidr_ipv4
    for address in members.get(rule.referenced_group or "", ()):
        yield f"{address}/32"
