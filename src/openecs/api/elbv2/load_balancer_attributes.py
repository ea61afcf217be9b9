"""DescribeLoadBalancerAttributes, ModifyLoadBalancerAttributes.

Keys, defaults and ranges: Elastic Load Balancing API Reference, LoadBalancerAttribute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import attributes, errors, references
from openecs.api.elbv2.attributes import Table, fixed, flag, number, one_of, text
from openecs.model.load_balancing import LoadBalancer, LoadBalancerType, Scheme
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS

DELETION_PROTECTION = "deletion_protection.enabled"

#: Nothing here writes to Amazon S3.
_LOGS = ("access_logs.s3.enabled", "connection_logs.s3.enabled", "health_check_logs.s3.enabled")

_APPLICATION: Table = {
    "access_logs.s3.enabled": flag("false"),
    "access_logs.s3.bucket": text(),
    "access_logs.s3.prefix": text(),
    "connection_logs.s3.enabled": flag("false"),
    "connection_logs.s3.bucket": text(),
    "connection_logs.s3.prefix": text(),
    "health_check_logs.s3.enabled": flag("false"),
    "health_check_logs.s3.bucket": text(),
    "health_check_logs.s3.prefix": text(),
    "client_keep_alive.seconds": number("3600", 60, 604800),
    DELETION_PROTECTION: flag("false"),
    "idle_timeout.timeout_seconds": number("60", 1, 4000),
    "ipv6.deny_all_igw_traffic": flag("false"),
    "load_balancing.cross_zone.enabled": fixed("true"),
    "routing.http.desync_mitigation_mode": one_of("defensive", "monitor", "defensive", "strictest"),
    "routing.http.drop_invalid_header_fields.enabled": flag("false"),
    "routing.http.preserve_host_header.enabled": flag("false"),
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": flag("false"),
    "routing.http.xff_client_port.enabled": flag("false"),
    "routing.http.xff_header_processing.mode": one_of("append", "append", "preserve", "remove"),
    "routing.http2.enabled": flag("true"),
    "waf.fail_open.enabled": flag("false"),
    "zonal_shift.config.enabled": flag("false"),
}
_NETWORK: Table = {
    "access_logs.s3.enabled": flag("false"),
    "access_logs.s3.bucket": text(),
    "access_logs.s3.prefix": text(),
    DELETION_PROTECTION: flag("false"),
    "dns_record.client_routing_policy": one_of(
        "any_availability_zone",
        "any_availability_zone",
        "partial_availability_zone_affinity",
        "availability_zone_affinity",
    ),
    "ipv6.deny_all_igw_traffic": flag("false"),
    "load_balancing.cross_zone.enabled": flag("false"),
    "secondary_ips.auto_assigned.per_subnet": number("0", 0, 7),
    "zonal_shift.config.enabled": flag("false"),
}


def describe_load_balancer_attributes(view: View, call: Call, request: Members) -> Members:
    """All attributes that the type of load balancer has."""
    balancer = references.load_balancer(view, call, request["LoadBalancerArn"])
    return {"Attributes": _show(balancer)}


def modify_load_balancer_attributes(tx: Transaction, call: Call, request: Members) -> Members:
    """Set some attributes; the others stay."""
    balancer = references.load_balancer(tx, call, request["LoadBalancerArn"])
    stored = attributes.changed(
        "Load balancer", _table(balancer), balancer.attributes, request["Attributes"]
    )
    _refuse_logs(stored)
    changed = replace(balancer, attributes=stored)
    tx.put(LOAD_BALANCERS, changed)
    return {"Attributes": _show(changed)}


OPERATIONS: dict[str, Operation] = {
    "DescribeLoadBalancerAttributes": Reads(describe_load_balancer_attributes),
    "ModifyLoadBalancerAttributes": Writes(modify_load_balancer_attributes),
}


def _show(balancer: LoadBalancer) -> list[Members]:
    return attributes.show(_table(balancer), balancer.attributes)


def _table(balancer: LoadBalancer) -> Table:
    table = _NETWORK if balancer.type is LoadBalancerType.NETWORK else _APPLICATION
    if balancer.scheme is Scheme.INTERNAL:
        return {**table, "ipv6.deny_all_igw_traffic": flag("true")}
    return table


def _refuse_logs(stored: Mapping[str, str]) -> None:
    for key in _LOGS:
        if stored.get(key) == "true":
            raise errors.not_built(f"logs in Amazon S3: '{key}' cannot be 'true'")
