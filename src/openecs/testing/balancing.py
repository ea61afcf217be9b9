"""Load balancing's nouns for tests, as ``builders``: plain and valid, with what a test is about."""

from __future__ import annotations

from typing import Any

from openecs.model.load_balancing import (
    Action,
    ForwardAction,
    Listener,
    Target,
    TargetGroup,
    TargetHealthCheck,
    TargetType,
    WeightedTargetGroup,
)
from openecs.testing.builders import NOW, SCOPE


def a_check(**given: Any) -> TargetHealthCheck:
    """An HTTP check of ``/``, every 30 s, for code 200."""
    return TargetHealthCheck(**{"protocol": "HTTP", "path": "/", "http_codes": "200", **given})


def a_target_group(**given: Any) -> TargetGroup:
    """A group of addresses that speak HTTP."""
    plain: dict[str, Any] = {
        "scope": SCOPE,
        "name": "web",
        "id": "0123456789abcdef",
        "target_type": TargetType.IP,
        "protocol": "HTTP",
        "protocol_version": "HTTP1",
        "port": 80,
        "health_check": a_check(),
        "created_at": NOW,
    }
    return TargetGroup(**{**plain, **given})


def a_target(**given: Any) -> Target:
    """A target of that group on this machine."""
    plain: dict[str, Any] = {
        "scope": SCOPE,
        "target_group": a_target_group().path,
        "id": "127.0.0.1",
        "port": 80,
        "address": "127.0.0.1",
        "registered_at": NOW,
    }
    return Target(**{**plain, **given})


def a_listener(*groups: TargetGroup, **given: Any) -> Listener:
    """A listener that forwards to the groups."""
    weighted = tuple(WeightedTargetGroup(target_group_arn=group.arn) for group in groups)
    plain: dict[str, Any] = {
        "scope": SCOPE,
        "load_balancer": "app/front/0123456789abcdef",
        "id": "0123456789abcdef",
        "protocol": "HTTP",
        "port": 80,
        "default_actions": (Action(type="forward", forward=ForwardAction(target_groups=weighted)),),
        "created_at": NOW,
    }
    return Listener(**{**plain, **given})
