"""Amazon EC2: the network that load balancers and tasks stand in."""

from __future__ import annotations

from openecs.api.base import Service
from openecs.api.ec2 import security_groups, subnets, tags, vpcs, zones

SERVICE = Service(
    name="ec2",
    operations={
        **security_groups.OPERATIONS,
        **subnets.OPERATIONS,
        **tags.OPERATIONS,
        **vpcs.OPERATIONS,
        **zones.OPERATIONS,
    },
)
