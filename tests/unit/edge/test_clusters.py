from __future__ import annotations

import pytest

from openecs.edge import clusters
from openecs.model.load_balancing import Target, TargetHealth, TargetState
from openecs.testing.builders import NOW, SCOPE, a_target_group

MINIMUM = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"


def told(attributes, *states: TargetState) -> list[str]:
    """The health that Envoy is told of targets in some states."""
    group = a_target_group(attributes=attributes)
    place = {"scope": SCOPE, "target_group": group.path, "id": "10.0.0.1"}
    targets = [
        Target(**place, port=port, address="10.0.0.1", registered_at=NOW)
        for port, _ in enumerate(states, 1)
    ]
    health = {
        target.key: TargetHealth(**place, port=target.port, state=state, registered_at=NOW)
        for target, state in zip(targets, states, strict=True)
    }
    made = clusters.endpoints(group, targets, health)
    return [each["health_status"] for each in made["endpoints"][0]["lb_endpoints"]]


UP, DOWN = TargetState.HEALTHY, TargetState.UNHEALTHY


@pytest.mark.parametrize(
    ("attributes", "states", "expected"),
    [
        ({}, (UP, DOWN), ["HEALTHY", "UNHEALTHY"]),
        ({}, (DOWN, TargetState.INITIAL), ["HEALTHY", "HEALTHY"]),
        ({}, (), []),
        ({f"{MINIMUM}.count": "2"}, (UP, DOWN), ["HEALTHY", "HEALTHY"]),
        ({f"{MINIMUM}.count": "2"}, (UP, UP, DOWN), ["HEALTHY", "HEALTHY", "UNHEALTHY"]),
        ({f"{MINIMUM}.percentage": "50"}, (UP, DOWN), ["HEALTHY", "UNHEALTHY"]),
        ({f"{MINIMUM}.percentage": "51"}, (UP, DOWN), ["HEALTHY", "HEALTHY"]),
        ({"slow_start.duration_seconds": "30"}, (UP, DOWN), ["HEALTHY"]),
        ({"slow_start.duration_seconds": "30"}, (DOWN, DOWN), ["HEALTHY", "HEALTHY"]),
    ],
)
def test_who_gets_requests(attributes, states, expected) -> None:
    assert told(attributes, *states) == expected
