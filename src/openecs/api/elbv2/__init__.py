"""Elastic Load Balancing, version 2: one module per family; ``SERVICE`` is all of them together."""

from __future__ import annotations

from openecs.api.base import Service
from openecs.api.elbv2 import (
    capacity,
    listeners,
    load_balancer_attributes,
    load_balancers,
    rules,
    tags,
    target_group_attributes,
    target_groups,
    targets,
)

SERVICE = Service(
    name="elbv2",
    operations={
        **capacity.OPERATIONS,
        **listeners.OPERATIONS,
        **load_balancer_attributes.OPERATIONS,
        **load_balancers.OPERATIONS,
        **rules.OPERATIONS,
        **tags.OPERATIONS,
        **target_group_attributes.OPERATIONS,
        **target_groups.OPERATIONS,
        **targets.OPERATIONS,
    },
)
