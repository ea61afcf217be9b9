"""Every operation of every service: what botocore writes we read, what we write botocore reads."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from botocore import awsrequest, parsers, serialize
from botocore.compat import HTTPHeaders
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from openecs.api.base import ServiceError
from openecs.gateway import errors, services
from openecs.gateway.catalog import Catalog, Target
from openecs.gateway.exchange import Reply, Request
from openecs.gateway.refusal import Refused
from openecs.testing import shapes

CATALOG = Catalog()
#: Enough that each shape's members are seen over a few runs; more is for those who change the walk.
QUICK = settings(
    max_examples=3,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
PROTOCOLS = [
    (service, protocol)
    for service in services.SERVICES
    for protocol in CATALOG.service(service).protocols
]
IDS = [f"{service.name}-{protocol}" for service, protocol in PROTOCOLS]
IN_REQUESTS = {"query": shapes.FORM, "ec2": shapes.FORM, "rest-xml": shapes.XML}
IN_REPLIES = {"query": shapes.XML, "ec2": shapes.XML, "rest-xml": shapes.XML}
#: Two operations with one method and path; the other one of each is what requests there mean.
INDISTINGUISHABLE = {
    "GetBucketLifecycle",
    "GetBucketNotification",
    "ListDirectoryBuckets",
    "PutBucketLifecycle",
    "PutBucketNotification",
}
#: Two of its members, one of them long obsolete, have the same name in XML.
AMBIGUOUS = {"GetBucketNotification"}


@pytest.mark.parametrize(("known", "protocol"), PROTOCOLS, ids=IDS)
def test_requests_come_back(known, protocol):
    service = CATALOG.service(known)
    serializer = serialize.create_serializer(protocol, include_validation=False)
    for name in service.model.operation_names:
        operation = service.model.operation_model(name)
        if name not in INDISTINGUISHABLE:
            requests_come_back(serializer, operation, known, IN_REQUESTS.get(protocol, shapes.JSON))


def requests_come_back(serializer, operation, known, notation):
    @QUICK
    @given(input_of(operation.input_shape, notation))
    def check(members):
        request = sent(serializer.serialize_to_request(members, operation), known)
        target = CATALOG.target(services.address(request), request)
        assert target.name == operation.name
        assert target.wire.parse(target.operation, request, target.labels) == members

    check()


@pytest.mark.parametrize(("known", "protocol"), PROTOCOLS, ids=IDS)
def test_replies_come_back(known, protocol):
    service = CATALOG.service(known)
    parser = parsers.create_parser(protocol)
    for name in service.model.operation_names:
        operation = service.model.operation_model(name)
        # An event stream is no document; nothing that answers with one is built.
        if not operation.has_event_stream_output and name not in AMBIGUOUS:
            replies_come_back(parser, operation, service.wire(protocol), IN_REPLIES.get(protocol))


def replies_come_back(parser, operation, wire, notation):
    shape = operation.output_shape

    @QUICK
    @given(input_of(shape, notation or shapes.JSON))
    def check(members):
        reply = wire.reply(operation, members, "the-id")
        parsed = parser.parse(received(reply), shape) or {}
        parsed.pop("ResponseMetadata", None)
        if "ContentType" not in members:
            # A body has a type, whether the operation gives one or not.
            parsed.pop("ContentType", None)
        assert parsed == as_botocore_has_it(members, shape)

    check()


@pytest.mark.parametrize(("known", "protocol"), PROTOCOLS, ids=IDS)
def test_errors_come_back(known, protocol):
    service = CATALOG.service(known)
    parser = parsers.create_parser(protocol)
    for shape in service.model.error_shapes:
        errors_come_back(parser, service, protocol, shape)


def errors_come_back(parser, service, protocol, shape):
    names = [name for name in shape.members if name.lower() != "message"]
    some_operation = service.model.operation_model(service.model.operation_names[0])
    target = Target(
        service=service,
        operation=some_operation,
        protocol=protocol,
        wire=service.wire(protocol),
    )

    @QUICK
    @given(input_of(shape, IN_REPLIES.get(protocol, shapes.JSON)), shapes_text(protocol))
    def check(members, message):
        members = {name: members[name] for name in names if name in members}
        error = ServiceError(shape.name, message, **members)
        response = received(errors.reply(error, target, SENT_NOWHERE, "the-id"))
        parsed = parser.parse(response, some_operation.output_shape)["Error"]
        modelled = parser.parse(response, shape)
        model = service.error(shape.name)
        compatible = "x-amzn-query-error" in response["headers"]
        assert parsed["Message"] == message
        assert parsed["Code"] == (
            model.query_code if compatible or protocol in BY_QUERY_CODE else shape.name
        )
        assert response["status_code"] == model.status
        assert {name: modelled[name] for name in names if name in modelled} == members

    check()


@pytest.mark.parametrize(("known", "protocol"), PROTOCOLS, ids=IDS)
@settings(deadline=None, max_examples=20)
@given(st.data())
def test_no_bytes_crash_a_parser(known, protocol, data):
    service = CATALOG.service(known)
    name = data.draw(st.sampled_from(service.model.operation_names))
    body = data.draw(st.binary() | HALF_SENSIBLE)
    request = Request(method="POST", path="/", query="", headers={}, body=body)
    operation = service.model.operation_model(name)
    with suppress(Refused):
        assert isinstance(service.wire(protocol).parse(operation, request, EveryLabel()), dict)


SENT_NOWHERE = Request(method="POST", path="/")
BY_QUERY_CODE = {"query", "ec2", "rest-xml"}
HALF_SENSIBLE = st.sampled_from(
    [
        b"{",
        b"[]",
        b'{"cluster": 1}',
        b'{"name": {"a": []}}',
        b"[" * 100_000,
        b"\x81" * 5000,
        b"\xd8\x1c\x81\xd8\x1d\x00",
        b"\xa1\x64name\xc1\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00",
        b"Action=X&Action.b=1",
        b"Filters.member.x.Name=1&Tags.member.1=a",
        b"<a><b/></a>",
        b"<a" * 1000,
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    ]
)


class EveryLabel(dict):
    def __missing__(self, name):
        return "label"


def input_of(shape, notation):
    return st.just({}) if shape is None else shapes.members(shape, notation)


def shapes_text(protocol):
    return st.text(IN_REPLIES.get(protocol, shapes.JSON).characters, min_size=1, max_size=8)


def sent(serialized, known):
    """What botocore would send, as the gateway gets it."""
    awsrequest.prepare_request_dict(serialized, "http://localhost:4566")
    prepared = awsrequest.create_request_object(serialized).prepare()
    url = urlsplit(prepared.url)
    headers = {name.lower(): as_text(value) for name, value in prepared.headers.items()}
    if "Content-Length" not in serialized["headers"]:
        headers.pop("content-length", None)
    headers["authorization"] = (
        "AWS4-HMAC-SHA256 Credential="
        f"AKIDEXAMPLE/20260102/us-east-1/{known.signing_name}/aws4_request, "
        "SignedHeaders=host, Signature=00"
    )
    headers["x-amz-date"] = "20260102T030405Z"
    body = prepared.body or b""
    return Request(
        method=prepared.method,
        path=url.path,
        query=url.query,
        headers=headers,
        body=body if isinstance(body, bytes) else body.encode(),
    )


def received(reply: Reply):
    """A reply as botocore gets it."""
    headers = HTTPHeaders()
    for name, value in reply.headers.items():
        headers[name] = value
    return {"status_code": reply.status, "headers": headers, "body": reply.body, "context": {}}


def as_text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def as_botocore_has_it(members, shape):
    """Botocore takes a body in memory for text, and makes nothing of none in its own way."""
    if shape is None:
        return members
    empty = {
        name: {}
        for name, member in shape.members.items()
        if member.serialization.get("location") == "headers"
    }
    payload = shape.serialization.get("payload")
    if payload is None:
        return empty | members
    given = members.get(payload)
    empty[payload] = {} if shape.members[payload].type_name == "structure" else ""
    text = {payload: given.decode()} if isinstance(given, bytes) else {}
    return empty | members | text
