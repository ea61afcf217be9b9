from __future__ import annotations

from datetime import timedelta

from openecs.decide.services.story import told
from openecs.model.services import ServiceEvents
from openecs.testing.builders import NOW, SCOPE

EMPTY = ServiceEvents(scope=SCOPE, cluster="default", service="web")
HOUR = timedelta(hours=1)


def messages(story: ServiceEvents) -> list[str]:
    return [event.message for event in story.events]


def test_the_newest_event_is_first():
    story = told(EMPTY, ["a", "b"], ["1", "2"], NOW)
    assert [(e.id, e.message) for e in story.events] == [("2", "b"), ("1", "a")]


def test_a_repetition_is_held_back_for_six_hours():
    story = told(EMPTY, ["a"], ["1"], NOW)
    assert told(story, ["a"], ["2"], NOW + 5 * HOUR) == story
    assert messages(told(story, ["a"], ["2"], NOW + 6 * HOUR)) == ["a", "a"]


def test_what_something_else_came_between_is_told_again():
    story = told(EMPTY, ["a", "b", "a"], ["1", "2", "3"], NOW)
    assert messages(story) == ["a", "b", "a"]


def test_a_hundred_events_are_kept():
    numbers = [str(n) for n in range(120)]
    story = told(EMPTY, numbers, numbers, NOW)
    assert len(story.events) == 100
    assert story.events[0].message == "119"
