from __future__ import annotations

import gzip
import json
import math
from datetime import UTC, datetime

import cbor2
import pytest

from openecs.api.base import ServiceError
from openecs.gateway import errors, services
from openecs.gateway.catalog import Catalog, Target
from openecs.gateway.exchange import BODY_LIMIT, Request
from openecs.gateway.protocol.serialize import UnknownMember
from openecs.gateway.refusal import Reason, Refused
from openecs.store.base import StoreUnavailable

CATALOG = Catalog()
KNOWN = {known.name: known for known in services.SERVICES}
MIDNIGHT = datetime(2026, 1, 2, tzinfo=UTC)
DATUM = {
    "Namespace": "N",
    "MetricData": [
        {
            "MetricName": "m",
            "Value": 1.5,
            "Timestamp": MIDNIGHT,
            "Dimensions": [{"Name": "a", "Value": "b"}],
        }
    ],
}


def target(service, operation, protocol):
    loaded = CATALOG.service(KNOWN[service])
    return Target(
        service=loaded,
        operation=loaded.operation(operation),
        protocol=protocol,
        wire=loaded.wire(protocol),
    )


def parsed(service, operation, protocol, body, **request):
    of = target(service, operation, protocol)
    request = Request(**{"method": "POST", "path": "/", "body": body, **request})
    return of.wire.parse(of.operation, request, {})


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        (
            "smithy-rpc-v2-cbor",
            bytes.fromhex(
                "a2694e616d657370616365614e6a4d65747269634461746181a46a4d65747269634e616d65616d6556"
                "616c7565fb3ff80000000000006954696d657374616d70c11a69570a806a44696d656e73696f6e7381"
                "a2644e616d6561616556616c75656162"
            ),
        ),
        (
            "smithy-rpc-v2-cbor",  # of indefinite length, with null, as other SDKs write it
            bytes.fromhex(
                "bf694e616d657370616365614e6a4d6574726963446174619fbf6a4d65747269634e616d6561"
                "6d6556616c7565f93e006954696d657374616d70c1fb41da55c2a000000064556e6974f66a44"
                "696d656e73696f6e739fbf644e616d6561616556616c75657f6162ffffffffffff"
            ),
        ),
        (
            "json",
            (
                b'{"Namespace": "N", "MetricData": [{"MetricName": "m", "Value": 1.5, "Timestamp": '
                b'1767312000, "Unit": null, "Dimensions": [{"Name": "a", "Value": "b", "More": '
                b"1}]}]}"
            ),
        ),
        (
            "query",
            (
                b"Action=PutMetricData&Version=2010-08-01&Namespace=N"
                b"&MetricData.member.1.MetricName=m"
                b"&MetricData.member.1.Value=1.5&MetricData.member.1.Timestamp=2026-01-02T00:00:00Z"
                b"&MetricData.member.1.Dimensions.member.1.Name=a"
                b"&MetricData.member.1.Dimensions.member.1.Value=b&Other.member.1=x"
            ),
        ),
    ],
)
def test_one_request_in_every_protocol(protocol, body):
    assert parsed("cloudwatch", "PutMetricData", protocol, body) == DATUM


