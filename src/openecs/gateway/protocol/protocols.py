"""The protocols of AWS: each a notation for the body and a way to put it into HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openecs.gateway.exchange import Reply, Request
from openecs.gateway.protocol import cbor_codec, form_codec, json_codec
from openecs.gateway.protocol.bodies import Body, CborBody, JsonBody, XmlBody
from openecs.gateway.protocol.parse import Parsers
from openecs.gateway.protocol.rest import reply_members, request_members
from openecs.gateway.protocol.shape import Operation, Shape
from openecs.gateway.protocol.typed_json import TypedReader
from openecs.gateway.protocol.wire import Fault, Members, Wire
from openecs.gateway.protocol.xml_codec import element, escaped

#: Namespaces of replies that the model does not tell.
_NAMESPACES = {
    "route53": "https://route53.amazonaws.com/doc/2013-04-01/",
    "s3": "http://s3.amazonaws.com/doc/2006-03-01/",
}


def wire(protocol: str, service: str, metadata: Mapping[str, Any]) -> Wire:
    """The protocol of that name for a service of that model."""
    namespace = metadata.get("xmlNamespace") or _NAMESPACES.get(service)
    compatible = "awsQueryCompatible" in metadata
    match protocol:
        case "json":
            return JsonRpc(metadata.get("jsonVersion", "1.1"), query_compatible=compatible)
        case "smithy-rpc-v2-cbor":
            return CborRpc(service, query_compatible=compatible)
        case "query":
            return Query(namespace)
        case "ec2":
            return Ec2(namespace)
        case "rest-json":
            return RestJson()
        case "rest-xml":
            return RestXml(service, namespace)
        case _:
            raise ValueError(f"{service} speaks {protocol}, which is not known")


class JsonRpc:
    """awsJson 1.0 and 1.1: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html."""

    def __init__(self, version: str, *, query_compatible: bool = False) -> None:
        self._body = JsonBody(f"application/x-amz-json-{version}")
        self._typed = TypedReader()
        self._query_compatible = query_compatible

    def parse(self, operation: Operation, request: Request, _: Mapping[str, str]) -> dict[str, Any]:
        """The whole input is the body."""
        shape = operation.input_shape
        typed = self._typed.read(shape, request.content) if shape else None
        return _whole_input(self._body, operation, request) if typed is None else typed

    def reply(self, operation: Operation, members: Members, _: str) -> Reply:
        """The whole output is the body."""
        return _whole_output(self._body, operation, members, {})

    def fault(self, fault: Fault, _: str) -> Reply:
        """The shape's name in ``__type``."""
        body = {"__type": fault.code, **_fault_members(self._body, fault)}
        headers = _query_error(fault) if self._query_compatible else {}
        return _reply(fault.status, self._body.content_type, json_codec.encode(body), headers)


class CborRpc:
    """Smithy RPC v2 CBOR: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html."""

    def __init__(self, service: str, *, query_compatible: bool = False) -> None:
        self._headers = {"smithy-protocol": "rpc-v2-cbor"}
        self._body = CborBody()
        self._service = service
        self._query_compatible = query_compatible

    def parse(self, operation: Operation, request: Request, _: Mapping[str, str]) -> dict[str, Any]:
        """The whole input is the body."""
        return _whole_input(self._body, operation, request)

    def reply(self, operation: Operation, members: Members, _: str) -> Reply:
        """The whole output is the body; the header tells the client that we speak it."""
        return _whole_output(self._body, operation, members, self._headers)

    def fault(self, fault: Fault, _: str) -> Reply:
        """The shape's full name in ``__type``."""
        name = f"com.amazonaws.{self._service}#{fault.code}"
        body = cbor_codec.encode({"__type": name, **_fault_members(self._body, fault)})
        headers = {**self._headers, **(_query_error(fault) if self._query_compatible else {})}
        return _reply(fault.status, self._body.content_type, body, headers)


class Query:
    """awsQuery: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html."""

    def __init__(self, namespace: str | None) -> None:
        self._body = XmlBody(namespace)
        self._parsers = Parsers(form_codec.FormReader())

    def parse(self, operation: Operation, request: Request, _: Mapping[str, str]) -> dict[str, Any]:
        """The whole input is the form."""
        return _form_input(self._parsers, operation, request)

    def reply(self, operation: Operation, members: Members, request_id: str) -> Reply:
        """The output is inside a result, inside a response."""
        result = ""
        shape = operation.output_shape
        if shape is not None:
            content = self._body.contents(shape, members)
            result = element(shape.serialization["resultWrapper"], content)
        metadata = element("ResponseMetadata", element("RequestId", request_id))
        body = self._body.document(f"{operation.name}Response", result + metadata)
        return _reply(200, self._body.content_type, body)

    def fault(self, fault: Fault, request_id: str) -> Reply:
        """An ``ErrorResponse``."""
        return _error_response(self._body, fault, request_id)


class Ec2:
    """ec2Query: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html."""

    def __init__(self, namespace: str | None) -> None:
        self._body = XmlBody(namespace)
        self._parsers = Parsers(form_codec.Ec2FormReader())

    def parse(self, operation: Operation, request: Request, _: Mapping[str, str]) -> dict[str, Any]:
        """The whole input is the form."""
        return _form_input(self._parsers, operation, request)

    def reply(self, operation: Operation, members: Members, request_id: str) -> Reply:
        """The output is inside a response, beside the request's id."""
        content = element("requestId", request_id)
        if operation.output_shape is not None:
            content += self._body.contents(operation.output_shape, members)
        body = self._body.document(f"{operation.name}Response", content)
        return _reply(200, self._body.content_type, body)

    def fault(self, fault: Fault, request_id: str) -> Reply:
        """A ``Response`` of ``Errors``; it has no namespace."""
        error = element("Code", fault.query_code) + element("Message", escaped(fault.message))
        content = element("Errors", element("Error", error)) + element("RequestID", request_id)
        body = XmlBody(None).document("Response", content)
        return _reply(fault.status, self._body.content_type, body)


