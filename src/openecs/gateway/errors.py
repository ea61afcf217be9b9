"""Every way a request can fail, as AWS says it in the protocol the request came in.

Codes and statuses of refusals: the "Common Errors" pages of the API references; what differs from
protocol to protocol is long-standing behaviour of the services.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from openecs.api.base import ServiceError
from openecs.gateway.catalog import ErrorModel, Target
from openecs.gateway.exchange import Reply, Request
from openecs.gateway.protocol.protocols import wire
from openecs.gateway.protocol.wire import Fault
from openecs.gateway.refusal import Reason, Refused
from openecs.store.base import StoreError

log = structlog.get_logger(__name__)

#: Code and status of a refusal in the protocols json and smithy-rpc-v2-cbor.
_JSON = {
    Reason.MISSING_TOKEN: ("MissingAuthenticationTokenException", 400),
    Reason.INCOMPLETE_SIGNATURE: ("IncompleteSignatureException", 400),
    Reason.UNKNOWN_KEY: ("UnrecognizedClientException", 400),
    Reason.EXPIRED_TOKEN: ("ExpiredTokenException", 400),
    Reason.BAD_SIGNATURE: ("InvalidSignatureException", 400),
    Reason.OUT_OF_TIME: ("InvalidSignatureException", 400),
    Reason.ACCESS_DENIED: ("AccessDeniedException", 400),
    Reason.UNKNOWN_OPERATION: ("UnknownOperationException", 400),
    Reason.NOT_BUILT: ("NotImplementedException", 501),
    Reason.MALFORMED: ("SerializationException", 400),
    Reason.TOO_LARGE: ("RequestEntityTooLargeException", 413),
    Reason.INTERNAL: ("InternalFailure", 500),
    Reason.UNAVAILABLE: ("ServiceUnavailableException", 503),
}
_REST_JSON = {
    Reason.MISSING_TOKEN: ("MissingAuthenticationTokenException", 403),
    Reason.INCOMPLETE_SIGNATURE: ("IncompleteSignatureException", 403),
    Reason.UNKNOWN_KEY: ("UnrecognizedClientException", 403),
    Reason.EXPIRED_TOKEN: ("ExpiredTokenException", 403),
    Reason.BAD_SIGNATURE: ("InvalidSignatureException", 403),
    Reason.OUT_OF_TIME: ("InvalidSignatureException", 403),
    Reason.ACCESS_DENIED: ("AccessDeniedException", 403),
    Reason.UNKNOWN_OPERATION: ("UnknownOperationException", 404),
}
_QUERY = {
    Reason.MISSING_TOKEN: ("MissingAuthenticationToken", 403),
    Reason.INCOMPLETE_SIGNATURE: ("IncompleteSignature", 403),
    Reason.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
    Reason.EXPIRED_TOKEN: ("ExpiredToken", 403),
    Reason.BAD_SIGNATURE: ("SignatureDoesNotMatch", 403),
    Reason.OUT_OF_TIME: ("SignatureDoesNotMatch", 403),
    Reason.ACCESS_DENIED: ("AccessDenied", 403),
    Reason.UNKNOWN_OPERATION: ("InvalidAction", 400),
    Reason.NOT_BUILT: ("NotImplemented", 501),
    Reason.MALFORMED: ("MalformedInput", 400),
    Reason.TOO_LARGE: ("RequestEntityTooLarge", 413),
    Reason.INTERNAL: ("InternalFailure", 500),
    Reason.UNAVAILABLE: ("ServiceUnavailable", 503),
}
_EC2 = {
    Reason.UNKNOWN_KEY: ("AuthFailure", 401),
    Reason.BAD_SIGNATURE: ("AuthFailure", 401),
    Reason.OUT_OF_TIME: ("RequestExpired", 400),
    Reason.ACCESS_DENIED: ("UnauthorizedOperation", 403),
    Reason.MALFORMED: ("InvalidParameterValue", 400),
    Reason.INTERNAL: ("InternalError", 500),
    Reason.UNAVAILABLE: ("Unavailable", 503),
}
_CODES: Mapping[str, Mapping[Reason, tuple[str, int]]] = {
    "json": _JSON,
    "smithy-rpc-v2-cbor": _JSON,
    "rest-json": {**_JSON, **_REST_JSON},
    "query": _QUERY,
    "rest-xml": _QUERY,
    "ec2": {**_QUERY, **_EC2},
}
#: What only some protocols word otherwise.
_MESSAGES = {
    (protocol, Reason.MISSING_TOKEN): "Missing Authentication Token"
    for protocol in ("json", "smithy-rpc-v2-cbor", "rest-json")
}
#: What a service calls its own failure, where its model has a name for it.
_SERVER_ERRORS = {
    "ecs": "ServerException",
    "application-autoscaling": "InternalServiceException",
    "logs": "ServiceUnavailableException",
    "iam": "ServiceFailureException",
    "secretsmanager": "InternalServiceError",
    "ssm": "InternalServerError",
    "ecr": "ServerException",
    "events": "InternalException",
    "scheduler": "InternalServerException",
    "cloudwatch": "InternalServiceFault",
}


def reply(error: Exception, target: Target | None, request: Request, request_id: str) -> Reply:
    """The reply to a request that failed; ``target`` is None where it is not known.

    Errors of AWS's come out as they are. Everything else is ours, and is logged.
    """
    match error:
        case ServiceError() if target is not None:
            return target.wire.fault(_modelled(error, target), request_id)
        case Refused():
            return _refusal(error, target, request, request_id)
        case StoreError():
            log.error("store failed", request_id=request_id, reason=str(error))
            refused = Refused(Reason.UNAVAILABLE, f"The store is unavailable: {error}")
            return _refusal(refused, target, request, request_id)
        case _:
            log.error("request failed", request_id=request_id, path=request.path, exc_info=error)
            message = f"The server has failed. Its log has more under request id {request_id}."
            refused = Refused(Reason.INTERNAL, message)
            return _refusal(refused, target, request, request_id)


def not_built(target: Target) -> Refused:
    """AWS has the operation, OpenECS has not; nobody shall take it for done."""
    message = (
        f"OpenECS has not built {target.service.name}:{target.name} yet. "
        "docs/api-coverage.md lists what is built."
    )
    return Refused(Reason.NOT_BUILT, message)


def _modelled(error: ServiceError, target: Target) -> Fault:
    known = target.service.error(error.code)
    if known is None:
        return _plain_fault(error.code, error.message, _status(error.code, target))
    return _fault(known, error.message, known.status, error.members)


def _refusal(refused: Refused, target: Target | None, request: Request, request_id: str) -> Reply:
    protocol = target.protocol if target else _guessed_protocol(request)
    code, status = _CODES[protocol][refused.reason]
    message = _MESSAGES.get((protocol, refused.reason), refused.message)
    if target is None:
        speaker = wire(protocol, "openecs", {})
        return speaker.fault(_plain_fault(code, message, status), request_id)
    known = target.service.error(_server_error(refused.reason, target.service.name) or code)
    if known is None:
        return target.wire.fault(_plain_fault(code, message, status), request_id)
    return target.wire.fault(_fault(known, message, status), request_id)


def _guessed_protocol(request: Request) -> str:
    match request.content_type:
        case "application/x-www-form-urlencoded":
            return "query"
        case "application/cbor":
            return "smithy-rpc-v2-cbor"
        case kind if kind.startswith("application/x-amz-json-"):
            return "json"
        case _:
            return "query" if "Action=" in request.query else "rest-json"


def _server_error(reason: Reason, service: str) -> str | None:
    own = reason in {Reason.INTERNAL, Reason.UNAVAILABLE}
    return _SERVER_ERRORS.get(service) if own else None


def _status(code: str, target: Target) -> int:
    """The status of an error that no model has: that of the refusal with the same code, or 400."""
    codes = dict(_CODES[target.protocol].values())
    return codes.get(code, 400)


def _plain_fault(code: str, message: str, status: int) -> Fault:
    # Every model spells it "message"; what AWS's framework answers by itself has a capital.
    message_name = "Message" if code == "SerializationException" else "message"
    return Fault(
        code=code, query_code=code, message=message, status=status, message_name=message_name
    )


def _fault(
    known: ErrorModel, message: str, status: int, members: Mapping[str, object] | None = None
) -> Fault:
    return Fault(
        code=known.name,
        query_code=known.query_code,
        message=message,
        status=status,
        shape=known.shape,
        members=members or {},
        message_name=known.message_name,
    )
