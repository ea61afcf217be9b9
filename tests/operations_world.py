"""A world to call a service's operations in: a memory store, a caller, one method to call with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from openecs.api.base import Call, Reads, Service, ServiceError
from openecs.store.base import Kind
from openecs.store.memory import MemoryStore
from openecs.testing.builders import a_call

#: The shapes of answers, where timestamps are aware datetimes.
VALIDATOR = ParamValidator()


class World:
    def __init__(self, service: Service) -> None:
        self.operations = service.operations
        self.model = botocore.session.get_session().get_service_model(service.name)
        self.store = MemoryStore()
        self.call = a_call()

    async def do(self, operation: str, call: Call | None = None, **request: Any) -> Any:
        """The answer of an operation, checked against Amazon's model, without absent members."""
        call = call or self.call
        built = self.operations[operation]
        run = self.store.read if isinstance(built, Reads) else self.store.write
        answer = await run(lambda state: built.function(state, call, request))
        shown = without_absent(answer)
        shape = self.model.operation_model(operation).output_shape
        report = VALIDATOR.validate(shown, shape)
        assert not report.has_errors(), report.generate_report()
        assert not unknown_members(shown, shape)
        return shown

    async def refused(self, operation: str, **request: Any) -> tuple[str, str]:
        """The code and message an operation fails with."""
        with pytest.raises(ServiceError) as caught:
            await self.do(operation, **request)
        return caught.value.code, caught.value.message

    async def put(self, kind: Kind[Any], values: Iterable[Any]) -> None:
        def work(tx):
            for value in values:
                tx.put(kind, value)

        await self.store.write(work)


def without_absent(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_absent(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_absent(item) for item in value]
    return value


def unknown_members(value: Any, shape: Any) -> list[str]:
    """Members that Amazon's model does not have, which a parser would drop in silence."""
    if shape.type_name == "structure":
        unknown = [name for name in value if name not in shape.members]
        known = ((item, shape.members[name]) for name, item in value.items() if name not in unknown)
        return unknown + [name for item, inner in known for name in unknown_members(item, inner)]
    if shape.type_name == "list":
        return [name for item in value for name in unknown_members(item, shape.member)]
    return []
