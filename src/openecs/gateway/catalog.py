"""The models of the services, each loaded when it is first asked for: they are large.

A model and everything compiled from it (parsers, checks, routes) live here, for as long as the
process does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from openecs.gateway.exchange import Request
from openecs.gateway.protocol.protocols import wire
from openecs.gateway.protocol.shape import Operation, Shape
from openecs.gateway.protocol.validate import Validator
from openecs.gateway.protocol.wire import Wire
from openecs.gateway.refusal import Reason, Refused
from openecs.gateway.routes import Routes
from openecs.gateway.services import Address, KnownService

#: How a request's notation and the protocol's name in a model go together.
_PROTOCOLS = {
    "json": ("json",),
    "smithy-rpc-v2-cbor": ("smithy-rpc-v2-cbor",),
    "query": ("query", "ec2"),
    "rest": ("rest-json", "rest-xml"),
}
#: What the query protocol calls errors whose models no longer say it.
_QUERY_CODES = {
    "sqs": {
        "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
        "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
        "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
        "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
        "PurgeQueueInProgress": "AWS.SimpleQueueService.PurgeQueueInProgress",
        "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
        "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
        "QueueNameExists": "QueueAlreadyExists",
        "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorModel:
    """An error of a service's model."""

    name: str
    query_code: str
    status: int
    message_name: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a request is for, with all that is needed to read it and to answer."""

    service: LoadedService
    operation: Operation
    protocol: str
    wire: Wire
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The operation's name."""
        return str(self.operation.name)


class LoadedService:
    """A known service and its model."""

    def __init__(self, known: KnownService, model: ServiceModel) -> None:
        self.known = known
        self.model = model
        self.validator = Validator()
        self._wires: dict[str, Wire] = {}

    @property
    def name(self) -> str:
        """The name botocore has for the service."""
        return self.known.name

    @property
    def protocols(self) -> Sequence[str]:
        """The names of all protocols the service speaks."""
        metadata = self.model.metadata
        return metadata.get("protocols") or [metadata["protocol"]]

    def protocol(self, notation: str) -> str:
        """The name of the service's protocol in that notation, or of its first where it has none.

        Somebody who speaks a protocol the service does not know is answered in one it does.
        """
        own = self.protocols
        return next((name for name in _PROTOCOLS[notation] if name in own), own[0])

    def wire(self, protocol: str) -> Wire:
        """The protocol of that name for this service."""
        if protocol not in self._wires:
            self._wires[protocol] = wire(protocol, self.name, self.model.metadata)
        return self._wires[protocol]

    def operation(self, name: str) -> Operation | None:
        """The operation, or None where the model has none of that name."""
        return self.model.operation_model(name) if name in self._names else None

    def error(self, code: str) -> ErrorModel | None:
        """The error of that name, or else of that code in the query protocol; None: no such one."""
        return self._errors.get(code)

    @cached_property
    def routes(self) -> Routes:
        """The paths of a REST service."""
        return Routes(self.model)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.model.operation_names)

    @cached_property
    def _errors(self) -> Mapping[str, ErrorModel]:
        errors = [_error(self.name, shape) for shape in self.model.error_shapes]
        return {error.query_code: error for error in errors} | {one.name: one for one in errors}


class Catalog:
    """The services loaded so far."""

    def __init__(self) -> None:
        # What else lies on this machine (~/.aws/models) is no business of the server's.
        self._loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
        self._services: dict[str, LoadedService] = {}
        self._rpc: dict[tuple[str, str, str], Target] = {}

    def service(self, known: KnownService) -> LoadedService:
        """The service with its model."""
        if known.name not in self._services:
            description = self._loader.load_service_model(known.name, "service-2")
            model = ServiceModel(description, known.name)
            self._services[known.name] = LoadedService(known, model)
        return self._services[known.name]

    def target(self, address: Address, request: Request) -> Target:
        """What a request of that address is for. Raises ``Refused`` for an unknown operation."""
        if address.operation is None:
            return self._rest_target(address, request)
        _check_version(address, request)
        key = (address.service.name, address.protocol, address.operation)
        if key not in self._rpc:
            self._rpc[key] = self._rpc_target(address)
        return self._rpc[key]

    def _rpc_target(self, address: Address) -> Target:
        service = self.service(address.service)
        protocol = service.protocol(address.protocol)
        operation = service.operation(address.operation or "")
        if operation is None or protocol not in _PROTOCOLS[address.protocol]:
            raise _unknown_operation(address)
        wire = service.wire(protocol)
        return Target(service=service, operation=operation, protocol=protocol, wire=wire)

    def _rest_target(self, address: Address, request: Request) -> Target:
        service = self.service(address.service)
        protocol = service.protocol(address.protocol)
        match = service.routes.match(request) if protocol in _PROTOCOLS["rest"] else None
        if match is None:
            raise _unknown_operation(address)
        return Target(
            service=service,
            operation=match.operation,
            protocol=protocol,
            wire=service.wire(protocol),
            labels=match.labels,
        )


def _check_version(address: Address, request: Request) -> None:
    expected = address.service.version
    if address.protocol == "query" and request.form.get("Version", expected) != expected:
        version = request.form["Version"]
        message = f"Could not find operation {address.operation} for version {version}"
        raise Refused(Reason.UNKNOWN_OPERATION, message)


def _unknown_operation(address: Address) -> Refused:
    match address.protocol:
        case "query":
            version = address.service.version
            message = f"Could not find operation {address.operation} for version {version}"
        case "rest":
            message = "Unable to determine service/operation name to be authorized"
        case _:
            message = f"{address.service.name} has no operation {address.operation}"
    return Refused(Reason.UNKNOWN_OPERATION, message)


def _error(service: str, shape: Any) -> ErrorModel:
    error = shape.metadata.get("error", {})
    default = 500 if shape.metadata.get("fault") else 400
    names = _QUERY_CODES.get(service, {})
    return ErrorModel(
        name=shape.name,
        query_code=error.get("code") or names.get(shape.name, shape.name),
        status=error.get("httpStatusCode", default),
        message_name="Message" if "Message" in shape.members else "message",
        shape=shape,
    )
