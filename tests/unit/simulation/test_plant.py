"""Tasks that take time to start and to stop."""

from hypothesis import given
from hypothesis import strategies as st

from openecs.simulation.plant import Model, Plant

MODEL = Model(requests_per_task=10.0, start_up=30.0, stop=20.0, idle_cpu=0.0)


def test_a_task_serves_once_it_has_started():
    plant = Plant(MODEL)
    plant.begin(1)
    assert plant.step(0, 2, 20.0).served == 10.0
    assert plant.step(20, 2, 20.0).running == 1
    moment = plant.step(30, 2, 20.0)
    assert (moment.running, moment.served, moment.cpu) == (2, 20.0, 100.0)


def test_a_task_that_stops_costs_until_it_is_gone():
    plant = Plant(MODEL)
    plant.begin(2)
    moment = plant.step(0, 1, 5.0)
    assert (moment.running, moment.present, moment.cpu) == (1, 2, 50.0)
    assert plant.step(20, 1, 5.0).present == 1


def test_one_that_never_ran_is_gone_at_once():
    plant = Plant(MODEL)
    plant.begin(1)
    plant.step(0, 2, 0.0)
    assert plant.step(10, 1, 0.0).present == 1


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 200)), max_size=30))
def test_nothing_is_served_that_nobody_carries(steps):
    plant = Plant(MODEL)
    plant.begin(3)
    for number, (desired, load) in enumerate(steps):
        moment = plant.step(number * 10.0, desired, load)
        assert moment.running <= desired
        assert moment.running <= moment.present
        assert 0 <= moment.served <= min(load, moment.running * 10.0)
        assert 0 <= moment.cpu <= 100
