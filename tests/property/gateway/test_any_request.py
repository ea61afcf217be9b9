"""Whatever is sent, the answer is AWS's: never a failure of the server, never silence."""

from __future__ import annotations

import asyncio

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from gateway_door import ROOT, gateway_of
from openecs.api import sts
from openecs.api.base import Reads, Service
from openecs.testing.builders import CountingIds

ECS = "AmazonEC2ContainerServiceV20141113"


GATEWAY = gateway_of(
    sts.SERVICE,
    Service(name="ecs", operations={"RegisterTaskDefinition": Reads(lambda *_: {"tags": []})}),
    ids=CountingIds(),
)


def answered(method, path, query, headers, body):
    """The status and the body of the reply."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": body}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers],
    }
    asyncio.run(GATEWAY(scope, receive, send))
    start, content = sent
    return start["status"], content["body"]


TEXT = st.text(st.characters(max_codepoint=0xFF), max_size=30)
NAMES = st.sampled_from(
    [
        "authorization",
        "content-encoding",
        "content-type",
        "host",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-target",
    ]
)
VALUES = TEXT | st.sampled_from(
    [
        f"{ECS}.RegisterTaskDefinition",
        "application/x-www-form-urlencoded",
        "application/cbor",
        "gzip",
        "20260102T030405Z",
        (
            "AWS4-HMAC-SHA256 Credential=A/20260102/us-east-1/s3/aws4_request, SignedHeaders=a, "
            "Signature=b"
        ),
    ]
)


@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]),
    TEXT.map(lambda text: f"/{text}"),
    TEXT | st.just("Action=A&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=%ff"),
    st.lists(st.tuples(NAMES, VALUES), max_size=5),
    st.binary(max_size=30),
)
def test_strangers_are_turned_away(method, path, query, headers, body):
    status, _ = answered(method, path, query, headers, body)
    assert 400 <= status < 500


JSON = st.recursive(
    st.sampled_from(["null", "1", "-1.5", "1e99", '"a"', '"\\u0000"', "true", "{", "[", "}"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.dictionaries(
            st.sampled_from(["family", "containerDefinitions", "name", "tags", "memory", "key"]),
            inner,
            max_size=3,
        ).map(lambda items: "{" + ",".join(f'"{k}":{v}' for k, v in items.items()) + "}")
    ),
    max_leaves=8,
)


@given(st.binary(max_size=30) | JSON.map(str.encode))
def test_a_signed_request_of_any_content_is_answered(body):
    request = AWSRequest(
        method="POST",
        url="http://localhost/",
        data=body,
        headers={"X-Amz-Target": f"{ECS}.RegisterTaskDefinition", "Host": "localhost"},
    )
    SigV4Auth(Credentials(ROOT.access_key_id, ROOT.secret), "ecs", "us-east-1").add_auth(request)
    status, content = answered("POST", "/", "", request.headers.items(), body)
    assert status in {200, 400}
    assert (status == 200) == (content == b'{"tags":[]}')
