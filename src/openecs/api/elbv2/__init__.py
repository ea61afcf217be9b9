"""Elastic Load Balancing, version 2: one module per family; ``SERVICE`` is all of them together."""

from __future__ import annotations

from openecs.api.base import Service
from openecs.api.elbv2 import (
    access,
    account_limits,
    capacity,
    listener_attributes,
    listener_certificates,
    listeners,
    load_balancer_attributes,
    load_balancer_changes,
    load_balancers,
    revocations,
    rules,
    ssl_policies,
    tags,
    target_group_attributes,
    target_groups,
    targets,
    trust_stores,
)

SERVICE = Service(
    name="elbv2",
    operations={
        **account_limits.OPERATIONS,
        **capacity.OPERATIONS,
        **listener_attributes.OPERATIONS,
        **listener_certificates.OPERATIONS,
        **listeners.OPERATIONS,
        **load_balancer_attributes.OPERATIONS,
        **load_balancer_changes.OPERATIONS,
        **load_balancers.OPERATIONS,
        **revocations.OPERATIONS,
        **rules.OPERATIONS,
        **ssl_policies.OPERATIONS,
        **tags.OPERATIONS,
        **target_group_attributes.OPERATIONS,
        **target_groups.OPERATIONS,
        **targets.OPERATIONS,
        **trust_stores.OPERATIONS,
    },
    access=access.ACCESS,
)
