"""What health checks make of a target, check after check."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.target_health import (
    FAILED,
    MISMATCH,
    NEW,
    TIMEOUT,
    WELL,
    after,
    failure,
    judged,
)
from openecs.model.load_balancing import TargetState
from openecs.testing.builders import a_target_group

GROUP = a_target_group()
CHECK = replace(GROUP.health_check, healthy_threshold=3, unhealthy_threshold=2)
APPLICATION = replace(GROUP, health_check=CHECK)
NETWORK = replace(APPLICATION, protocol="TCP", protocol_version=None)
ILL = failure(TIMEOUT)


def states(group, outcomes):
    standing, found = NEW, []
    for outcome in outcomes:
        standing = after(standing, outcome, group)
        found.append(str(standing.verdict.state))
    return found


@pytest.mark.parametrize(
    ("group", "outcomes", "expected"),
    [
        (APPLICATION, [WELL], ["healthy"]),
        (APPLICATION, [ILL, WELL], ["initial", "healthy"]),
        (APPLICATION, [ILL, ILL], ["initial", "unhealthy"]),
        (APPLICATION, [WELL, ILL, WELL, ILL, ILL], ["healthy"] * 4 + ["unhealthy"]),
        (APPLICATION, [ILL, ILL, WELL, WELL, WELL], ["initial"] + ["unhealthy"] * 3 + ["healthy"]),
        (APPLICATION, [ILL, ILL, WELL, ILL, WELL, WELL], ["initial"] + ["unhealthy"] * 5),
        (NETWORK, [WELL, WELL, WELL], ["initial", "initial", "healthy"]),
    ],
)
def test_thresholds_in_a_row(group, outcomes, expected) -> None:
    assert states(group, outcomes) == expected


@given(st.lists(st.booleans(), max_size=40))
def test_a_state_changes_after_as_many_in_a_row_as_are_asked_for(checks) -> None:
    found = states(APPLICATION, [WELL if each else ILL for each in checks])
    state = "initial"
    for number, now in enumerate(found):
        if now != state:
            needed = 2 if now == "unhealthy" else 1 if state == "initial" else 3
            last = checks[number + 1 - needed : number + 1]
            assert len(last) == needed
            assert all(each is (now == "healthy") for each in last)
        state = now


@pytest.mark.parametrize(
    ("codes", "well"),
    [
        ("200", {200}),
        ("200-202", {200, 201, 202}),
        ("200,404", {200, 404}),
        ("200, 500-501", {200, 500, 501}),
    ],
)
def test_codes_that_are_asked_for(codes, well) -> None:
    assert {code for code in range(200, 600) if judged(code, codes) == WELL} == well


def test_why_a_target_is_not_healthy() -> None:
    assert NEW.verdict.description == "Initial health checks in progress"
    sick = after(after(NEW, ILL, APPLICATION), judged(503, "200"), APPLICATION).verdict
    assert (sick.reason, sick.description) == (
        MISMATCH,
        "Health checks failed with these codes: [503]",
    )
    assert failure(TIMEOUT).description == "Request timed out"
    assert failure(FAILED).description == "Health checks failed"


def test_a_sick_target_is_sick_of_what_was_found_last() -> None:
    standing = after(after(NEW, ILL, APPLICATION), ILL, APPLICATION)
    standing = after(standing, failure(FAILED), APPLICATION)
    assert standing.verdict.state is TargetState.UNHEALTHY
    assert standing.verdict.reason == FAILED
