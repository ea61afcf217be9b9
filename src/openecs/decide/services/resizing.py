"""A service that is to have another number of tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from openecs.model.services import Service


def resized(service: Service, count: int, now: datetime) -> Service:
    """The service with another desired count, which its PRIMARY deployment shows."""
    if not service.deployments:
        return replace(service, desired_count=count)
    primary, *older = service.deployments
    deployments = (replace(primary, desired_count=count, updated_at=now), *older)
    return replace(service, desired_count=count, deployments=deployments)
