from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePath

import pytest

from openecs.edge import access_logs, connection_logs

CERTIFICATE = "arn:aws:acm:us-east-2:671290407336:certificate/2a108f19-aded-46b0-8493-c63eb1ef4a99"
NAME = "my-network-loadbalancer-c6e77e28c25b2234.elb.us-east-2.amazonaws.com"
ENTRY = {
    "time": "2018-12-20T02:59:40.000001Z",
    "created": "2018-12-20T02:59:30.514108Z",
    "client": "72.21.218.154:51341",
    "local": "172.100.100.185:443",
    "lasted_ms": 5,
    "handshake_us": 2036,
    "received": 98,
    "sent": 246,
    "cipher": "ECDHE-RSA-AES128-GCM-SHA256",
    "tls": "TLSv1.2",
    "name": NAME,
    "subject": None,
    "serial": None,
    "valid_from": None,
    "valid_to": None,
    "failure": None,
    "ended": None,
    "listener": "g3d4b5e8bb8464cd",
    "port": "443",
    "protocol": "HTTPS",
    "certificate": CERTIFICATE,
}
NETWORK, APPLICATION = "net/my-network-loadbalancer/c6e77e28c25b2234", "app/web/50dc6c495c0c9188"
SHOWN = {
    "subject": "CN=amazondomains.com,O=endEntity",
    "serial": "fef257372d5c14d4",
    "valid_from": "2023-09-21T22:43:21Z",
    "valid_to": "2026-06-17T22:43:21Z",
}


def line(balancer=APPLICATION, **changes) -> str:
    return connection_logs.line({**ENTRY, **changes}, balancer)


def test_a_connection_of_a_network_load_balancer() -> None:
    assert line(NETWORK) == (
        f"tls 2.0 2018-12-20T02:59:40 {NETWORK} g3d4b5e8bb8464cd 72.21.218.154:51341 "
        f"172.100.100.185:443 5 2 98 246 - {CERTIFICATE} - ECDHE-RSA-AES128-GCM-SHA256 tlsv12 - "
        f"{NAME} - - - 2018-12-20T02:59:30"
    )


def test_a_connection_of_an_application_load_balancer() -> None:
    assert line(**SHOWN) == (
        "2018-12-20T02:59:30.514108Z 72.21.218.154 51341 443 TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 "
        '0.002 "CN=amazondomains.com,O=endEntity" '
        "NotBefore=2023-09-21T22:43:21Z;NotAfter=2026-06-17T22:43:21Z FEF257372D5C14D4 Success -"
    )
    plain = {"protocol": "HTTP", "port": "80", "tls": None, "cipher": None, "handshake_us": None}
    assert line(**plain) == ('2018-12-20T02:59:30.514108Z 72.21.218.154 51341 80 - - - "-" - - - -')


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"failure": "CERTIFICATE_VERIFY_FAILED: certificate has expired"}, "ClientCertExpired"),
        ({"failure": "CERTIFICATE_VERIFY_FAILED: self-signed"}, "ClientCertUntrusted"),
        ({"ended": "rbac_access_denied_matched_policy[DENY]"}, "ClientCertCrlHit"),
        ({"failure": "NO_SHARED_CIPHER", "tls": None}, "UnmappedConnectionError"),
        ({"tls": None}, "UnmappedConnectionError"),
    ],
)
def test_clients_that_were_not_let_in(changes, status: str) -> None:
    assert line(**changes).split()[-2] == f"Failed:{status}"


@pytest.mark.parametrize(
    ("noted", "key"),
    [
        ("1_elasticloadbalancing_r_net.a-b.9_127.0.0.3", "1_elasticloadbalancing_r_net.a-b.9_{}_x"),
        (
            "conn_log.1_elasticloadbalancing_r_app.a-b.9_127.0.0.3",
            "conn_log.1_elasticloadbalancing_r_app.a-b.9_{}_127.0.0.3_x",
        ),
    ],
)
def test_keys(noted: str, key: str) -> None:
    at = datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    found = access_logs.key(PurePath(f"logs/AWSLogs/{noted}.json"), at, "x")
    assert found == PurePath(f"logs/AWSLogs/2026/01/02/{key.format('20260102T0305Z')}.log.gz")
