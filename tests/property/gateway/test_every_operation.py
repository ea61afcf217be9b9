"""Every operation of every service: what botocore writes we read, what we write botocore reads."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from botocore import awsrequest, parsers, serialize
from botocore.compat import HTTPHeaders
from botocore.endpoint import convert_to_response_dict
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from openecs.gateway import errors, services
from openecs.gateway.catalog import Catalog, Target
from openecs.gateway.exchange import Reply, Request
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
        replies_come_back(parser, operation, service.wire(protocol), IN_REPLIES.get(protocol))


def replies_come_back(parser, operation, wire, notation):
    shape = operation.output_shape

    @QUICK
    @given(input_of(shape, notation or shapes.JSON))
    def check(members):
        reply = wire.reply(operation, members, "the-id")
        parsed = parser.parse(received(reply), shape) or {}
        parsed.pop("ResponseMetadata", None)
        assert parsed == as_botocore_has_it(members, shape)

    check()


@pytest.mark.parametrize(("known", "protocol"), PROTOCOLS, ids=IDS)
def test_errors_come_back(known, protocol):
    service = CATALOG.service(known)
    parser = parsers.create_parser(protocol)
    for shape in service.model.error_shapes:
        errors_come_back(parser, service, protocol, shape)
