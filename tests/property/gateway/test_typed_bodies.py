"""What is read in one go is what the walks would have read, and nothing they would complain of."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from openecs.gateway import services
from openecs.gateway.catalog import Catalog
from openecs.gateway.protocol import typed_json
from openecs.gateway.protocol.bodies import JsonBody
from openecs.gateway.protocol.validate import Validator
from openecs.testing import shapes

CATALOG = Catalog()
JSON = [
    service
    for service in services.SERVICES
    if "json" in CATALOG.service(service).protocols
    and service.name in {"ecs", "cloudwatch", "logs", "application-autoscaling", "acm"}
]
QUICK = settings(
    max_examples=5,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CUT = st.sampled_from([None, "", "x" * 300, -1, 2**70, 1.5, True, [], {}, [None]])


@pytest.fixture(autouse=True)
def every_body_is_large(monkeypatch):
    monkeypatch.setattr(typed_json, "LARGE", 0)


@pytest.mark.parametrize("known", JSON, ids=lambda each: each.name)
def test_what_is_read_in_one_go_is_what_the_walks_read(known):
    model = CATALOG.service(known).model
    body, typed, validator = JsonBody("application/json"), typed_json.TypedReader(), Validator()
    taken = 0
    for name in model.operation_names:
        shape = model.operation_model(name).input_shape
        if shape is not None:
            taken += _agree(body, typed, validator, shape)
    assert taken > 0


def _agree(body, typed, validator, shape) -> int:
    taken = 0

    @QUICK
    @given(shapes.members(shape, shapes.JSON), st.data())
    def check(members, data):
        nonlocal taken
        sent = json.loads(json.dumps(members, default=_number))
        if sent and data.draw(st.booleans()):
            sent[data.draw(st.sampled_from(sorted(sent)))] = data.draw(CUT)
        content = json.dumps(sent).encode()
        read = typed.read(shape, content)
        if read is not None:
            taken += 1
            assert read == body.read(shape, content)
            assert validator.complaints(shape, read) == []

    check()
    return taken


def _number(value: object) -> object:
    return value.timestamp() if isinstance(value, datetime) else str(value)
