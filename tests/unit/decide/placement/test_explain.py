from __future__ import annotations

import pytest

from openecs.decide.placement.explain import closest, explain
from openecs.decide.placement.filters import Rejection
from openecs.decide.placement.plan import Unplaced
from openecs.testing.instances import an_instance

PLACELESS = "was unable to place a task because no container instance met all of its requirements. "
MORE = " For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


@pytest.mark.parametrize(
    ("rejection", "words"),
    [
        (Rejection.CPU, "has insufficient CPU units available."),
        (Rejection.MEMORY, "has insufficient memory available."),
        (Rejection.PORTS, "is already using a port required by your task."),
        (Rejection.ATTRIBUTE, "is missing an attribute required by your task."),
        (Rejection.AGENT, 'encountered error "AGENT".'),
        (
            Rejection.DISTINCT_INSTANCE,
            'encountered error "DistinctInstance placement constraint unsatisfied.".',
        ),
    ],
)
def test_a_service_event(rejection, words):
    event = explain(Unplaced(((an_instance("i1"), rejection),)))
    assert event == f"{PLACELESS}The closest matching (container-instance i1) {words}{MORE}"


def test_no_instance_at_all():
    event = explain(Unplaced(()))
    assert event == (f"{PLACELESS}Reason: No Container Instances were found in your cluster.{MORE}")


def test_the_closest_passed_most_filters():
    away = (an_instance("a"), Rejection.AGENT)
    small = (an_instance("b"), Rejection.MEMORY)
    also_small = (an_instance("c"), Rejection.MEMORY)
    assert closest(Unplaced((away, also_small, small))) == small
