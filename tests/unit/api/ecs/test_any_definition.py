"""Whatever a request says, within Amazon's model: it is registered as it was meant, or refused."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openecs.api.base import ServiceError
from openecs.api.ecs.capabilities import required_attributes
from openecs.api.ecs.task_definition_members import parse, show
from openecs.api.ecs.task_definition_rules import compatibilities, complaint
from openecs.store import codec
from openecs.store.kinds import TASK_DEFINITIONS
from openecs.testing.builders import a_call

MODEL = botocore.session.get_session().get_service_model("ecs")
REQUEST = MODEL.operation_model("RegisterTaskDefinition").input_shape

WORDS = st.sampled_from(
    ["app", "db", "v", "256", "512", "1 vCPU", "1 GB", "", "a b", "1-2", "arn:aws:s3:::b/a.env"]
)
NUMBERS = st.sampled_from([-1, 0, 1, 5, 30, 80, 256, 300, 65536])


@cache
def members_of(name: str) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: values_of(MODEL.shape_for(name)))


def values_of(shape: Any) -> st.SearchStrategy[Any]:
    match shape.type_name:
        case "structure":
            named = {name: members_of(inner.name) for name, inner in shape.members.items()}
            required = {name: named.pop(name) for name in shape.required_members}
            return st.fixed_dictionaries(required, optional=named)
        case "list":
            return st.lists(members_of(shape.member.name), max_size=2)
        case "map":
            return st.dictionaries(WORDS, WORDS, max_size=2)
        case "string":
            return st.sampled_from(shape.enum) if shape.enum else WORDS
        case "boolean":
            return st.booleans()
        case _:
            return NUMBERS


def sane(request: dict[str, Any]) -> dict[str, Any]:
    """The request with the commonest reasons to refuse it put right, so that more is tried."""
    containers = [
        {**container, "name": f"c{number}", "image": "busybox", "memory": 64, "essential": True}
        for number, container in enumerate(request["containerDefinitions"])
    ]
    return {**request, "family": "web", "containerDefinitions": containers}


@given(members_of(REQUEST.name).flatmap(lambda r: st.sampled_from([r, sane(r)])))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_is_registered_or_refused(request: dict[str, Any]) -> None:
    try:
        definition = parse(a_call(), request)
    except ServiceError:
        return
    assert complaint(definition) != ""
    assert set(compatibilities(definition)) & {"EC2", "FARGATE"}
    assert len(set(required_attributes(definition))) == len(required_attributes(definition))


def shown_of(request: dict[str, Any]) -> dict[str, Any]:
    return show(parse(a_call(), request))


@given(members_of("ContainerDefinition"), members_of("Volume"))
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_shown_can_be_registered_again(container: Any, volume: Any) -> None:
    request = {
        "family": "web",
        "containerDefinitions": [{**container, "name": "app", "image": "busybox"}],
        "volumes": [{**volume, "name": "v"}],
    }
    try:
        shown = shown_of(request)
    except ServiceError:
        return
    assert shown_of(shown) == shown


@given(members_of("ContainerDefinition"))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_stored_is_what_was_registered(container: Any) -> None:
    request = {
        "family": "web",
        "containerDefinitions": [{**container, "name": "app", "image": "busybox"}],
    }
    try:
        definition = parse(a_call(), request)
    except ServiceError:
        return
    assert codec.decode(TASK_DEFINITIONS, codec.encode(definition)) == definition
