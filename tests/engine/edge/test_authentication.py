"""Users who log in at an identity provider, on a real Envoy."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import shlex
import ssl
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from edge_world import GROUP, fixed, says, to, upstream
from identity_provider import Provider
from made_certificates import make
from openecs.model.certificates import KeyPair
from openecs.model.load_balancing import Action, Claim, Condition, JwtAction, OidcAction
from openecs.store.kinds import CERTIFICATES
from openecs.testing.builders import a_certificate

SERVER = make("server.test")
SHOWN = a_certificate(key_pair=KeyPair(certificate=SERVER.pem, private_key=SERVER.key_pem))


class Users:
    """A listener that speaks TLS, and browsers that ask it."""

    def __init__(self, world, provider) -> None:
        self.world, self.provider = world, provider

    def oidc(self, **changes) -> Action:
        known = OidcAction(
            issuer=self.provider.url,
            authorization_endpoint=f"{self.provider.url}/authorize",
            token_endpoint=f"{self.provider.url}/token",
            user_info_endpoint=f"{self.provider.url}/userinfo",
            client_id=self.provider.client,
            client_secret=self.provider.secret,
        )
        return Action(type="authenticate-oidc", order=1, oidc=replace(known, **changes))

    def jwt(self, *claims: Claim) -> Action:
        keys = f"{self.provider.url}/keys"
        known = JwtAction(jwks_endpoint=keys, issuer=self.provider.url, claims=claims)
        return Action(type="jwt-validation", order=1, jwt=known)

    async def listen(self, *actions) -> None:
        await self.world.put(CERTIFICATES, SHOWN)
        secure = {"protocol": "HTTPS", "certificates": (SHOWN.arn,)}
        await self.world.balance(GROUP, **secure, default_actions=actions)

    def url(self, path: str) -> str:
        return f"https://localhost:{self.world.port}{path}"

    async def get(self, browser, path="/", **options):
        """Status, body and headers, once the listener is there."""
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(aiohttp.ClientConnectorError):
                    async with browser.get(self.url(path), ssl=False, **options) as answer:
                        return answer.status, await answer.text(), answer.headers
                await asyncio.sleep(0.01)


@pytest.fixture
async def users(world):
    async with Provider().serve() as provider, world.edge():
        yield Users(world, provider)


def browser():
    return aiohttp.ClientSession()


async def test_a_user_logs_in_once_and_targets_are_told_who_it_is(users) -> None:
    extra = {"scope": "openid email", "extra_parameters": {"prompt": "login"}}
    async with upstream("one") as port, browser() as client:
        await users.world.serve(port)
        await users.listen(users.oidc(**extra), to(GROUP))
        status, _, headers = await users.get(client, "/shop?a=b", allow_redirects=False)
        assert status == 302
        asked = urlsplit(headers["location"])
        told = {key: value[0] for key, value in parse_qs(asked.query).items()}
        assert (asked.path, told["client_id"], told["prompt"]) == ("/authorize", "me", "login")
        assert told["scope"].split() == ["openid", "email"]
        assert told["redirect_uri"] == users.url("/oauth2/idpresponse")
        forged = {"x-amzn-oidc-data": "x", "X-Amzn-Oidc-Identity": "root", "Cookie": "kept=1"}
        status, body, _ = await users.get(client, "/shop?a=b", headers=forged)
        assert says("one")(status, body)
        assert "GET /shop?a=b " in body
        assert "x-amzn-oidc-accesstoken: token-of-access" in body
        assert "x-amzn-oidc-identity: user-1" in body
        assert "oidc-data" not in body
        assert "AWSELBAuth" not in body
        assert "AWSALBAuth" not in body
        assert len(users.provider.exchanges) == 1
        status, body, _ = await users.get(client, "/again")
        assert "GET /again " in body
        assert len(users.provider.exchanges) == 1


async def test_what_is_done_with_users_who_have_not_logged_in(users) -> None:
    async with upstream("one") as port, browser() as client:
        await users.world.serve(port)
        for priority, path in enumerate(("allow", "deny"), 1):
            condition = Condition(field="path-pattern", values=(f"/{path}",))
            way = users.oidc(on_unauthenticated_request=path)
            await users.world.rule(priority, (way, to(GROUP)), condition)
        await users.listen(users.oidc(), to(GROUP))
        stale = "AWSELBAuthSessionCookie-0_0=old; AWSELBAuthSessionCookie-0=token; kept=1"
        forged = {"X-Amzn-Oidc-Identity": "root", "Cookie": stale}
        status, body, _ = await users.get(client, "/allow", headers=forged)
        assert says("one")(status, body)
        assert "oidc" not in body
        assert "cookie: kept=1\r\n" in body
        status, body, headers = await users.get(client, "/deny")
        assert (status, headers["server"]) == (401, "awselb/2.0")
        assert "401 Authorization Required" in body
        await users.get(client, "/")
        for path in ("/allow", "/deny"):
            status, body, _ = await users.get(client, path)
            assert "x-amzn-oidc-identity: user-1" in body


async def test_a_session_ends_with_its_timeout_and_rules_have_their_own(users) -> None:
    async with browser() as client:
        for priority, name in enumerate(("one", "two"), 1):
            condition = Condition(field="path-pattern", values=(f"/{name}",))
            way = users.oidc(session_cookie_name=name, session_timeout=60 * priority)
            await users.world.rule(priority, (way, fixed(name)), condition)
        await users.listen(fixed("anybody"))
        assert (await users.get(client, "/"))[1] == "anybody"
        for name, seconds in (("one", "60"), ("two", "120")):
            assert (await users.get(client, f"/{name}"))[1] == name
            kept = [each for each in client.cookie_jar if each.key.startswith(f"{name}-")]
            assert len(kept) >= 4
            assert {each["max-age"] for each in kept} == {seconds}
        assert len(users.provider.exchanges) == 2


async def test_a_login_that_the_provider_does_not_confirm(users) -> None:
    async with browser() as client:
        await users.listen(users.oidc(client_secret="wrong"), fixed("inside"))
        status, body, headers = await users.get(client, "/")
        assert (status, headers["server"]) == (401, "awselb/2.0")
        assert "inside" not in body
        status, body, _ = await users.get(client, "/oauth2/idpresponse?code=a&state=b")
        assert status == 401


@pytest.mark.parametrize(("shown", "expected"), [("localhost", 200), ("other.test", 401)])
async def test_a_provider_is_known_by_authorities_that_this_machine_trusts(
    world, tmp_path, monkeypatch, shown, expected
) -> None:
    root = make("root", ca=True)
    made = make(shown, by=root, names=[shown])
    bundle, chain = tmp_path / "authorities.pem", tmp_path / "provider.pem"
    bundle.write_text(root.pem)
    chain.write_text(made.key_pem + made.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    async with Provider().serve(context) as provider, world.edge(), browser() as client:
        users = Users(world, provider)
        await users.listen(users.oidc(), fixed("inside"))
        status, _, headers = await users.get(client, "/", allow_redirects=False)
        assert (status, headers["location"].startswith(provider.url)) == (302, True)
        assert (await users.get(client, "/"))[0] == expected


async def test_requests_need_a_token_that_the_issuer_has_signed(users) -> None:
    async with upstream("one") as port, browser() as client:
        await users.world.serve(port)
        await users.listen(users.jwt(), to(GROUP))
        good = users.provider.token()
        status, body, _ = await users.get(client, "/", headers={"Authorization": f"Bearer {good}"})
        assert says("one")(status, body)
        assert f"authorization: Bearer {good}" in body
        stranger, now = Provider(), int(time.time())
        stranger.url = users.provider.url
        bad = {
            "missing": "",
            "another's": f"Bearer {stranger.token()}",
            "of another issuer": f"Bearer {users.provider.token(iss='https://other.test')}",
            "of no issuer": f"Bearer {users.provider.token(iss=None)}",
            "expired": f"Bearer {users.provider.token(exp=now - 600)}",
            "without end": f"Bearer {users.provider.token(exp=None)}",
            "early": f"Bearer {users.provider.token(nbf=now + 600)}",
            "from the future": f"Bearer {users.provider.token(iat=now + 600)}",
        }
        for kind, token in bad.items():
            answer = await users.get(client, "/", headers={"Authorization": token})
            assert (answer[0], answer[2].get("server"), kind) == (401, "awselb/2.0", kind)
            assert "401 Authorization Required" in answer[1]


async def test_tokens_say_what_a_rule_asks_for(users) -> None:
    claims = (
        Claim(name="team", format="single-string", values=("red",)),
        Claim(name="scope", format="space-separated-values", values=("read", "write")),
        Claim(name="roles", format="string-array", values=("admin",)),
    )
    good = {"team": "red", "scope": "write list read", "roles": ["user", "admin"]}
    async with browser() as client:
        inner = Condition(field="path-pattern", values=("/inner",))
        await users.world.rule(1, (users.jwt(*claims), fixed("inside")), inner)
        await users.listen(users.jwt(), fixed("anybody"))

        async def asked(path, **told):
            token = users.provider.token(**told)
            return (await users.get(client, path, headers={"Authorization": f"Bearer {token}"}))[:2]

        assert await asked("/inner", **good) == (200, "inside")
        assert await asked("/outer") == (200, "anybody")
        for worse in (
            {"team": "blue"},
            {"team": ["red"]},
            {"team": None},
            {"scope": "read"},
            {"roles": "admin"},
            {"roles": ["user"]},
        ):
            assert (await asked("/inner", **{**good, **worse}))[0] == 401


async def test_logins_are_logged(world) -> None:
    attributes = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "my-logs"}
    world.balancer = replace(world.balancer, attributes=attributes)
    async with Provider().serve() as provider, world.edge() as edge, browser() as client:
        users = Users(world, provider)
        await users.listen(users.oidc(), fixed("inside"))
        assert (await users.get(client, "/?a=b"))[1] == "inside"
        lines: list[list[str]] = []
        async with asyncio.timeout(20):
            while len(lines) < 3:
                await edge.deliveries.deliver()
                files = sorted((world.directory.parent / "logs").rglob("*.gz"))
                texts = (gzip.decompress(file.read_bytes()).decode() for file in files)
                lines = [shlex.split(line) for text in texts for line in text.splitlines()]
                await asyncio.sleep(0.01)
    done = [(each[8], each[22]) for each in sorted(lines, key=lambda each: each[21])]
    assert done == [
        ("302", "authenticate"),
        ("302", "authenticate"),
        ("200", "authenticate,fixed-response"),
    ]
    assert "hidden" not in repr(lines)


async def test_tokens_that_no_cookie_holds(users) -> None:
    users.provider.access_token = "x" * 3500
    async with upstream("one") as port, browser() as client:
        await users.world.serve(port)
        await users.listen(users.oidc(), to(GROUP))
        for _ in range(2):
            status, body, _ = await users.get(client, "/")
            assert says("one")(status, body)
            assert f"x-amzn-oidc-accesstoken: {users.provider.access_token}\r\n" in body
            assert "AWSELBAuth" not in body
        assert len(users.provider.exchanges) == 1
        assert all(len(cookie.value) <= 4000 for cookie in client.cookie_jar)


async def test_a_session_goes_on_with_a_refresh_token(users) -> None:
    users.provider.refreshes, users.provider.expires_in = True, 1
    async with upstream("one") as port, browser() as client:
        await users.world.serve(port)
        await users.listen(users.oidc(), to(GROUP))
        await users.get(client, "/")
        users.provider.access_token = "another"
        async with asyncio.timeout(20):
            while len(users.provider.exchanges) < 2:
                status, body, _ = await users.get(client, "/")
                assert says("one")(status, body)
        assert users.provider.exchanges[1]["grant_type"] == "refresh_token"
        assert len(users.provider.logins) == 1
        assert "x-amzn-oidc-accesstoken: another\r\n" in body
        assert "x-amzn-oidc-identity: user-1\r\n" in body
