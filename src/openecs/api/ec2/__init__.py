"""Amazon EC2: the network that load balancers and tasks stand in."""

from __future__ import annotations

from openecs.api.base import Service

SERVICE = Service(name="ec2", operations={})
