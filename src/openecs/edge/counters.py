"""What Envoy counts for load balancers, and what that says of the time between two looks at it.

Envoy counts requests when they are over, by its stats access logger: by load balancer, target group
and who answered what. Connections and bytes of network load balancers are among its own counters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Resource = dict[str, Any]
#: How often each value came: the middle of a narrow bucket stands for what is in it.
Buckets = Mapping[float, int]

_STATS = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_SCOPE = "openecs.first"
_HOST = "%CEL(xds.virtual_host_name)%"
_BY_TARGET = "via_upstream"

_CONNECTIONS = r"downstream_cx_total|downstream_cx_active|ssl\.connection_error"
_SESSIONS = "downstream_sess_total|downstream_sess_active|downstream_sess_[rt]x_bytes"
_UPSTREAM = "upstream_cx_connect_fail|upstream_cx_[rt]x_bytes_total"
_WANTED = (
    rf"^{re.escape(_SCOPE)}\."
    rf"|^listener\.(own|door) .*[^.]\.({_CONNECTIONS})$"
    rf"|^udp\.(own|door) .*\.({_SESSIONS})$"
    rf"|^cluster\..*\.({_UPSTREAM})$"
)
#: What is asked of Envoy's administration interface.
PATH = "/stats?" + urlencode({"format": "json", "histogram_buckets": "detailed", "filter": _WANTED})

_OWNER = rf"{re.escape(_SCOPE)}\.(?P<first>[^.]*)"
_SHARING = r"(?:\.host\.(?P<host>.*?))?"
_REQUESTS = re.compile(
    rf"{_OWNER}\.requests{_SHARING}\.group\.(?P<group>.*?)\.code\.(?P<code>\d*)"
    r"\.route\.(?P<route>[^.]*)\.details\.(?P<details>.*)"
)
_BYTES = re.compile(rf"{_OWNER}\.(?:received|sent){_SHARING}")
_TIMES = re.compile(rf"{_OWNER}\.target_us{_SHARING}\.group\.(?P<group>.*)")
_LISTENER = re.compile(rf"(?:listener|udp)\.(?P<name>.*)\.(?P<what>{_CONNECTIONS}|{_SESSIONS})")
_WORKER = re.compile(r"\.worker_\d+$")
_CLUSTER = re.compile(rf"cluster\.(?P<name>.*)\.(?P<what>{_UPSTREAM})")


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests of one kind: of a load balancer, to a target group or none, and their answers.

    ``action`` is the last of the rule's: ``forward``, ``redirect`` or ``fixed-response``.
    """

    balancer: str
    group: str
    code: int
    by_target: bool
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was counted. Load balancers and groups are ARNs, names those that ``told_as`` makes."""

    requests: Mapping[Requests, int] = field(default_factory=dict)
    #: Bytes from and to clients, by load balancer.
    carried: Mapping[str, int] = field(default_factory=dict)
    #: Microseconds until targets began to answer, by load balancer and group.
    times: Mapping[tuple[str, str], Buckets] = field(default_factory=dict)
    #: By the name of a listener, or of a cluster, and of the counter.
    listeners: Mapping[tuple[str, str], int] = field(default_factory=dict)
    clusters: Mapping[tuple[str, str], int] = field(default_factory=dict)


def loggers(first: str, *, is_shared: bool) -> list[Resource]:
    """What counts the requests of an Envoy listener; ``first`` has those that are nobody else's.

    As few tags as will do, and no expressions: each costs every request more than the counting.
    """
    host = [_tag("host", _HOST)] if is_shared else []
    group = _tag("group", "%UPSTREAM_CLUSTER_RAW%")
    kind = [
        _tag("code", "%RESPONSE_CODE%"),
        _tag("route", "%ROUTE_NAME%"),
        _tag("details", "%RESPONSE_CODE_DETAILS%"),
    ]
    counters = [
        {"stat": _stat("requests", [*host, group, *kind]), "value_fixed": 1},
        *(
            {"stat": _stat(name, host), "value_format": f"%DOWNSTREAM_WIRE_BYTES_{word}%"}
            for name, word in (("received", "RECEIVED"), ("sent", "SENT"))
        ),
    ]
    times = {
        "stat": _stat("target_us", [*host, group]),
        "unit": "Microseconds",
        "value_format": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%",
    }
    scope = {"prefix": f"{_SCOPE}.{first}"}
    config = {"@type": _STATS, "stats_scope": scope, "counters": counters, "histograms": [times]}
    return [{"name": "envoy.access_loggers.stats", "typed_config": config}]


def told_as(name: str) -> str:
    """How Envoy's counters name a listener or cluster."""
    return name.replace(":", "_")


