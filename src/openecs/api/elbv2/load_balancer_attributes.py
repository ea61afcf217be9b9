"""DescribeLoadBalancerAttributes, ModifyLoadBalancerAttributes.

Keys, defaults and ranges: Elastic Load Balancing API Reference, LoadBalancerAttribute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.elbv2 import attributes, errors, references
from openecs.api.elbv2.attributes import Table, fixed, flag, number, one_of, text
from openecs.model.load_balancing import LoadBalancer, LoadBalancerType, Scheme
from openecs.store.base import Transaction, View
from openecs.store.kinds import LOAD_BALANCERS

DELETION_PROTECTION = "deletion_protection.enabled"

#: Logs that become files, and where these go.
_LOGS = ("access_logs.s3", "connection_logs.s3")
#: What the data plane cannot do.
_NOT_BUILT = {
    "health_check_logs.s3.enabled": "true",
    "routing.http.desync_mitigation_mode": "monitor",
    "waf.fail_open.enabled": "true",
    "zonal_shift.config.enabled": "true",
}
#: What can be as it is by default only: there are no zones of DNS, and one address each.
_DEFAULT_ONLY = ("dns_record.client_routing_policy", "secondary_ips.auto_assigned.per_subnet")
#: Names of buckets, and what may be in keys: both become paths of files.
_BUCKETS = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_PREFIXES = re.compile(r"(?:(?!\.{1,2}(?:/|$))[\w!.*'()-]{1,255}(?:/(?!$)|$))*", re.ASCII)


def _logs(kind: str) -> Table:
    return {
        f"{kind}.enabled": flag("false"),
        f"{kind}.bucket": text(longest=63),
        f"{kind}.prefix": text(longest=512),
    }


_APPLICATION: Table = {
    **_logs("access_logs.s3"),
    **_logs("connection_logs.s3"),
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
    **_logs("access_logs.s3"),
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
    _refuse_not_built(_table(balancer), stored)
    for kind in _LOGS:
        _check_logs(kind, stored)
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


def _refuse_not_built(table: Table, stored: Mapping[str, str]) -> None:
    for key, value in stored.items():
        changed = key in _DEFAULT_ONLY and value != table[key].default
        if changed or _NOT_BUILT.get(key) == value:
            raise errors.not_built(f"the load balancer attribute '{key}' being '{value}'")


def _check_logs(kind: str, stored: Mapping[str, str]) -> None:
    if stored.get(f"{kind}.enabled") != "true":
        return
    bucket, prefix = stored.get(f"{kind}.bucket", ""), stored.get(f"{kind}.prefix", "")
    if not _BUCKETS.fullmatch(bucket):
        raise errors.invalid_configuration(f"The bucket name '{bucket}' is not valid")
    if not _PREFIXES.fullmatch(prefix) or "AWSLogs" in prefix:
        raise errors.invalid_configuration(f"The prefix '{prefix}' is not valid")
