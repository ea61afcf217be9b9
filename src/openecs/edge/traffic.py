"""The metrics of load balancers: ``AWS/ApplicationELB`` and ``AWS/NetworkELB``.

User Guide for Application Load Balancers, "CloudWatch metrics"; User Guide for Network Load
Balancers, "CloudWatch metrics". What AWS reports only where it is not zero, is so here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from openecs.edge.counters import Counts, Requests, told_as
from openecs.model.identity import parse_arn
from openecs.model.load_balancing import LoadBalancerType
from openecs.model.metrics import (
    HIGH_RESOLUTION,
    Dimensions,
    Metric,
    Sample,
    Statistics,
    dimensions,
    of_value,
    of_values,
)

NAMESPACES = {
    LoadBalancerType.APPLICATION: "AWS/ApplicationELB",
    LoadBalancerType.NETWORK: "AWS/NetworkELB",
}
#: Codes that AWS counts on their own besides.
_OWN_COUNTS = frozenset({500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """A target group in use: its load balancers, and how many targets are well and are not."""

    arn: str
    balancers: tuple[str, ...]
    registered: int
    healthy: int
    unhealthy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is: load balancers by ARN, groups, and Envoy's listeners by load balancer."""

    balancers: Mapping[str, LoadBalancerType]
    groups: tuple[GroupFacts, ...] = ()
    #: The names of the listeners that are one load balancer's alone, by its ARN.
    listeners: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def samples(counts: Counts, facts: Facts, at: datetime, *, ends_minute: bool) -> list[Sample]:
    """What was counted in the period that begins ``at``.

    Gauges are told once a minute, as AWS does: their sum over it means something.
    """
    told = _Told(facts, at)
    for balancer, kind in facts.balancers.items():
        _tell_connections(told, balancer, kind, counts, ends_minute=ends_minute)
    _tell_requests(told, counts.requests)
    _tell_groups(told, counts, ends_minute=ends_minute)
    return told.samples


class _Told:
    """The samples so far."""

    def __init__(self, facts: Facts, at: datetime) -> None:
        self.facts = facts
        self.samples: list[Sample] = []
        self._at = at

    def count(self, balancer: str, name: str, value: float, *groups: str) -> None:
        """A number of something, of the load balancer and in groups of its."""
        for group in (None, *groups):
            self.tell(balancer, name, of_value(float(value)), "Count", group)

    def tell(
        self, balancer: str, name: str, found: Statistics, unit: str, group: str | None = None
    ) -> None:
        """A statistic of a load balancer, or of a target group of its."""
        self.add(balancer, name, _dimensions(balancer, group), found, unit)

    def add(
        self, balancer: str, name: str, named: Dimensions, found: Statistics, unit: str
    ) -> None:
        """A statistic with dimensions of its own, in the namespace of a load balancer."""
        parsed, kind = parse_arn(balancer), self.facts.balancers.get(balancer)
        if parsed is None or kind is None:
            # Deleted meanwhile.
            return
        metric = Metric(parsed.scope, NAMESPACES[kind], name, named)
        self.samples.append(
            Sample(
                metric=metric,
                timestamp=self._at,
                statistics=found,
                unit=unit,
                resolution=HIGH_RESOLUTION,
            )
        )


def _tell_connections(
    told: _Told, balancer: str, kind: LoadBalancerType, counts: Counts, *, ends_minute: bool
) -> None:
    names = [told_as(name) for name in told.facts.listeners.get(balancer, ())]

    def counted(*kinds: str) -> int:
        return sum(counts.listeners.get((name, each), 0) for name in names for each in kinds)

    word = "Connection" if kind is LoadBalancerType.APPLICATION else "Flow"
    told.count(balancer, f"New{word}Count", counted("downstream_cx_total", "downstream_sess_total"))
    if ends_minute:
        active = counted("downstream_cx_active", "downstream_sess_active")
        told.count(balancer, f"Active{word}Count", active)
    if failed := counted("ssl.connection_error"):
        told.count(balancer, "ClientTLSNegotiationErrorCount", failed)
    carried = counts.carried.get(balancer, 0)
    if kind is LoadBalancerType.NETWORK:
        carried = _to_targets(told, balancer, counts)
        carried += counted("downstream_sess_rx_bytes", "downstream_sess_tx_bytes")
    told.tell(balancer, "ProcessedBytes", of_value(float(carried)), "Bytes")


