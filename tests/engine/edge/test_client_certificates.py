"""Clients that show certificates, on a real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import aiohttp
import pytest

from edge_world import BEGAN, GROUP, fixed, says, upstream
from made_certificates import make, revoking
from openecs.model.certificates import KeyPair
from openecs.model.load_balancing import (
    Condition,
    LoadBalancerStateCode,
    LoadBalancerType,
    MutualAuthentication,
)
from openecs.model.trust_stores import Revocation, TrustStore
from openecs.store.kinds import CERTIFICATES, LISTENERS, TRUST_STORES
from openecs.testing.builders import SCOPE, a_certificate, a_listener

ROOT, STRANGER = make("root", ca=True), make("stranger", ca=True)
BETWEEN = make("between", by=ROOT, ca=True)
CLIENT = make("client.test", by=ROOT)
LONG_AGO = datetime.now(UTC) - timedelta(days=60)
EXPIRED = make("late.test", by=ROOT, start=LONG_AGO, days=30)
SERVER = make("server.test")
ISO = "%Y-%m-%dT%H:%M:%SZ"

SHOWN = a_certificate(key_pair=KeyPair(certificate=SERVER.pem, private_key=SERVER.key_pem))
STORE = TrustStore(
    scope=SCOPE, name="clients", id="5" * 16, ca_certificates=(ROOT.pem,), created_at=BEGAN
)
VERIFY = MutualAuthentication(mode="verify", trust_store_arn=STORE.arn)


class Clients:
    """A listener that asks for certificates, and clients that have some or none."""

    def __init__(self, world, directory) -> None:
        self.world, self.directory = world, directory

    async def listen(self, mutual: MutualAuthentication, **changes) -> None:
        await self.world.put(CERTIFICATES, SHOWN)
        await self.world.balance(GROUP, **self.secure(mutual), **changes)

    async def change(self, mutual: MutualAuthentication) -> None:
        listener = a_listener(GROUP, port=self.world.port, **self.secure(mutual))
        await self.world.put(LISTENERS, listener)

    def secure(self, mutual: MutualAuthentication):
        certificates = {"certificates": (SHOWN.arn,), "mutual_authentication": mutual}
        return {"protocol": "HTTPS", **certificates}

    def context(self, made=None, *chain) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if made is not None:
            file = self.directory / "client.pem"
            file.write_text(made.key_pem + made.pem + "".join(each.pem for each in chain))
            context.load_cert_chain(file)
        return context

    async def ask(self, *certificates, headers=None):
        """Status and body, or None where the connection is refused."""
        connector = aiohttp.TCPConnector(ssl=self.context(*certificates))
        url = f"https://127.0.0.1:{self.world.port}/"
        with contextlib.suppress(aiohttp.ClientError):
            async with (
                aiohttp.ClientSession(connector=connector) as session,
                session.get(url, headers=headers) as answer,
            ):
                return answer.status, await answer.text()
        return None

    async def until_told(
        self, *certificates, prefix="x-amzn-mtls-clientcert", **request
    ) -> dict[str, str]:
        """What the target is told of the client's certificate."""
        async with asyncio.timeout(15):
            while not ((answer := await self.ask(*certificates, **request)) and says("a")(*answer)):
                await asyncio.sleep(0.01)
        lines = [line.partition(": ") for line in answer[1].splitlines()]
        return {name: value for name, _, value in lines if name.startswith(prefix)}

    async def until_refused(self, *certificates) -> None:
        async with asyncio.timeout(15):
            while await self.ask(*certificates) is not None:
                await asyncio.sleep(0.01)


@pytest.fixture
async def clients(world, tmp_path):
    async with upstream("a") as a, world.edge():
        await world.serve(a)
        yield Clients(world, tmp_path)


