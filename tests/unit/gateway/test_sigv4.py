from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from openecs.gateway import sigv4
from openecs.gateway.credentials import AccessKey
from openecs.gateway.exchange import Request
from openecs.gateway.refusal import Reason, Refused

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = AccessKey(
    access_key_id="AKIDEXAMPLE",
    secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    account="123456789012",
    arn="arn:aws:iam::123456789012:root",
    user_id="123456789012",
)
SIGNATURE = "6cd2fc9177624254a2520e635b050c80afb89e49fd8c8e2aa8091fa97f894938"
SIGNED = "content-type;host;x-amz-date;x-amz-target"


def authorization(
    *, credential="AKIDEXAMPLE/20260102/us-east-1/ecs/aws4_request", signed=SIGNED, by=SIGNATURE
):
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={by}"


def a_json_request(**headers):
    given = {
        "content-type": "application/x-amz-json-1.1",
        "host": "127.0.0.1:8080",
        "x-amz-date": "20260102T030405Z",
        "x-amz-target": "AmazonEC2ContainerServiceV20141113.ListServices",
        "authorization": authorization(),
    }
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="POST", path="/", headers=given, body=b'{"cluster":"default"}')


def verified(request, *, key=KEY, now=NOW):
    return sigv4.verify(sigv4.claim(request), request, key, now)


def refusal(request, **arguments):
    with pytest.raises(Refused) as caught:
        verified(request, **arguments)
    return caught.value


def test_a_json_request_is_verified():
    claim = sigv4.claim(a_json_request())
    assert (claim.access_key_id, claim.region, claim.service) == ("AKIDEXAMPLE", "us-east-1", "ecs")
    assert sigv4.canonical_request(a_json_request(), claim).endswith(
        "84bcf382a927f7d5d3bbdf323e052c5821933f67ec74494f16a2c9e8ef32859b"
    )
    assert verified(a_json_request()) is KEY


def test_a_form_is_verified():
    request = Request(
        method="POST",
        path="/",
        headers={
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            "host": "127.0.0.1:8080",
            "x-amz-date": "20260102T030405Z",
            "authorization": authorization(
                credential="AKIDEXAMPLE/20260102/us-east-1/sts/aws4_request",
                signed="content-type;host;x-amz-date",
                by="3f2a9689f4df720d45763923f38767ff2f71fc6cb92efb4432c91fc7baee8b4e",
            ),
        },
        body=b"Action=GetCallerIdentity&Version=2011-06-15",
    )
    assert verified(request) is KEY


PRESIGNED = Request(
    method="GET",
    path="/",
    query=(
        "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fsts%2Faws4_request"
        "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=dda836bbd2bd0aa58a63c95245b76ceaa7a5bbd472bd637fad9ab34ae9f97256"
    ),
    headers={"host": "127.0.0.1:8080"},
)


def test_a_presigned_request_is_verified_until_it_expires():
    assert verified(PRESIGNED, now=NOW + timedelta(seconds=60)) is KEY
    late = refusal(PRESIGNED, now=NOW + timedelta(seconds=61))
    assert late.reason is Reason.OUT_OF_TIME


@pytest.mark.parametrize(
    "changed",
    [
        {"body": b'{"cluster":"other"}'},
        {"method": "PUT"},
        {"path": "/other"},
        {"query": "a=b"},
        {"headers": a_json_request(host="elsewhere").headers},
        {"headers": a_json_request(x_amz_target="X.DeleteCluster").headers},
        {"headers": a_json_request(authorization=authorization(by="0" * 64)).headers},
        {"headers": a_json_request(authorization=authorization(by="\xff")).headers},
    ],
)
def test_what_was_signed_cannot_be_changed(changed):
    assert refusal(replace(a_json_request(), **changed)).reason is Reason.BAD_SIGNATURE


def test_another_secret_is_no_good():
    other = replace(KEY, secret="other")
    assert refusal(a_json_request(), key=other).reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("key", [None, replace(KEY, active=False)])
def test_a_key_that_is_not_there_or_not_active(key):
    refused = refusal(a_json_request(), key=key)
    assert refused.reason is Reason.UNKNOWN_KEY
    assert refused.message == "The security token included in the request is invalid."


@pytest.mark.parametrize(
    ("minutes", "message"),
    [
        (
            6,
            (
                "Signature expired: 20260102T030405Z is now earlier than 20260102T030505Z "
                "(20260102T031005Z - 5 min.)"
            ),
        ),
        (
            -6,
            (
                "Signature not yet current: 20260102T030405Z is still later than 20260102T030305Z "
                "(20260102T025805Z + 5 min.)"
            ),
        ),
    ],
)
def test_clocks_may_differ_by_five_minutes(minutes, message):
    refused = refusal(a_json_request(), now=NOW + timedelta(minutes=minutes))
    assert (refused.reason, refused.message) == (Reason.OUT_OF_TIME, message)
    sign = 1 if minutes > 0 else -1
    assert verified(a_json_request(), now=NOW + sign * timedelta(minutes=5)) is KEY


