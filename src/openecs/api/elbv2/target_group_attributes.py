"""DescribeTargetGroupAttributes, ModifyTargetGroupAttributes.

Keys, defaults and ranges: Elastic Load Balancing API Reference, TargetGroupAttribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import attributes, errors, references
from openecs.api.elbv2.attributes import Attribute, Table, fixed, flag, number, one_of, text
from openecs.api.elbv2.registration import DEFAULT_DELAY, DELAY
from openecs.model.load_balancing import TargetGroup, TargetType
from openecs.store.base import Transaction, View
from openecs.store.kinds import TARGET_GROUPS

_DAY, _WEEK = 86400, 604800
_MOST_TARGETS = 1000
_HEALTH = "target_group_health.{}.minimum_healthy_targets.{}"
_ALGORITHM = "load_balancing.algorithm.type"
_ANOMALY = "load_balancing.algorithm.anomaly_mitigation"
_COOKIE = "stickiness.app_cookie.cookie_name"
_SLOW_START = "slow_start.duration_seconds"
_TERMINATION = "deregistration_delay.connection_termination.enabled"
_PRESERVED = "preserve_client_ip.enabled"

_COMMON: Table = {
    DELAY: number(str(DEFAULT_DELAY), 0, 3600),
    "stickiness.enabled": flag("false"),
    "load_balancing.cross_zone.enabled": one_of(
        "use_load_balancer_configuration", "true", "false", "use_load_balancer_configuration"
    ),
    _HEALTH.format("dns_failover", "count"): number("1", 1, _MOST_TARGETS, "off"),
    _HEALTH.format("dns_failover", "percentage"): number("off", 1, 100, "off"),
    _HEALTH.format("unhealthy_state_routing", "count"): number("1", 1, _MOST_TARGETS),
    _HEALTH.format("unhealthy_state_routing", "percentage"): number("off", 1, 100, "off"),
}


def _slow_start() -> Attribute:
    return Attribute(
        "0",
        lambda value: value == "0" or (value.isdecimal() and 30 <= int(value) <= 900),
        "must be '0' or between '30-900' inclusive",
    )


_APPLICATION: Table = {
    **_COMMON,
    "stickiness.type": one_of("lb_cookie", "lb_cookie", "app_cookie"),
    "stickiness.lb_cookie.duration_seconds": number(str(_DAY), 1, _WEEK),
    _COOKIE: text(longest=256),
    "stickiness.app_cookie.duration_seconds": number(str(_DAY), 1, _WEEK),
    _ALGORITHM: one_of(
        "round_robin", "round_robin", "least_outstanding_requests", "weighted_random"
    ),
    _ANOMALY: one_of("off", "on", "off"),
    _SLOW_START: _slow_start(),
}
_NETWORK: Table = {
    **_COMMON,
    "stickiness.type": one_of("source_ip", "source_ip"),
    "proxy_protocol_v2.enabled": flag("false"),
    "target_health_state.unhealthy.draining_interval_seconds": number("0", 0, 360000),
}


_OF_FUNCTIONS: Table = {"lambda.multi_value_headers.enabled": flag("false")}
#: Of target groups with a load balancer behind them, which is told who the client is.
_OF_BALANCERS: Table = {
    **_COMMON,
    _PRESERVED: fixed("true"),
    _TERMINATION: flag("false"),
    "target_health_state.unhealthy.connection_termination.enabled": flag("true"),
    "target_health_state.unhealthy.draining_interval_seconds": number("0", 0, 360000),
}


#: What can be at its default only, which depends on the target group, or at another value.
_AS_IT_IS: dict[str, set[str]] = {_TERMINATION: set(), _PRESERVED: {"false"}}


def describe_target_group_attributes(view: View, call: Call, request: Members) -> Members:
    """All attributes that the kind of target group has."""
    group = references.target_group(view, call, request["TargetGroupArn"])
    return {"Attributes": attributes.show(_table(group), group.attributes)}


def modify_target_group_attributes(tx: Transaction, call: Call, request: Members) -> Members:
    """Set some attributes; the others stay."""
    group = references.target_group(tx, call, request["TargetGroupArn"])
    stored = attributes.changed(
        "Target group", _table(group), group.attributes, request["Attributes"]
    )
    _check(_table(group), stored)
    changed = replace(group, attributes=stored)
    tx.put(TARGET_GROUPS, changed)
    return {"Attributes": attributes.show(_table(changed), stored)}


OPERATIONS: dict[str, Operation] = {
    "DescribeTargetGroupAttributes": Reads(describe_target_group_attributes),
    "ModifyTargetGroupAttributes": Writes(modify_target_group_attributes),
}


def _table(group: TargetGroup) -> Table:
    if group.protocol in {"HTTP", "HTTPS"}:
        return _APPLICATION
    if group.target_type is TargetType.LAMBDA:
        return _OF_FUNCTIONS
    if group.target_type is TargetType.ALB:
        return _OF_BALANCERS
    datagrams = group.protocol in {"UDP", "TCP_UDP"}
    preserved = datagrams or group.target_type is TargetType.INSTANCE
    return {
        **_NETWORK,
        _PRESERVED: fixed("true") if datagrams else flag("true" if preserved else "false"),
        _TERMINATION: flag("true" if datagrams else "false"),
        "target_health_state.unhealthy.connection_termination.enabled": fixed("false")
        if datagrams
        else flag("true"),
    }


def _check(table: Table, stored: Mapping[str, str]) -> None:
    """What attributes must be together, and what the data plane can do."""
    for key, allowed in _AS_IT_IS.items():
        if key in table and stored.get(key, table[key].default) not in allowed | {
            table[key].default
        }:
            raise errors.not_built(f"the target group attribute '{key}' being '{stored[key]}'")
    if stored.get("stickiness.type") == "app_cookie":
        _check_cookie(stored)
    algorithm = stored.get(_ALGORITHM, "round_robin")
    if stored.get(_SLOW_START, "0") != "0" and algorithm != "round_robin":
        raise errors.invalid_configuration(
            f"'{_SLOW_START}' must be '0' with the algorithm '{algorithm}'"
        )
    if stored.get(_ANOMALY) == "on" and algorithm != "weighted_random":
        raise errors.invalid_configuration(
            f"'{_ANOMALY}' can be 'on' only with the algorithm 'weighted_random'"
        )


def _check_cookie(stored: Mapping[str, str]) -> None:
    name = stored.get(_COOKIE, "")
    if not name and stored.get("stickiness.enabled") == "true":
        raise errors.invalid_configuration(
            "You must set an application cookie name to enable stickiness of type 'app_cookie'"
        )
    if name.startswith("AWSALB"):
        raise errors.invalid_configuration(
            f"'{_COOKIE}' value '{name}' is reserved for use by the load balancer"
        )