class RestJson:
    """restJson1: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html."""

    def __init__(self) -> None:
        self._body = JsonBody("application/json")

    def parse(
        self, operation: Operation, request: Request, labels: Mapping[str, str]
    ) -> dict[str, Any]:
        """The input is all over the request."""
        return _rest_input(self._body, operation, request, labels)

    def reply(self, operation: Operation, members: Members, _: str) -> Reply:
        """The output is all over the reply."""
        return _rest_output(self._body, operation, members)

    def fault(self, fault: Fault, _: str) -> Reply:
        """The shape's name in a header."""
        body = json_codec.encode(_fault_members(self._body, fault))
        headers = {"x-amzn-errortype": fault.code}
        return _reply(fault.status, self._body.content_type, body, headers)


class RestXml:
    """restXml: https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html."""

    def __init__(self, service: str, namespace: str | None) -> None:
        self._body = XmlBody(namespace)
        # S3 is the one service whose errors are not wrapped.
        self._wraps_errors = service != "s3"

    def parse(
        self, operation: Operation, request: Request, labels: Mapping[str, str]
    ) -> dict[str, Any]:
        """The input is all over the request."""
        return _rest_input(self._body, operation, request, labels)

    def reply(self, operation: Operation, members: Members, _: str) -> Reply:
        """The output is all over the reply."""
        return _rest_output(self._body, operation, members)

    def fault(self, fault: Fault, request_id: str) -> Reply:
        """An ``ErrorResponse``, or the ``Error`` alone."""
        if self._wraps_errors:
            return _error_response(self._body, fault, request_id)
        content = _xml_fault(self._body, fault) + element("RequestId", request_id)
        body = XmlBody(None).document("Error", content)
        return _reply(fault.status, self._body.content_type, body)


def _whole_input(body: Body, operation: Operation, request: Request) -> dict[str, Any]:
    shape = operation.input_shape
    return {} if shape is None else dict(body.read(shape, request.content))


def _whole_output(
    body: Body, operation: Operation, members: Members, headers: Mapping[str, str]
) -> Reply:
    shape = operation.output_shape
    content = b"" if shape is None else body.write(shape, members, shape.name)
    return _reply(200, body.content_type, content, headers)


def _form_input(parsers: Parsers, operation: Operation, request: Request) -> dict[str, Any]:
    shape = operation.input_shape
    return {} if shape is None else dict(parsers.of(shape)(form_codec.decode(request.form)))


def _rest_input(
    body: Body, operation: Operation, request: Request, labels: Mapping[str, str]
) -> dict[str, Any]:
    shape = operation.input_shape
    if shape is None:
        return {}
    members = request_members(shape).parse(request, labels)
    payload = shape.serialization.get("payload")
    if payload is None:
        return {**members, **body.read(shape, request.content)}
    if request.content:
        members[payload] = _payload(body, shape.members[payload], request.content)
    return members


def _payload(body: Body, shape: Any, content: bytes) -> Any:
    match shape.type_name:
        case "blob":
            return content
        case "string":
            return content.decode(errors="replace")
        case _:
            return body.read(shape, content)


def _rest_output(body: Body, operation: Operation, members: Members) -> Reply:
    default = int(operation.http.get("responseCode", 200))
    shape = operation.output_shape
    if shape is None:
        return _reply(default, body.content_type, b"")
    head = reply_members(shape)
    inside = {name: value for name, value in members.items() if name not in head.in_head}
    content = _rest_content(body, shape, inside)
    status = head.status(members, default)
    return _reply(status, body.content_type, content, head.headers(members))


def _rest_content(body: Body, shape: Shape, members: Members) -> bytes:
    payload = shape.serialization.get("payload")
    if payload is None:
        return body.write(shape, members, _root(shape))
    value = members.get(payload)
    match value:
        case None:
            return b""
        case bytes():
            return value
        case str():
            return value.encode()
        case _:
            return body.write(shape.members[payload], value, _root(shape.members[payload]))


def _root(shape: Shape) -> str:
    return str(shape.serialization.get("name", shape.name))


def _fault_members(body: JsonBody | CborBody, fault: Fault) -> dict[str, Any]:
    members = {} if fault.shape is None else body.contents(fault.shape, fault.members)
    return {fault.message_name: fault.message, **members}


def _error_response(body: XmlBody, fault: Fault, request_id: str) -> Reply:
    error = element("Type", fault.type) + _xml_fault(body, fault)
    content = element("Error", error) + element("RequestId", request_id)
    return _reply(fault.status, body.content_type, body.document("ErrorResponse", content))


def _xml_fault(body: XmlBody, fault: Fault) -> str:
    code = element("Code", fault.query_code) + element("Message", escaped(fault.message))
    return code if fault.shape is None else code + body.contents(fault.shape, fault.members)


def _query_error(fault: Fault) -> dict[str, str]:
    return {"x-amzn-query-error": f"{fault.query_code};{fault.type}"}


def _reply(
    status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None
) -> Reply:
    return Reply(
        status=status, headers={"content-type": content_type, **(headers or {})}, body=body
    )