def signed_with(token):
    request = AWSRequest(method="POST", url="http://localhost/", data=b"{}")
    given = Credentials(KEY.access_key_id, KEY.secret, token)
    SigV4Auth(given, "ecs", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(method="POST", path="/", headers={"host": "localhost"} | headers, body=b"{}")


def test_temporary_keys_need_their_token():
    now = datetime.now(UTC)
    session = replace(KEY, session_token="token", expires=now + timedelta(hours=1))
    assert verified(signed_with("token"), key=session, now=now) is session
    assert refusal(signed_with("other"), key=session, now=now).reason is Reason.UNKNOWN_KEY
    assert refusal(signed_with(None), key=session, now=now).reason is Reason.UNKNOWN_KEY
    assert refusal(signed_with("token"), key=KEY, now=now).reason is Reason.UNKNOWN_KEY
    ended = replace(session, expires=now)
    assert refusal(signed_with("token"), key=ended, now=now).reason is Reason.EXPIRED_TOKEN


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"authorization": "Basic YTpi"}, "requires 'Credential' parameter"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=a/b"}, "requires 'Signature' parameter."),
        ({"authorization": authorization(credential="a/b")}, "exactly 5 slash-delimited elements"),
        ({"x_amz_date": "yesterday"}, "ISO-8601 'basic format'. Got 'yesterday'"),
        ({"x_amz_date": "20261302T030405Z"}, "Got '20261302T030405Z'"),
    ],
)
def test_incomplete_signatures(headers, words):
    request = a_json_request(**headers)
    if "x_amz_date" in headers:
        date = headers["x_amz_date"][:8]
        credential = f"AKIDEXAMPLE/{date}/us-east-1/ecs/aws4_request"
        request = a_json_request(**headers, authorization=authorization(credential=credential))
    refused = refusal(request)
    assert refused.reason is Reason.INCOMPLETE_SIGNATURE
    assert words in refused.message


def test_no_date_at_all():
    headers = dict(a_json_request().headers)
    del headers["x-amz-date"]
    refused = refusal(replace(a_json_request(), headers=headers))
    assert "either a 'X-Amz-Date' or a 'Date' header" in refused.message


def test_the_date_header_will_do():
    signed = "content-type;date;host;x-amz-target"
    headers = dict(a_json_request(date="Fri, 02 Jan 2026 03:04:05 GMT").headers)
    del headers["x-amz-date"]
    request = replace(a_json_request(), headers=headers)
    headers["authorization"] = authorization(signed=signed)
    assert sigv4.claim(request).time == "20260102T030405Z"


@pytest.mark.parametrize(
    ("credential", "words"),
    [
        ("A/20260102/us-east-1/ecs/aws5_request", "valid terminator: 'aws4_request', not 'aws5_"),
        ("A/20260101/us-east-1/ecs/aws4_request", "'20260101' != '20260102'"),
    ],
)
def test_scopes_that_do_not_fit_the_request(credential, words):
    refused = refusal(a_json_request(authorization=authorization(credential=credential)))
    assert refused.reason is Reason.BAD_SIGNATURE
    assert words in refused.message


@pytest.mark.parametrize(
    ("service", "region", "message"),
    [
        ("logs", "us-east-1", "Credential should be scoped to correct service: 'logs'."),
        ("ecs", "Mars", "Credential should be scoped to a valid region."),
    ],
)
def test_scopes_for_elsewhere(service, region, message):
    claim = replace(sigv4.claim(a_json_request()), region=region)
    with pytest.raises(Refused) as caught:
        sigv4.check_scope(claim, service)
    assert caught.value.message == message


@pytest.mark.parametrize("left_out", ["host", "x-amz-target"])
def test_what_decides_must_be_signed(left_out):
    signed = ";".join(name for name in SIGNED.split(";") if name != left_out)
    refused = refusal(a_json_request(authorization=authorization(signed=signed)))
    assert refused.reason is Reason.BAD_SIGNATURE
    assert f"'{left_out.title()}' must be a 'SignedHeader'" in refused.message


@pytest.mark.parametrize("expires", ["", "0", "604801", "-1", "1e3", "9" * 30])
def test_presigned_requests_last_a_week_at_most(expires):
    query = PRESIGNED.query.replace("Expires=60", f"Expires={expires}")
    assert refusal(replace(PRESIGNED, query=query)).reason is Reason.INCOMPLETE_SIGNATURE


def test_nothing_signed_at_all():
    assert refusal(Request(method="GET", path="/")).reason is Reason.MISSING_TOKEN


SEGMENTS = st.lists(st.sampled_from(["a", "b%20c", "..", ".", "", "%2F", "x:y", "é"]), max_size=4)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(
    SEGMENTS,
    st.dictionaries(st.text("aB -~é", min_size=1, max_size=3), VALUES, max_size=3),
    st.sampled_from(["ecs", "s3"]),
    st.binary(max_size=5),
)
def test_what_botocore_signs_is_verified(segments, arguments, service, body):
    from urllib.parse import quote, urlencode

    path = quote("/" + "/".join(segments), safe="/%:")
    query = urlencode(arguments, quote_via=quote, safe="-_.~")
    request = AWSRequest(method="PUT", url=f"http://localhost{path}?{query}", data=body)
    auth = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(Credentials(KEY.access_key_id, KEY.secret), service, "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    received = Request(
        method="PUT", path=path, query=query, headers={"host": "localhost"} | headers, body=body
    )
    assert verified(received, now=datetime.now(UTC)) is KEY


def test_s3_need_not_sign_the_body():
    request = AWSRequest(method="GET", url="http://localhost/bucket/key")
    credentials = Credentials(KEY.access_key_id, KEY.secret)
    S3SigV4QueryAuth(credentials, "s3", "eu-west-1", expires=60).add_auth(request)
    received = Request(
        method="GET",
        path="/bucket/key",
        query=request.prepare().url.partition("?")[2],
        headers={"host": "localhost"},
        body=b"anything",
    )
    assert verified(received, now=datetime.now(UTC)) is KEY
