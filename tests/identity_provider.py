"""An OpenID Connect provider for tests: it logs everybody in as the same user."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import time
from urllib.parse import urlencode

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256

from made_certificates import rsa_key


class Provider:
    """Endpoints of a provider, the tokens it gave and what it was asked."""

    def __init__(self) -> None:
        self.key = rsa_key()
        self.client, self.secret = "me", "hidden"
        self.url = ""
        self.expires_in = 3600
        self.refreshes = False
        self.access_token = "token-of-access"
        self.logins: list[dict[str, str]] = []
        self.exchanges: list[dict[str, str]] = []
        self._codes: set[str] = set()

    @contextlib.asynccontextmanager
    async def serve(self, context=None):
        """Answer until the end, by TLS where there is a ``context``."""
        app = web.Application()
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/keys", self._keys)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"{'https' if context else 'http'}://localhost:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def token(self, **claims) -> str:
        """A token that it has signed."""
        now = int(time.time())
        told = {"iss": self.url, "sub": "user-1", "aud": self.client, "exp": now + 600, **claims}
        wanted = {key: value for key, value in told.items() if value is not None}
        parts = ({"alg": "RS256", "kid": "one"}, wanted)
        signed = b".".join(_encoded(json.dumps(part).encode()) for part in parts)
        signature = self.key.sign(signed, padding.PKCS1v15(), SHA256())
        return (signed + b"." + _encoded(signature)).decode()

    async def _authorize(self, request: web.Request) -> web.Response:
        self.logins.append(dict(request.query))
        code = secrets.token_hex(8)
        self._codes.add(code)
        told = urlencode({"code": code, "state": request.query["state"]})
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{told}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.exchanges.append(form)
        known = form.get("client_id") == self.client and form.get("client_secret") == self.secret
        is_refresh = form.get("refresh_token") == "token-of-refresh"
        if not known or not (is_refresh or form.get("code") in self._codes):
            return web.json_response({"error": "invalid_grant"}, status=400)
        self._codes.discard(form.get("code", ""))
        refresh = {"refresh_token": "token-of-refresh"} if self.refreshes else {}
        return web.json_response(
            refresh
            | {
                "access_token": self.access_token,
                "id_token": self.token(nested={"sub": "somebody else"}),
                "token_type": "Bearer",
                "expires_in": self.expires_in,
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        public = self.key.public_key().public_numbers()
        numbers = {
            name: _encoded(value.to_bytes((value.bit_length() + 7) // 8)).decode()
            for name, value in (("n", public.n), ("e", public.e))
        }
        key = {"kty": "RSA", "kid": "one", "use": "sig", "alg": "RS256", **numbers}
        return web.json_response({"keys": [key]})


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