def read(document: Mapping[str, Any]) -> Counts:
    """What Envoy answers at ``PATH``."""
    counts: dict[str, dict[Any, Any]] = {
        kind: {} for kind in ("requests", "carried", "times", "listeners", "clusters")
    }
    for each in document["stats"]:
        if "name" in each:
            _take(counts, each["name"], each["value"])
        for known in each.get("histograms", {}).get("details", ()):
            if found := _TIMES.fullmatch(known["name"]):
                counts["times"][_owner(found), found["group"]] = _buckets(known["totals"])
    return Counts(**counts)


def since(before: Counts, now: Counts) -> Counts:
    """What was counted between two looks at one Envoy; gauges are as they are now."""
    return Counts(
        requests=_grown(before.requests, now.requests),
        carried=_grown(before.carried, now.carried),
        times={
            key: {at: n for at, n in _grown(before.times.get(key, {}), found).items() if n}
            for key, found in now.times.items()
        },
        listeners={
            key: value if key[1].endswith("_active") else grown
            for (key, value), grown in zip(
                now.listeners.items(), _grown(before.listeners, now.listeners).values(), strict=True
            )
        },
        clusters=_grown(before.clusters, now.clusters),
    )


def _grown(before: Mapping[Any, int], now: Mapping[Any, int]) -> dict[Any, int]:
    """Counters begin anew at 0 where what they count was taken away and came back."""
    found = {key: value - before.get(key, 0) for key, value in now.items()}
    return {key: grown if grown >= 0 else now[key] for key, grown in found.items()}


def _take(counts: dict[str, dict[Any, Any]], name: str, value: int) -> None:
    if found := _REQUESTS.fullmatch(name):
        kind = Requests(
            balancer=_owner(found),
            group=found["group"],
            code=int(found["code"] or 0),
            by_target=found["details"] == _BY_TARGET,
            action=_action(found["route"]),
        )
        _add(counts["requests"], kind, value)
    elif found := _BYTES.fullmatch(name):
        _add(counts["carried"], _owner(found), value)
    elif (found := _LISTENER.fullmatch(name)) and not _WORKER.search(found["name"]):
        counts["listeners"][found["name"], found["what"]] = value
    elif found := _CLUSTER.fullmatch(name):
        counts["clusters"][found["name"], found["what"]] = value


def _add(counts: dict[Any, int], key: Any, value: int) -> None:
    counts[key] = counts.get(key, 0) + value


def _owner(found: re.Match[str]) -> str:
    """The load balancer: the host is its ARN where several share a door."""
    host = found["host"] or ""
    # The scope is told as names of listeners are: its ARN has no other underscores.
    return host if host.startswith("arn:") else found["first"].replace("_", ":", 5)


def _action(route: str) -> str:
    """The last of the actions that a route is named after."""
    last = re.split("[ ,]", route)[-1]
    return last if last in {"redirect", "fixed-response"} else "forward"


def _buckets(totals: list[Mapping[str, Any]]) -> dict[float, int]:
    return {each["lower_bound"] + each["width"] / 2: each["count"] for each in totals}


def _tag(name: str, value: str) -> Resource:
    return {"name": name, "value_format": value}


def _stat(name: str, tags: list[Resource]) -> Resource:
    return {"name": name, "tags": tags}
