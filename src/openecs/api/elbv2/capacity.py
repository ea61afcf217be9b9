"""DescribeCapacityReservation: no load balancer has reserved capacity here.

Elastic Load Balancing API Reference, version 2015-12-01.
"""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads
from openecs.api.elbv2 import references
from openecs.store.base import View

#: How often a reservation may be lowered a day.
_DECREASES = 2


def describe_capacity_reservation(view: View, call: Call, request: Members) -> Members:
    """That nothing is reserved, and nothing was asked to be."""
    references.load_balancer(view, call, request["LoadBalancerArn"])
    return {"DecreaseRequestsRemaining": _DECREASES, "CapacityReservationState": []}


OPERATIONS: dict[str, Operation] = {
    "DescribeCapacityReservation": Reads(describe_capacity_reservation),
}
