from __future__ import annotations

import pytest

from openecs.decide.target_health import (
    INITIAL,
    Answered,
    Connected,
    Failure,
    check_port,
    criteria,
    matches,
    next_health,
)
from openecs.model.load_balancing import TargetState
from openecs.testing.balancing import a_check, a_target, a_target_group


def after(*outcomes, group=None):
    wanted = criteria(group or a_target_group())
    health = INITIAL
    for outcome in outcomes:
        health = next_health(health, outcome, wanted)
    return health.state, health.reason, health.description


OK, NOT_FOUND = Answered(200), Answered(404)
HEALTHY = (TargetState.HEALTHY, None, None)
CHECKING = (
    TargetState.INITIAL,
    "Elb.InitialHealthChecking",
    "Initial health checks in progress",
)
MISMATCH = (
    TargetState.UNHEALTHY,
    "Target.ResponseCodeMismatch",
    "Health checks failed with these codes: [404]",
)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], CHECKING),
        ([OK], HEALTHY),
        ([NOT_FOUND], CHECKING),
        ([NOT_FOUND, OK], HEALTHY),
        ([NOT_FOUND] * 2, MISMATCH),
        ([OK, NOT_FOUND], HEALTHY),
        ([OK, NOT_FOUND, OK, NOT_FOUND], HEALTHY),
        ([OK, NOT_FOUND, NOT_FOUND], MISMATCH),
        ([NOT_FOUND] * 2 + [OK] * 4, MISMATCH),
        ([NOT_FOUND] * 2 + [OK] * 5, HEALTHY),
        ([NOT_FOUND] * 2 + [OK] * 4 + [NOT_FOUND] + [OK] * 4, MISMATCH),
        ([Failure.TIMEOUT] * 2, (TargetState.UNHEALTHY, "Target.Timeout", "Request timed out")),
        (
            [NOT_FOUND, Failure.FAILED],
            (TargetState.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed"),
        ),
        (
            [Failure.INTERNAL] * 2,
            (
                TargetState.UNHEALTHY,
                "Elb.InternalError",
                "Health checks failed due to an internal error",
            ),
        ),
    ],
)
def test_a_target_of_an_application_load_balancer(outcomes, expected):
    assert after(*outcomes) == expected


@pytest.mark.parametrize(("successes", "expected"), [(4, CHECKING), (5, HEALTHY)])
def test_a_new_target_of_a_network_load_balancer_meets_the_threshold(successes, expected):
    group = a_target_group(protocol="TCP", health_check=a_check(protocol="TCP"))
    assert after(*[Connected()] * successes, group=group) == expected


@pytest.mark.parametrize(
    ("protocol", "version", "code", "is_healthy"),
    [
        ("HTTP", "HTTP1", 204, False),
        ("TCP", None, 399, True),
        ("TCP", None, 400, False),
        ("HTTP", "GRPC", 12, True),
        ("HTTP", "GRPC", 0, False),
    ],
)
def test_codes_by_default(protocol, version, code, is_healthy):
    group = a_target_group(
        protocol=protocol,
        protocol_version=version,
        health_check=a_check(http_codes=None, healthy_threshold=1),
    )
    assert (after(Answered(code), group=group) == HEALTHY) is is_healthy


@pytest.mark.parametrize(
    ("codes", "code", "expected"),
    [
        ("200", 200, True),
        ("200", 201, False),
        ("200-399", 399, True),
        ("200-399", 400, False),
        ("200,202", 202, True),
        ("200,202", 201, False),
        ("200,300-302", 301, True),
        ("0-99", 0, True),
    ],
)
def test_matcher(codes, code, expected):
    assert matches(codes, code) is expected


@pytest.mark.parametrize(("port", "expected"), [("traffic-port", 8080), ("9000", 9000)])
def test_the_port_that_is_checked(port, expected):
    assert check_port(a_check(port=port), a_target(port=8080)) == expected