async def test_verified_clients_come_through_and_targets_know_who_they_are(clients) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    await clients.listen(VERIFY)
    told = await clients.until_told(CLIENT, headers={"X-Amzn-Mtls-Clientcert-Subject": "CN=me"})
    certificate, prefix = CLIENT.certificate, "x-amzn-mtls-clientcert"
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    leaf = told.pop(f"{prefix}-leaf")
    assert unquote(leaf) == CLIENT.pem
    assert "%2" not in leaf.replace("%20", "")
    number = told.pop(f"{prefix}-serial-number")
    assert (int(number, 16), number) == (certificate.serial_number, number.upper())
    assert told == {
        f"{prefix}-issuer": "CN=root",
        f"{prefix}-subject": "CN=client.test",
        f"{prefix}-validity": f"NotBefore={start:{ISO}};NotAfter={end:{ISO}}",
    }
    assert "x-amzn-mtls-clientcert-leaf" in await clients.until_told(
        make("below", by=BETWEEN), BETWEEN
    )
    for certificates in ((), (make("me", by=STRANGER),), (make("self"),), (EXPIRED,)):
        assert await clients.ask(*certificates) is None


async def test_rules_go_by_what_is_told_and_not_by_what_a_client_says(clients) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    await clients.listen(VERIFY)
    name = "X-Amzn-Mtls-Clientcert-Subject"
    condition = Condition(field="http-header", header_name=name, values=("CN=admin",))
    await clients.world.rule(1, fixed("for the admin"), condition)
    admin = make("admin", by=ROOT)
    async with asyncio.timeout(15):
        while await clients.ask(admin) != (200, "for the admin"):
            await asyncio.sleep(0.01)
    assert says("a")(*await clients.ask(CLIENT, headers={name: "CN=admin"}))


async def test_network_load_balancers_verify_clients_too(clients) -> None:
    world, group = clients.world, replace(GROUP, protocol="TCP", protocol_version=None)
    world.balancer = replace(world.balancer, type=LoadBalancerType.NETWORK)
    await world.put(TRUST_STORES, STORE)
    await world.put(CERTIFICATES, SHOWN)
    secure = {**clients.secure(VERIFY), "protocol": "TLS", "load_balancer": world.balancer.path}
    await world.balance(group, **secure)
    assert await clients.until_told(CLIENT) == {}
    for certificates in ((), (make("me", by=STRANGER),)):
        assert await clients.ask(*certificates) is None


async def test_targets_may_be_told_by_other_names(clients) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    balancer = clients.world.balancer
    key = "routing.http.x_amzn_tls_version_and_cipher_suite.enabled"
    clients.world.balancer = replace(balancer, attributes={key: "true"})
    names = {"mtls_clientcert_subject": "X-Who", "tls_version": "X-Who-Tls"}
    attributes = {
        f"routing.http.request.x_amzn_{usual}.header_name": name for usual, name in names.items()
    }
    await clients.listen(VERIFY, attributes=attributes)
    spoofed = {"X-Who": "CN=me", "X-Who-Tls": "SSLv2", "X-Amzn-Mtls-Clientcert-Subject": "CN=me"}
    told = await clients.until_told(CLIENT, prefix="x-", headers=spoofed)
    assert (told["x-who"], told["x-who-tls"]) == ("CN=client.test", "TLSv1.2")
    assert told["x-amzn-mtls-clientcert-issuer"] == "CN=root"
    assert {"x-amzn-mtls-clientcert-subject", "x-amzn-tls-version"}.isdisjoint(told)


async def test_expired_certificates_may_be_taken(clients) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    await clients.listen(
        MutualAuthentication(
            mode="verify", trust_store_arn=STORE.arn, ignore_client_certificate_expiry=True
        )
    )
    told = await clients.until_told(EXPIRED)
    assert told["x-amzn-mtls-clientcert-subject"] == "CN=late.test"
    assert await clients.ask(make("late", by=STRANGER, start=LONG_AGO, days=30)) is None


async def test_another_bundle_is_another_trust(clients) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    await clients.listen(VERIFY)
    await clients.until_told(CLIENT)
    other = TrustStore(
        scope=SCOPE, name="clients", id="5" * 16, ca_certificates=(STRANGER.pem,), created_at=BEGAN
    )
    await clients.world.put(TRUST_STORES, other)
    await clients.until_refused(CLIENT)
    await clients.until_told(make("me", by=STRANGER))