def test_a_packed_body_is_unpacked():
    headers = {"content-encoding": "gzip"}
    body = gzip.compress(b'{"Namespace":"N"}')
    answer = parsed("cloudwatch", "PutMetricData", "json", body, headers=headers)
    assert answer == {"Namespace": "N"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not gzip", Reason.MALFORMED),
        (gzip.compress(b"{}")[:-4], Reason.MALFORMED),
        (gzip.compress(b" " * (BODY_LIMIT + 1)), Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_unpacked(body, reason):
    request = Request(method="POST", path="/", headers={"content-encoding": "gzip"}, body=body)
    with pytest.raises(Refused) as caught:
        _ = request.content
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"cpu": 1}', "NUMBER_VALUE cannot be converted to String"),
        (b'{"cpu": true}', "TRUE_VALUE cannot be converted to String"),
        (b'{"cpu": {}}', "Start of structure or map found where not expected."),
        (b'{"cpu": []}', "Start of list found where not expected"),
        (b'{"containerDefinitions": {}}', "Expected list or null"),
        (b'{"containerDefinitions": ["a"]}', "Unexpected field type"),
        (
            b'{"containerDefinitions": [{"memory": "512"}]}',
            "STRING_VALUE cannot be converted to Integer",
        ),
        (
            b'{"containerDefinitions": [{"memory": 3000000000}]}',
            "NUMBER_VALUE cannot be converted to Integer",
        ),
        (
            b'{"containerDefinitions": [{"essential": "yes"}]}',
            "STRING_VALUE cannot be converted to Boolean",
        ),
        (b"[]", "Unexpected field type"),
        (b"\xff", "Request body is not valid JSON"),
        (b'{"cpu": 1e400}', "Request body is not valid JSON"),
    ],
)
def test_wrong_types_in_json(body, message):
    with pytest.raises(Refused) as caught:
        parsed("ecs", "RegisterTaskDefinition", "json", body)
    assert caught.value.reason is Reason.MALFORMED
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    "body",
    [
        b"Names=a",
        b"Names.member=a",
        b"Names.member.x=a",
        b"Names.member.1.b=a",
        b"PageSize=many",
        b"PageSize.a=1",
        b"PageSize=1&PageSize.a=1",
        b"PageSize.a=1&PageSize=1",
        b"\xff",
    ],
)
def test_wrong_types_in_forms(body):
    with pytest.raises(Refused) as caught:
        parsed("elbv2", "DescribeLoadBalancers", "query", body)
    assert caught.value.reason is Reason.MALFORMED


def test_items_of_a_form_come_in_order_of_their_numbers():
    body = b"&".join(b"Names.member.%d=%d" % (n, n) for n in (10, 2, 1, 11))
    answer = parsed("elbv2", "DescribeLoadBalancers", "query", body)
    assert answer == {"Names": ["1", "2", "10", "11"]}


def test_an_empty_list_is_as_good_as_none():
    assert parsed("elbv2", "DescribeLoadBalancers", "query", b"Names=") == {}


def test_special_numbers():
    body = b'{"MetricData":[{"Values":["NaN","Infinity","-Infinity",1]}]}'
    answer = parsed("cloudwatch", "PutMetricData", "json", body)["MetricData"][0]["Values"]
    assert math.isnan(answer[0])
    assert answer[1:] == [math.inf, -math.inf, 1.0]


def replied(service, operation, protocol, members):
    of = target(service, operation, protocol)
    return of.wire.reply(of.operation, members, "the-id")


def test_a_reply_in_json():
    reply = replied(
        "ecs", "DescribeClusters", "json", {"clusters": [{"clusterName": "a", "status": None}]}
    )
    assert reply.headers == {"content-type": "application/x-amz-json-1.1"}
    assert reply.body == b'{"clusters":[{"clusterName":"a"}]}'


def test_timestamps_in_json_have_milliseconds():
    created = datetime(2026, 1, 2, 3, 4, 5, 123_456, tzinfo=UTC)
    reply = replied("ecs", "DescribeTasks", "json", {"tasks": [{"createdAt": created}]})
    assert reply.body == b'{"tasks":[{"createdAt":1767323045.123}]}'


def test_a_reply_in_xml():
    reply = replied("sts", "GetCallerIdentity", "query", {"Arn": "<a&\r\x00>"})
    assert reply.headers == {"content-type": "text/xml"}
    assert reply.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        "<GetCallerIdentityResult><Arn>&lt;a&amp;&#13;\ufffd&gt;</Arn></GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )


def test_a_reply_with_nothing_in_it():
    assert replied("iam", "DeleteUser", "query", {}).body.endswith(
        b"<ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata></DeleteUserResponse>"
    )
    assert replied("logs", "DeleteLogGroup", "json", {}).body == b""


def test_a_reply_in_cbor():
    reply = replied("cloudwatch", "DeleteDashboards", "smithy-rpc-v2-cbor", {})
    assert reply.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert cbor2.loads(reply.body) == {}


def test_a_member_the_model_does_not_know_is_a_bug():
    with pytest.raises(UnknownMember, match="Cluster has no member name"):
        replied("ecs", "DescribeClusters", "json", {"clusters": [{"name": "a"}]})


NOWHERE = Request(method="POST", path="/")


def failed(service, operation, protocol, error):
    return errors.reply(error, target(service, operation, protocol), NOWHERE, "the-id")


