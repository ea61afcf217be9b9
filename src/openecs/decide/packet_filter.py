"""Security groups as rules of the host's packet filter (nftables).

Amazon VPC User Guide, "Security group rules": what no rule allows is dropped, in both directions;
answers to what was allowed always pass. The host itself, where load balancers and health checks
are, reaches every task: what it sends is not forwarded, and so not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from openecs.model.network import SecurityGroup, SecurityGroupRule

_ALL = "-1"
_WITH_PORTS = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp"}
_NUMBERS = {"icmp": "1", "icmpv6": "58"}


@dataclass(frozen=True, slots=True)
class Guarded:
    """An address, and the security groups it is in."""

    address: str
    groups: tuple[SecurityGroup, ...]


def ruleset(table: str, guarded: Sequence[Guarded]) -> str:
    """What ``nft -f`` is to be told: the table anew, or gone where nothing is guarded."""
    # Made first, so that there is something to delete.
    lines = [f"table ip {table}", f"delete table ip {table}"]
    if guarded:
        lines += _table(table, sorted(guarded, key=lambda each: each.address))
    return "\n".join(lines) + "\n"


def _table(table: str, guarded: Sequence[Guarded]) -> Iterator[str]:
    members: dict[str, list[str]] = {}
    for each in guarded:
        for group in each.groups:
            members.setdefault(group.id, []).append(each.address)
    yield f"table ip {table} {{"
    for number, each in enumerate(guarded):
        for way, side in (("out", "daddr"), ("in", "saddr")):
            yield f"  chain {way}{number} {{"
            rules = (rule for group in each.groups for rule in group.rules)
            for rule in rules:
                if rule.is_egress == (way == "out"):
                    yield from (f"    {line}" for line in _rule(rule, side, members))
            yield "    drop"
            yield "  }"
    yield "  chain forward {"
    yield "    type filter hook forward priority -1; policy accept;"
    yield "    ct state established,related accept"
    for way, side in (("out", "saddr"), ("in", "daddr")):
        jumps = ", ".join(
            f"{each.address} : jump {way}{number}" for number, each in enumerate(guarded)
        )
        yield f"    ip {side} vmap {{ {jumps} }}"
    yield "  }"
    yield "}"


def _rule(
    rule: SecurityGroupRule, side: str, members: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    others = _others(rule, members)
    if others is not None:
        source = f"ip {side} {others} " if others else ""
        yield f"{source}{_protocol(rule)}return".strip()


def _others(rule: SecurityGroupRule, members: Mapping[str, Sequence[str]]) -> str | None:
    """Whom a rule is about: a block or set of addresses, empty for everybody; None for nobody."""
    if rule.cidr_ipv4:
        return "" if rule.cidr_ipv4 == "0.0.0.0/0" else rule.cidr_ipv4
    found = members.get(rule.referenced_group or "", ())
    return _set(sorted(found)) if found else None


def _protocol(rule: SecurityGroupRule) -> str:
    if rule.protocol == _ALL:
        return ""
    name = _WITH_PORTS.get(rule.protocol)
    if name is None:
        return f"ip protocol {_NUMBERS.get(rule.protocol, rule.protocol)} "
    first, last = rule.from_port, rule.to_port
    if first is None or last is None or first == -1:
        return f"ip protocol {name} "
    return f"{name} dport {first}-{last} " if first != last else f"{name} dport {first} "


def _set(addresses: Iterable[str]) -> str:
    return "{ " + ", ".join(addresses) + " }"
