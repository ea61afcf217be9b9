"""What boto3 sees of the gateway."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from .conftest import ACCOUNT, ROOT, USER


def test_who_am_i_in_the_query_protocol(client):
    answer = client("sts").get_caller_identity()
    assert answer["Arn"] == ROOT.arn
    assert answer["UserId"] == answer["Account"] == ACCOUNT
    assert answer["ResponseMetadata"]["RequestId"]


def test_what_is_written_is_read(client):
    ecs = client("ecs")
    created = ecs.create_cluster(clusterName="kept")["cluster"]
    assert created["clusterArn"] == f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/kept"
    assert "settings" not in created
    assert created["clusterArn"] in ecs.list_clusters()["clusterArns"]


def test_regions_are_separate_worlds(client):
    client("ecs", region="eu-west-1").create_cluster(clusterName="there")
    assert client("ecs", region="us-west-2").list_clusters()["clusterArns"] == []


def test_a_rest_operation(client):
    answer = client("scheduler").get_schedule(Name="a.b", GroupName="night")
    assert (answer["Name"], answer["GroupName"]) == ("a.b", "night")
    assert answer["CreationDate"].tzinfo


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "status", "code", "words"),
    [
        ("ecs", "stop_task", {"task": "x"}, 400, "ConflictException", "Not so."),
        ("ecs", "describe_tasks", {"tasks": ["x"]}, 500, "ServerException", "log has more"),
        ("ecs", "list_tasks", {}, 503, "ServerException", "the disk is full"),
        (
            "ecs",
            "list_services",
            {},
            501,
            "NotImplementedException",
            "OpenECS has not built ecs:ListServices yet. docs/api-coverage.md lists what is built.",
        ),
        ("elbv2", "describe_load_balancers", {}, 501, "NotImplemented", "elbv2:DescribeLoadBal"),
        ("ec2", "describe_vpcs", {}, 501, "NotImplemented", "ec2:DescribeVpcs"),
        ("s3", "list_buckets", {}, 501, "NotImplemented", "s3:ListBuckets"),
        (
            "scheduler",
            "get_schedule",
            {"Name": "absent", "GroupName": "x"},
            404,
            "ResourceNotFoundException",
            "No such schedule.",
        ),
        (
            "cloudwatch",
            "set_alarm_state",
            {"AlarmName": "x", "StateValue": "OK", "StateReason": "y"},
            404,
            "ResourceNotFound",
            "No alarm x.",
        ),
        (
            "sts",
            "get_access_key_info",
            {"AccessKeyId": "AKIAUNKNOWNUNKNOWN00"},
            400,
            "ValidationError",
            "Invalid",
        ),
        (
            "sts",
            "get_access_key_info",
            {"AccessKeyId": "+++++++++++++++++"},
            400,
            "ValidationError",
            (
                "1 validation error detected: Value '+++++++++++++++++' at 'accessKeyId' failed to "
                r"satisfy constraint: Member must satisfy regular expression pattern: [\w]*"
            ),
        ),
    ],
)
def test_errors(client, service, operation, arguments, status, code, words):
    with pytest.raises(ClientError) as caught:
        getattr(client(service), operation)(**arguments)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert response["Error"]["Code"] == code
    assert words in response["Error"]["Message"]


def test_modelled_members_of_an_error_are_inline(client):
    ecs = client("ecs")
    with pytest.raises(ecs.exceptions.ConflictException) as caught:
        ecs.stop_task(task="x")
    assert caught.value.response["resourceIds"] == ["a", "b"]


def test_a_large_request_comes_packed(client):
    data = [{"MetricName": f"m{number}", "Value": number / 3} for number in range(900)]
    with pytest.raises(ClientError, match="900 data") as caught:
        client("cloudwatch").put_metric_data(Namespace="n", MetricData=data)
    assert caught.value.response["Error"]["QueryErrorCode"] == "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("service", "operation", "status", "code"),
    [
        ("ecs", "list_clusters", 400, "InvalidSignatureException"),
        ("sts", "get_caller_identity", 403, "SignatureDoesNotMatch"),
        ("ec2", "describe_vpcs", 401, "AuthFailure"),
        ("scheduler", "list_schedules", 403, "InvalidSignatureException"),
    ],
)
def test_a_wrong_secret(client, service, operation, status, code):
    with pytest.raises(ClientError) as caught:
        getattr(client(service, secret="wrong"), operation)()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"]["Code"] == code


def test_who_is_not_root_may_nothing_yet(client):
    with pytest.raises(ClientError, match="AccessDeniedException") as caught:
        client("ecs", key=USER).list_clusters()
    assert "is not authorized to perform: ecs:ListClusters" in str(caught.value)


def test_a_presigned_url(client):
    url = client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    status, _, body = asked("GET", url)
    assert status == 200, body
    assert ROOT.arn in body.decode()
    status, _, body = asked("GET", url.replace("Version=2011-06-15", "Version=2011-06-16"))
    assert status == 400
    assert b"<Code>InvalidAction</Code>" in body


def test_health_is_for_everybody(door):
    status, headers, body = asked("GET", f"{door}/_openecs/health")
    assert (status, json.loads(body)) == (200, {"ok": True})
    assert headers["Date"]
    assert headers["x-amzn-RequestId"]


def test_reset_is_for_root(door):
    url = f"{door}/_openecs/reset"
    assert asked("POST", url)[0] == 403
    assert asked("POST", url, signed_by=USER)[0] == 403
    assert asked("POST", url, signed_by=ROOT)[::2] == (200, ROOT.arn.encode())


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({}, b"", 403, b"Missing Authentication Token"),
        ({"x-amz-target": "Nobody.Nothing"}, b"{}", 400, b"Missing Authentication Token"),
        (
            {"x-amz-target": "AmazonEC2ContainerServiceV20141113.Nothing"},
            b"{}",
            400,
            b"UnknownOperationException",
        ),
        (
            {
                "x-amz-target": "AmazonEC2ContainerServiceV20141113.ListClusters",
                "content-type": "application/x-amz-json-1.1",
            },
            b"{}",
            400,
            b'{"__type":"MissingAuthenticationTokenException","message":"Missing Authentic',
        ),
        (
            {"content-type": "application/x-www-form-urlencoded"},
            b"Action=GetCallerIdentity&Version=2011-06-15",
            403,
            b"<Code>MissingAuthenticationToken</Code>",
        ),
    ],
)
def test_the_unsigned_are_told_so(door, headers, body, status, words):
    answered, _, content = asked("POST", door, headers=headers, body=body)
    assert (answered, words in content) == (status, True), content


def test_what_is_not_json_is_refused(door):
    headers = {"x-amz-target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    status, _, body = asked("POST", f"{door}/", headers=headers, body=b"{", signed_by=ROOT)
    assert status == 400
    assert json.loads(body)["__type"] == "SerializationException"


def test_too_large_a_body_is_refused_in_the_service_s_own_way(door):
    headers = {"x-amz-target": "AmazonEC2ContainerServiceV20141113.ListClusters"}
    body = b" " * (10 * 1024 * 1024 + 1)
    status, _, answer = asked("POST", f"{door}/", headers=headers, body=body, signed_by=ROOT)
    assert status == 413
    assert json.loads(answer)["__type"] == "RequestEntityTooLargeException"


def test_too_large_a_body_is_refused_unpacked_too(door):
    headers = {
        "x-amz-target": "AmazonEC2ContainerServiceV20141113.ListClusters",
        "content-encoding": "gzip",
    }
    body = gzip.compress(b" " * (10 * 1024 * 1024 + 1))
    assert asked("POST", f"{door}/", headers=headers, body=body, signed_by=ROOT)[0] == 413


def asked(method, url, *, headers=None, body=b"", signed_by=None):
    """What the server answers to a plain request: status, headers and body."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    if signed_by is not None:
        credentials = Credentials(signed_by.access_key_id, signed_by.secret)
        SigV4Auth(credentials, "ecs", "eu-central-1").add_auth(request)
    plain = urllib.request.Request(
        url, method=method, data=body or None, headers=dict(request.headers)
    )
    if "content-type" not in request.headers and body:
        plain.add_header("content-type", "application/x-amz-json-1.1")
    try:
        with urllib.request.urlopen(plain, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()