def test_an_error_in_cbor():
    error = ServiceError("ResourceNotFound", "nope")
    reply = failed("cloudwatch", "SetAlarmState", "smithy-rpc-v2-cbor", error)
    assert reply.status == 404
    assert reply.headers["x-amzn-query-error"] == "ResourceNotFound;Sender"
    assert cbor2.loads(reply.body) == {
        "__type": "com.amazonaws.cloudwatch#ResourceNotFound",
        "message": "nope",
    }


def test_an_error_by_its_query_code_in_json():
    error = ServiceError("InvalidParameterValue", "bad")
    reply = failed("cloudwatch", "PutMetricData", "json", error)
    assert json.loads(reply.body)["__type"] == "InvalidParameterValueException"
    assert reply.headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"


def test_an_error_of_sqs_keeps_its_old_name_beside_the_new_one():
    reply = failed("sqs", "DeleteQueue", "json", ServiceError("QueueDoesNotExist", "no"))
    assert reply.headers["x-amzn-query-error"] == ("AWS.SimpleQueueService.NonExistentQueue;Sender")


def test_an_error_by_its_name_in_a_query():
    reply = failed("iam", "GetRole", "query", ServiceError("NoSuchEntityException", "no <role>"))
    assert reply.status == 404
    assert reply.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error>'
        "<Type>Sender</Type><Code>NoSuchEntity</Code><Message>no &lt;role&gt;</Message></Error>"
        "<RequestId>the-id</RequestId></ErrorResponse>"
    )


def test_some_models_spell_message_with_a_capital():
    error = ServiceError("ObjectNotFoundException", "no")
    reply = failed("application-autoscaling", "DeleteScalingPolicy", "json", error)
    assert json.loads(reply.body) == {"__type": "ObjectNotFoundException", "Message": "no"}


def test_an_error_of_ec2():
    reply = failed("ec2", "DescribeVpcs", "ec2", ServiceError("InvalidVpcID.NotFound", "no"))
    assert reply.body.endswith(
        b"<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error>"
        b"</Errors><RequestID>the-id</RequestID></Response>"
    )


def test_an_error_of_a_rest_service():
    error = ServiceError("ConflictException", "twice")
    reply = failed("scheduler", "CreateSchedule", "rest-json", error)
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (409, "ConflictException")
    assert json.loads(reply.body) == {"Message": "twice"}


def test_an_error_of_s3_is_not_wrapped():
    reply = failed("s3", "GetObject", "rest-xml", ServiceError("NoSuchKey", "no"))
    assert reply.body.endswith(
        b"<Error><Code>NoSuchKey</Code><Message>no</Message><RequestId>the-id</RequestId></Error>"
    )


@pytest.mark.parametrize(
    ("service", "operation", "protocol", "error", "status", "code"),
    [
        ("ecs", "RunTask", "json", StoreUnavailable("full"), 503, b"ServerException"),
        ("iam", "GetRole", "query", StoreUnavailable("full"), 503, b"ServiceFailure"),
        ("elbv2", "DescribeTags", "query", StoreUnavailable("x"), 503, b"ServiceUnavailable"),
        ("ecs", "RunTask", "json", KeyError("bug"), 500, b"ServerException"),
        ("elbv2", "DescribeTags", "query", KeyError("bug"), 500, b"InternalFailure"),
    ],
)
def test_failures_of_our_own(service, operation, protocol, error, status, code):
    reply = failed(service, operation, protocol, error)
    assert reply.status == status
    assert code in reply.body


@pytest.mark.parametrize(
    "reason", [reason for reason in Reason if reason not in {Reason.INTERNAL, Reason.UNAVAILABLE}]
)
@pytest.mark.parametrize(
    ("service", "operation", "protocol"),
    [
        ("ecs", "RunTask", "json"),
        ("sts", "AssumeRole", "query"),
        ("ec2", "DescribeVpcs", "ec2"),
        ("scheduler", "GetSchedule", "rest-json"),
        ("route53", "GetChange", "rest-xml"),
        ("cloudwatch", "ListMetrics", "smithy-rpc-v2-cbor"),
    ],
)
def test_every_refusal_has_a_code_in_every_protocol(service, operation, protocol, reason):
    reply = failed(service, operation, protocol, Refused(reason, "words"))
    assert 400 <= reply.status < 600
    assert b"oken" in reply.body or b"words" in reply.body
