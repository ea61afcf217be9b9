"""Checks against real sockets: every way a target can answer, or not."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from contextlib import asynccontextmanager

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived, StreamEnded

from openecs.control.target_checks import Check, perform
from openecs.decide.target_health import Answered, Connected, Failure


@asynccontextmanager
async def target(serve, security=None):
    async def connected(reader, writer):
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=security)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def check(port, **given):
    plain = {"protocol": "HTTP", "version": "HTTP1", "path": "/up?x=1", "timeout": 5.0}
    return Check(**{"address": "127.0.0.1", "port": port, **plain, **given})


def answering(data):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()

    return serve


def piecewise(data):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()

    return serve


async def endless_headers(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: and more\r\n" * 100)
        await writer.drain()


async def endless_body(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(65536))
        await writer.drain()


async def silent(reader, _):
    await reader.read()


async def reset(_, writer):
    writer.transport.abort()


@pytest.mark.parametrize(
    ("serve", "outcome"),
    [
        (answering(b"HTTP/1.1 200 OK\r\n\r\n"), Answered(200)),
        (answering(b"HTTP/1.0 404 Not Found\r\nContent-Length: 4\r\n\r\nlost"), Answered(404)),
        (answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n"), Answered(204)),
        (
            answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok more than said"),
            Answered(200),
        ),
        (piecewise(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), Answered(503)),
        (endless_body, Answered(200)),
        (answering(b"SSH-2.0-OpenSSH_9.2\r\n"), Failure.FAILED),
        (answering(b"HTTP/1.1 2"), Failure.FAILED),
        (answering(b""), Failure.FAILED),
        (reset, Failure.FAILED),
        (endless_headers, Failure.FAILED),
    ],
)
async def test_what_an_http_target_answers(serve, outcome):
    async with target(serve) as port:
        assert await perform(check(port)) == outcome


@pytest.mark.parametrize("version", ["HTTP1", "HTTP2", "GRPC"])
async def test_a_silent_target_times_out(version):
    async with target(silent) as port:
        assert await perform(check(port, version=version, timeout=0.05)) is Failure.TIMEOUT


@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS", "TCP"])
async def test_nobody_there(protocol):
    async with target(silent) as port:
        pass
    assert await perform(check(port, protocol=protocol)) is Failure.FAILED


async def test_a_connection_is_all_that_tcp_asks():
    async with target(silent) as port:
        assert await perform(check(port, protocol="TCP")) == Connected()


async def test_the_request():
    requests = []

    async def serve(reader, writer):
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async with target(serve) as port:
        await perform(check(port))
    line, *headers = requests[0].decode().rstrip().split("\r\n")
    assert line == "GET /up?x=1 HTTP/1.1"
    assert headers[:3] == [
        f"Host: 127.0.0.1:{port}",
        "Connection: close",
        "User-Agent: ELB-HealthChecker/2.0",
    ]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed one, of nobody's and long expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    then = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(then)
        .not_valid_after(then + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def security(certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def test_certificates_are_not_looked_at(security):
    async with target(answering(b"HTTP/1.1 200 OK\r\n\r\n"), security) as port:
        assert await perform(check(port, protocol="HTTPS")) == Answered(200)


async def test_https_where_none_is_spoken():
    async with target(answering(b"HTTP/1.1 400 No\r\n\r\n")) as port:
        outcome = await perform(check(port, protocol="HTTPS", timeout=0.5))
    assert outcome in {Failure.FAILED, Failure.TIMEOUT}


def speaking_h2(respond, seen=None):
    async def serve(reader, writer):
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, RequestReceived) and seen is not None:
                    seen.append(dict(event.headers))
                if isinstance(event, StreamEnded):
                    respond(connection)
            writer.write(connection.data_to_send())
            await writer.drain()

    return serve


def status_418(connection):
    connection.send_headers(1, [(":status", "418")], end_stream=True)


def refused(connection):
    connection.reset_stream(1)


def trailers_only(connection):
    headers = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "12")]
    connection.send_headers(1, headers, end_stream=True)


def message_and_trailers(connection):
    connection.send_headers(1, [(":status", "200"), ("content-type", "application/grpc")])
    connection.send_data(1, bytes(5))
    connection.send_headers(1, [("grpc-status", "0")], end_stream=True)


@pytest.mark.parametrize(
    ("version", "respond", "outcome"),
    [
        ("HTTP2", status_418, Answered(418)),
        ("HTTP2", refused, Failure.FAILED),
        ("GRPC", trailers_only, Answered(12)),
        ("GRPC", message_and_trailers, Answered(0)),
        ("GRPC", status_418, Failure.FAILED),
        ("GRPC", refused, Failure.FAILED),
    ],
)
@pytest.mark.parametrize("protocol", ["HTTP", "HTTPS"])
async def test_what_an_http2_target_answers(protocol, version, respond, outcome, security):
    secured = security if protocol == "HTTPS" else None
    async with target(speaking_h2(respond), secured) as port:
        assert await perform(check(port, protocol=protocol, version=version)) == outcome


@pytest.mark.parametrize("version", ["HTTP2", "GRPC"])
async def test_http1_is_no_answer_to_http2(version):
    async with target(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        assert await perform(check(port, version=version)) is Failure.FAILED


async def test_a_grpc_call():
    seen = []
    path = "/AWS.ALB/healthcheck"
    async with target(speaking_h2(trailers_only, seen)) as port:
        await perform(check(port, version="GRPC", path=path))
    (headers,) = seen
    assert {key.decode(): value.decode() for key, value in headers.items()} == {
        ":method": "POST",
        ":scheme": "http",
        ":authority": f"127.0.0.1:{port}",
        ":path": path,
        "user-agent": "ELB-HealthChecker/2.0",
        "content-type": "application/grpc",
        "te": "trailers",
    }