async def test_revoked_certificates_are_refused_and_no_others(clients) -> None:
    other = make("other", ca=True)
    gone, foreign = make("gone", by=ROOT), make("gone", by=other)
    lists = tuple(each.decode() for each in (revoking(ROOT, gone), revoking(ROOT, CLIENT)))
    first = Revocation(id=1, lists=lists[:1], entries=1)
    store = replace(STORE, ca_certificates=(ROOT.pem, other.pem), revocations=(first,))
    await clients.world.put(TRUST_STORES, store)
    await clients.listen(VERIFY)
    await clients.until_told(CLIENT)
    assert await clients.ask(gone) is None
    for certificates in ((foreign,), (make("below", by=BETWEEN), BETWEEN)):
        assert (await clients.ask(*certificates))[0] == 200
    second = Revocation(id=2, lists=lists[1:], entries=1)
    await clients.world.put(TRUST_STORES, replace(store, revocations=(first, second)))
    await clients.until_refused(CLIENT)
    assert await clients.ask(gone) is None
    await clients.world.put(TRUST_STORES, replace(store, revocations=(second,)))
    await clients.until_told(gone)
    assert await clients.ask(CLIENT) is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_no_session_outlives_a_revocation(clients, version) -> None:
    lists = (revoking(ROOT, make("gone", by=ROOT)).decode(),)
    revocation = Revocation(id=1, lists=lists, entries=1)
    await clients.world.put(TRUST_STORES, replace(STORE, revocations=(revocation,)))
    await clients.listen(VERIFY, ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    await clients.until_told(CLIENT)
    context = clients.context(CLIENT)
    context.minimum_version = context.maximum_version = version

    def handshake(session=None):
        with (
            socket.create_connection(("127.0.0.1", clients.world.port)) as plain,
            context.wrap_socket(plain, session=session) as secure,
        ):
            secure.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert secure.recv(1)
            return secure.session, secure.session_reused

    session, _ = await asyncio.to_thread(handshake)
    assert (await asyncio.to_thread(handshake, session))[1] is False


async def test_all_certificates_are_passed_through_unseen(clients) -> None:
    await clients.listen(MutualAuthentication(mode="passthrough"))
    name = "x-amzn-mtls-clientcert"
    told = await clients.until_told(EXPIRED, ROOT)
    assert {key: unquote(value) for key, value in told.items()} == {name: EXPIRED.pem + ROOT.pem}
    assert unquote((await clients.until_told(make("self")))[name]).startswith("-----BEGIN")
    spoofed = {"X-Amzn-Mtls-Clientcert": "x", "X-Amzn-Mtls-Clientcert-Subject": "CN=me"}
    assert await clients.until_told(headers=spoofed) == {}


@pytest.mark.parametrize("advertised", ["on", "off"])
async def test_names_of_authorities_are_told_to_clients_where_wanted(clients, advertised) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    await clients.listen(
        MutualAuthentication(
            mode="verify", trust_store_arn=STORE.arn, advertise_trust_store_ca_names=advertised
        )
    )
    await clients.until_told(CLIENT)
    place = f"127.0.0.1:{clients.world.port}"
    asking = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", place, stdin=-3, stdout=-1, stderr=-1
    )
    said, _ = await asking.communicate()
    names = said.decode().partition("Acceptable client certificate CA names")[2].splitlines()[1:2]
    assert names == (["CN = root"] if advertised == "on" else [])


async def test_a_listener_without_its_trust_store_does_not_serve(clients) -> None:
    await clients.listen(VERIFY)
    state = await clients.world.until_state(LoadBalancerStateCode.ACTIVE_IMPAIRED)
    port = clients.world.port
    assert state.reason == f"Listener on port {port}: its trust store is not there"
    assert await clients.ask(CLIENT) is None


async def test_who_need_not_show_a_certificate_any_more(clients) -> None:
    await clients.world.put(TRUST_STORES, STORE)
    await clients.listen(VERIFY)
    await clients.until_told(CLIENT)
    assert await clients.ask() is None
    await clients.change(MutualAuthentication())
    assert await clients.until_told() == {}
