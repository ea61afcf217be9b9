"""The assembled service against Amazon's model."""

from __future__ import annotations

import botocore.session

from openecs.api.ecs import SERVICE


def test_every_built_operation_is_one_of_amazons() -> None:
    model = botocore.session.get_session().get_service_model(SERVICE.name)
    assert set(SERVICE.operations) <= set(model.operation_names)
