"""DescribeAccountLimits: how much of everything there may be, as AWS's quotas are by default."""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.elbv2 import paging
from openecs.store.base import View

#: Elastic Load Balancing API Reference, ``Limit``; those that are checked here have these values.
LIMITS = {
    "application-load-balancers": 50,
    "certificates-per-application-load-balancer": 25,
    "certificates-per-network-load-balancer": 25,
    "condition-values-per-alb-rule": 5,
    "condition-wildcards-per-alb-rule": 6,
    "gateway-load-balancers": 100,
    "gateway-load-balancers-per-vpc": 100,
    "geneve-target-groups": 100,
    "listeners-per-application-load-balancer": 50,
    "listeners-per-network-load-balancer": 50,
    "network-load-balancer-enis-per-vpc": 1200,
    "network-load-balancers": 50,
    "rules-per-application-load-balancer": 100,
    "target-groups": 3000,
    "target-groups-per-action-on-application-load-balancer": 5,
    "target-groups-per-action-on-network-load-balancer": 1,
    "target-groups-per-application-load-balancer": 100,
    "target-id-registrations-per-application-load-balancer": 1000,
    "targets-per-application-load-balancer": 1000,
    "targets-per-availability-zone-per-gateway-load-balancer": 300,
    "targets-per-availability-zone-per-network-load-balancer": 500,
    "targets-per-network-load-balancer": 3000,
}


def describe_account_limits(_: View, __: Call, request: Members) -> Members:
    """The quotas of the account."""
    shown, marker = paging.page(request, sorted(LIMITS), lambda name: name)
    return {
        "Limits": [{"Name": name, "Max": str(LIMITS[name])} for name in shown],
        "NextMarker": marker,
    }


OPERATIONS: dict[str, Operation] = {"DescribeAccountLimits": Reads(describe_account_limits)}
