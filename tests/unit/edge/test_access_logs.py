from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

import pytest

from noted_requests import ARN, ENTRY
from openecs.edge import access_logs
from openecs.edge.deliveries import until_next

NOTED = PurePath(
    "logs/AWSLogs/1/elasticloadbalancing/r/1_elasticloadbalancing_r_app.a-b.9_127.0.0.3"
)

UNSENT = {"target": None, "request_us": None, "target_us": None, "response_us": None, "group": None}


def line(**changes) -> str:
    return access_logs.line({**ENTRY, **changes}, "app/web/50dc6c495c0c9188")


def test_the_example_of_the_user_guide() -> None:
    assert line() == (
        "http 2018-07-02T22:23:00.186641Z app/web/50dc6c495c0c9188 192.168.131.39:2817 "
        "10.0.0.1:80 0.000 0.001 1.337 200 200 34 366 "
        '"GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - '
        f'{ARN} "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2018-07-02T22:22:48.364000Z '
        '"forward" "-" "-" "10.0.0.1:80" "200" "-" "-" - "-" "-" "-"'
    )


@pytest.mark.parametrize(
    ("changes", "type_"),
    [
        ({"protocol": "HTTP/2"}, "http"),
        ({"tls": "TLSv1.3"}, "https"),
        ({"tls": "TLSv1.3", "protocol": "HTTP/2"}, "h2"),
        ({"tls": "TLSv1.3", "protocol": "HTTP/2", "content_type": "application/grpc"}, "grpcs"),
        ({"upgrade": "websocket"}, "ws"),
        ({"upgrade": "WebSocket", "tls": "TLSv1.3"}, "wss"),
    ],
)
def test_types(changes, type_: str) -> None:
    assert line(**changes).split()[0] == type_


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"status": 0, "details": None, "flags": "DC"}, ["-1"] * 3 + ["460", "-"]),
        ({"status": 503, "details": "no_healthy_upstream"}, ["-1"] * 3 + ["503", "-"]),
        ({"status": 0, "details": None}, ["-1"] * 3 + ["-", "-"]),
    ],
)
def test_what_no_target_answered(changes, expected) -> None:
    assert line(**UNSENT, **changes).split()[5:10] == expected


@pytest.mark.parametrize(
    ("changes", "actions", "reason"),
    [
        ({}, "authenticate,forward", "-"),
        ({"status": 302, "details": "oauth.missing_credentials"}, "authenticate", "-"),
        (
            {"status": 401, "details": "CSRF_token_validation_failed"},
            "authenticate",
            "AuthInvalidStateParam",
        ),
        (
            {"status": 401, "details": "Failed_to_get_access_token:_response_code:_400"},
            "authenticate",
            "AuthInvalidGrantError",
        ),
        ({"status": 401}, "authenticate,forward", "-"),
    ],
)
def test_logins(changes, actions: str, reason: str) -> None:
    fields = shlex.split(line(route="3 authenticate,forward", **changes))
    assert fields[22:25] == [actions, "-", reason]


def test_a_redirect_tells_where_and_a_request_without_a_rule_says_so() -> None:
    shown = line(route="3 redirect", location="https://a:443/")
    assert ' 3 2018-07-02T22:22:48.364000Z "redirect" "https://a:443/" ' in shown
    assert ' -1 2018-07-02T22:22:48.364000Z "-" "-" ' in line(route=None)


def test_a_transformed_request_is_told_before_and_after() -> None:
    shown = line(asked_host="old.example.com", asked_path="/old?q", transform="Success")
    assert '"GET http://old.example.com:80/old?q HTTP/1.1"' in shown
    assert shown.endswith(' "www.example.com" "/" "TransformSuccess"')


def test_what_clients_say_cannot_end_a_field_or_a_line() -> None:
    assert '"a\\x22b\\x0Ac\\x5C" - -' in line(agent='a"b\nc\\')


def test_the_key_of_a_delivery() -> None:
    at = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    assert str(access_logs.key(PurePath(f"{NOTED}.json"), at, "cafe")) == (
        "logs/AWSLogs/1/elasticloadbalancing/r/2026/01/02/"
        "1_elasticloadbalancing_r_app.a-b.9_20260102T0305Z_127.0.0.3_cafe.log.gz"
    )
    assert access_logs.balancer_name(PurePath(f"{NOTED}.json")) == "app/a-b/9"


@pytest.mark.parametrize(("minute", "second", "wait"), [(0, 0, 300), (4, 59, 1), (7, 30, 150)])
def test_deliveries_are_made_at_every_full_five_minutes(minute, second, wait) -> None:
    now = datetime(2026, 1, 2, 3, minute, second, tzinfo=UTC)
    assert until_next(now) == timedelta(seconds=wait)