def _to_targets(told: _Told, balancer: str, counts: Counts) -> int:
    """The bytes to and from the targets of a load balancer, by connections."""
    return sum(
        counts.clusters.get((told_as(group.arn), f"upstream_cx_{way}x_bytes_total"), 0)
        for group in told.facts.groups
        if balancer in group.balancers
        for way in "rt"
    )


def _tell_requests(told: _Told, requests: Mapping[Requests, int]) -> None:
    for (balancer, group), named in _named(requests).items():
        for name, count in named.items():
            if count:
                told.count(balancer, name, count, *([group] if group else ()))


def _named(requests: Mapping[Requests, int]) -> Mapping[tuple[str, str], Counter[str]]:
    """How much of each metric there is; those of groups are their load balancers' besides."""
    found: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for kind, count in requests.items():
        # What load balancers answer themselves is counted for them alone.
        group = kind.group if kind.by_target else ""
        for name in _names(kind):
            found[kind.balancer, group][name] += count
    return found


def _names(kind: Requests) -> Iterator[str]:
    origin = "Target" if kind.by_target else "ELB"
    hundreds = kind.code // 100
    if hundreds >= 2 and (kind.by_target or hundreds > 2):
        yield f"HTTPCode_{origin}_{hundreds}XX_Count"
    if kind.by_target:
        return
    if kind.code in _OWN_COUNTS:
        yield f"HTTPCode_ELB_{kind.code}_Count"
    if kind.action == "redirect" and hundreds == 3:
        yield "HTTP_Redirect_Count"
    if kind.action == "fixed-response":
        yield "HTTP_Fixed_Response_Count"


def _tell_groups(told: _Told, counts: Counts, *, ends_minute: bool) -> None:
    totals = _totals(counts.requests)
    of_balancers: Counter[str] = Counter()
    for group in told.facts.groups:
        for balancer in group.balancers:
            requests = totals[balancer, group.arn]
            of_balancers[balancer] += requests
            _tell_group(told, group, balancer, counts, requests)
            if ends_minute:
                _tell_hosts(told, group, balancer)
    for balancer, requests in of_balancers.items():
        if told.facts.balancers.get(balancer) is LoadBalancerType.APPLICATION:
            told.count(balancer, "RequestCount", requests)
            times = (found for (of, _), found in counts.times.items() if of == balancer)
            _tell_times(told, balancer, times, None)


def _totals(requests: Mapping[Requests, int]) -> Counter[tuple[str, str]]:
    """The requests for which a target was chosen, by load balancer and group."""
    found: Counter[tuple[str, str]] = Counter()
    for kind, count in requests.items():
        if kind.group:
            found[kind.balancer, kind.group] += count
    return found


def _tell_group(
    told: _Told, group: GroupFacts, balancer: str, counts: Counts, requests: int
) -> None:
    if failed := counts.clusters.get((told_as(group.arn), "upstream_cx_connect_fail"), 0):
        told.count(balancer, "TargetConnectionErrorCount", failed, group.arn)
    if told.facts.balancers.get(balancer) is not LoadBalancerType.APPLICATION:
        return
    told.tell(balancer, "RequestCount", of_value(float(requests)), "Count", group.arn)
    share = of_value(requests / (group.healthy or group.registered or 1))
    told.tell(balancer, "RequestCountPerTarget", share, "Count", group.arn)
    alone = dimensions(TargetGroup=_resource(group.arn))
    told.add(balancer, "RequestCountPerTarget", alone, share, "Count")
    _tell_times(told, balancer, [counts.times.get((balancer, group.arn), {})], group.arn)


def _tell_times(
    told: _Told, balancer: str, found: Iterable[Mapping[float, int]], group: str | None
) -> None:
    seconds = [(at / 1e6, float(n)) for buckets in found for at, n in buckets.items()]
    if seconds:
        told.tell(balancer, "TargetResponseTime", of_values(seconds), "Seconds", group)


def _tell_hosts(told: _Told, group: GroupFacts, balancer: str) -> None:
    if group.registered:
        told.tell(balancer, "HealthyHostCount", of_value(float(group.healthy)), "Count", group.arn)
        told.tell(
            balancer, "UnHealthyHostCount", of_value(float(group.unhealthy)), "Count", group.arn
        )


def _dimensions(balancer: str, group: str | None) -> Dimensions:
    named = {"LoadBalancer": _resource(balancer).removeprefix("loadbalancer/")}
    return dimensions(**named, **({"TargetGroup": _resource(group)} if group else {}))


def _resource(arn: str) -> str:
    parsed = parse_arn(arn)
    return parsed.resource if parsed else arn
