"""Attributes of HTTP and HTTPS listeners, over the operations."""

from __future__ import annotations

import pytest

from openecs.store.kinds import LISTENERS
from openecs.testing.builders import a_listener, a_target_group

NAME = "routing.http.request.x_amzn_mtls_clientcert_subject.header_name"
VALUE = "routing.http.response.x_frame_options.header_value"
SERVER = "routing.http.response.server.enabled"


@pytest.fixture
async def modify(world):
    """Sets attributes of an HTTPS listener; all of them."""
    listener = a_listener(a_target_group("one"), protocol="HTTPS")
    await world.put(LISTENERS, [listener])

    async def modify(**attributes):
        given = [{"Key": key, "Value": value} for key, value in attributes.items()]
        told = await world.do(
            "ModifyListenerAttributes", ListenerArn=listener.arn, Attributes=given
        )
        shown = await world.do("DescribeListenerAttributes", ListenerArn=listener.arn)
        assert shown == told
        return {each["Key"]: each["Value"] for each in shown["Attributes"]}

    modify.arn = listener.arn
    return modify


@pytest.mark.covers("elbv2:DescribeListenerAttributes", "elbv2:ModifyListenerAttributes")
async def test_headers_have_defaults_and_return_to_them(modify) -> None:
    changed = await modify(**{NAME: "X-Who", VALUE: "DENY", SERVER: "false"})
    assert (changed[NAME], changed[VALUE], changed[SERVER]) == ("X-Who", "DENY", "false")
    assert len(changed) == 19
    usual = await modify(**{NAME: "", VALUE: "", SERVER: "true"})
    assert (usual[NAME], usual[VALUE], usual[SERVER]) == (
        "X-Amzn-Mtls-Clientcert-Subject",
        "",
        "true",
    )


async def test_listeners_without_tls_rename_nothing(world) -> None:
    listener = a_listener(a_target_group("one"))
    await world.put(LISTENERS, [listener])
    given = {"ListenerArn": listener.arn, "Attributes": [{"Key": NAME, "Value": "X-Who"}]}
    assert await world.refused("ModifyListenerAttributes", **given) == (
        "ValidationError",
        f"Listener attribute key '{NAME}' is not recognized",
    )
    shown = await world.do("DescribeListenerAttributes", ListenerArn=listener.arn)
    assert {each["Key"] for each in shown["Attributes"]} >= {VALUE, SERVER}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (NAME, "Host"),
        (NAME, "transfer-encoding"),
        (NAME, "X-Who:"),
        (NAME, "X-Who\n"),
        (NAME, "x" * 41),
        (NAME, "X-Amzn-Tls-Version"),
        (VALUE, "DENY\r\nX-Other: 1"),
        (VALUE, "x" * 1025),
        (SERVER, "no"),
    ],
)
async def test_headers_that_may_not_be(world, modify, key, value) -> None:
    given = [{"Key": key, "Value": value}]
    refused = await world.refused(
        "ModifyListenerAttributes", ListenerArn=modify.arn, Attributes=given
    )
    assert refused[0] == "ValidationError"
