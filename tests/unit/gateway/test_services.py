from __future__ import annotations

import pytest

from openecs.gateway import services
from openecs.gateway.catalog import Catalog
from openecs.gateway.exchange import Request
from openecs.gateway.refusal import Refused

CATALOG = Catalog()


@pytest.mark.parametrize("known", services.SERVICES, ids=lambda known: known.name)
def test_what_gives_a_service_away_is_what_its_model_says(known):
    service = CATALOG.service(known)
    metadata = service.model.metadata
    assert known.signing_name == metadata.get("signingName", metadata["endpointPrefix"])
    assert known.target == metadata.get("targetPrefix")
    assert known.endpoint == metadata["endpointPrefix"]
    speaks_query = {"query", "ec2"} & set(service.protocols)
    assert known.version == (metadata["apiVersion"] if speaks_query else None)


def signed_for(service):
    return {
        "x-amz-date": "20260102T030405Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/{service}/aws4_request,"
        " SignedHeaders=host, Signature=0",
    }


FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
CBOR = "/service/GraniteServiceVersion20100801/operation/ListMetrics"


@pytest.mark.parametrize(
    ("request_", "service", "protocol", "operation"),
    [
        (
            Request(
                method="POST", path="/", headers={"x-amz-target": "Logs_20140328.PutLogEvents"}
            ),
            "logs",
            "json",
            "PutLogEvents",
        ),
        (
            Request(
                method="POST",
                path="/",
                headers=signed_for("logs") | {"x-amz-target": "AmazonSSM.GetParameter"},
            ),
            "ssm",
            "json",
            "GetParameter",
        ),
        (Request(method="POST", path=CBOR), "cloudwatch", "smithy-rpc-v2-cbor", "ListMetrics"),
        (
            Request(
                method="POST", path="/", headers=FORM | signed_for("iam"), body=b"Action=ListUsers"
            ),
            "iam",
            "query",
            "ListUsers",
        ),
        (
            Request(
                method="POST",
                path="/",
                headers=FORM,
                body=b"Action=DescribeVpcs&Version=2016-11-15",
            ),
            "ec2",
            "query",
            "DescribeVpcs",
        ),
        (
            Request(method="GET", path="/", query="Action=AssumeRole", headers={"host": "sts.x"}),
            "sts",
            "query",
            "AssumeRole",
        ),
        (Request(method="GET", path="/schedules"), "scheduler", "rest", None),
        (Request(method="GET", path="/2013-04-01/hostedzone"), "route53", "rest", None),
        (Request(method="GET", path="/any", headers=signed_for("s3")), "s3", "rest", None),
    ],
)
def test_the_request_says_which_service_it_means(request_, service, protocol, operation):
    address = services.address(request_)
    assert (address.service.name, address.protocol, address.operation) == (
        service,
        protocol,
        operation,
    )


@pytest.mark.parametrize(
    "request_",
    [
        Request(method="GET", path="/"),
        Request(method="POST", path="/", headers={"x-amz-target": "Nobody.Nothing"}),
        Request(method="POST", path="/service/Nobody/operation/Nothing"),
        Request(method="POST", path="/", headers=FORM, body=b"Action=X&Version=1999-01-01"),
        Request(method="GET", path="/", headers=signed_for("braket")),
    ],
)
def test_some_requests_mean_nothing_known(request_):
    assert services.address(request_) is None


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            Request(
                method="POST",
                path="/",
                headers=FORM | signed_for("elasticloadbalancing"),
                body=b"Action=DescribeLoadBalancers&Version=2012-06-01",
            ),
            "Could not find operation DescribeLoadBalancers for version 2012-06-01",
        ),
        (
            Request(method="POST", path="/", headers=FORM | signed_for("sts"), body=b"Action=Nope"),
            "Could not find operation Nope for version 2011-06-15",
        ),
        (
            Request(method="POST", path="/", headers={"x-amz-target": "AmazonSSM.Nope"}),
            "ssm has no operation Nope",
        ),
        (
            Request(method="POST", path="/service/AmazonSSM/operation/GetParameter"),
            "ssm has no operation GetParameter",
        ),
        (
            Request(method="PUT", path="/schedules"),
            "Unable to determine service/operation name to be authorized",
        ),
    ],
)
def test_operations_that_are_not_in_the_model(request_, message):
    with pytest.raises(Refused) as caught:
        CATALOG.target(services.address(request_), request_)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "operation", "labels"),
    [
        ("PUT", "/b/k", "", {}, "PutObject", {"Bucket": "b", "Key": "k"}),
        ("PUT", "/b/a/k%20", "", {}, "PutObject", {"Bucket": "b", "Key": "a/k "}),
        ("PUT", "/b/k", "", {"x-amz-copy-source": "x"}, "CopyObject", {"Bucket": "b", "Key": "k"}),
        ("PUT", "/b/k", "tagging", {}, "PutObjectTagging", {"Bucket": "b", "Key": "k"}),
        ("DELETE", "/b/k", "uploadId=1", {}, "AbortMultipartUpload", {"Bucket": "b", "Key": "k"}),
        ("GET", "/b", "list-type=2", {}, "ListObjectsV2", {"Bucket": "b"}),
        ("GET", "/b/", "", {}, "ListObjects", {"Bucket": "b"}),
        ("GET", "/b", "lifecycle", {}, "GetBucketLifecycleConfiguration", {"Bucket": "b"}),
        ("GET", "/", "", {}, "ListBuckets", {}),
    ],
)
def test_paths_of_s3(method, path, query, headers, operation, labels):
    request = Request(
        method=method, path=path, query=query, headers=signed_for("s3") | dict(headers)
    )
    target = CATALOG.target(services.address(request), request)
    assert (target.name, dict(target.labels)) == (operation, labels)


def test_an_arn_is_one_part_of_a_path():
    arn = "arn%3Aaws%3Ascheduler%3Aus-east-1%3A1%3Aschedule-group%2Fx"
    request = Request(method="GET", path=f"/tags/{arn}")
    target = CATALOG.target(services.address(request), request)
    assert target.labels == {"ResourceArn": "arn:aws:scheduler:us-east-1:1:schedule-group/x"}
