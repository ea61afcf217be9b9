"""The health of a target against the rules as AWS words them, told over its whole history."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.target_health import INITIAL, Answered, Criteria, Failure, next_health
from openecs.model.load_balancing import TargetState

OUTCOMES = st.one_of(
    st.sampled_from([Answered(200), Answered(503)]), st.sampled_from(list(Failure))
)
HISTORIES = st.lists(OUTCOMES, max_size=40)
CRITERIA = st.builds(
    Criteria,
    first_healthy_threshold=st.integers(1, 10),
    healthy_threshold=st.integers(2, 10),
    unhealthy_threshold=st.integers(2, 10),
    codes=st.just("200"),
)


def reference(history, wanted):
    """State by looking back over all checks since the last turn, after each of them."""
    state, passed = TargetState.INITIAL, [outcome == Answered(200) for outcome in history]
    for end in range(1, len(passed) + 1):
        is_new = state is TargetState.INITIAL
        needed = wanted.first_healthy_threshold if is_new else wanted.healthy_threshold
        if passed[:end][-needed:] == [True] * needed:
            state = TargetState.HEALTHY
        if passed[:end][-wanted.unhealthy_threshold :] == [False] * wanted.unhealthy_threshold:
            state = TargetState.UNHEALTHY
    return state


@given(HISTORIES, CRITERIA)
def test_it_is_what_the_rules_say(history, wanted):
    health = INITIAL
    for outcome in history:
        health = next_health(health, outcome, wanted)
    assert health.state is reference(history, wanted)
    assert (health.reason is None) is (health.state is TargetState.HEALTHY)
    assert min(health.successes, health.failures) == 0


@given(HISTORIES, CRITERIA)
def test_the_reason_is_that_of_the_last_failure(history, wanted):
    health = INITIAL
    for outcome in history:
        health = next_health(health, outcome, wanted)
    if health.state is TargetState.UNHEALTHY:
        last = next(each for each in reversed(history) if each != Answered(200))
        told = last.value[0] if isinstance(last, Failure) else "Target.ResponseCodeMismatch"
        assert health.reason == told
