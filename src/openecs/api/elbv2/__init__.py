"""Elastic Load Balancing, version 2: application and network load balancers."""

from __future__ import annotations

from openecs.api.base import Service

SERVICE = Service(name="elbv2", operations={})
