"""Actions that authenticate users by an OpenID Connect provider: Envoy's oauth2 filter.

User Guide for Application Load Balancers, "Authenticate users using an Application Load Balancer".
The filter keeps a session in cookies it signs and encrypts; the program here tells targets who the
user is and keeps the cookies from them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from openecs.edge.files import source_of
from openecs.edge.providers import provider_name
from openecs.model.load_balancing import Action, OidcAction

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy.extensions"
_OAUTH2 = f"{_TYPE}.filters.http.oauth2.v3"
_LUA = f"{_TYPE}.filters.http.lua.v3"
_SECRET = f"{_TYPE}.transport_sockets.tls.v3.Secret"
_FILTER, _LOGINS, _TOLD = "envoy.filters.http.oauth2", "logins", "authenticated_users"

#: Where providers send users back to.
CALLBACK = "/oauth2/idpresponse"
_NONCE = "AWSALBAuthNonce"

#: No path: AWS has none that ends a session.
_NOWHERE: Resource = {"path": {"safe_regex": {"regex": "[^/]"}}}
_EVERY: list[Resource] = [{"name": ":path", "present_match": True}]

#: Of several clients with one callback the state of a login tells which one has begun it.
_LOGIN_PROGRAM = """
function envoy_on_request(handle)
  local headers, mark = handle:headers(), handle:filterContext():get("mark")
  local path = headers:get(":path") or ""
  if mark and path:sub(1, #"CALLBACK") == "CALLBACK" then
    headers:replace(":path", (path:gsub("([?&]state=)" .. mark .. "%.", "%1", 1)))
  end
end

-- Browsers forget a session when it is over, however long the provider's token is good for.
local function shorter(cookie, longest)
  return (cookie:gsub("(;%s*[Mm]ax%-[Aa]ge=)(%d+)", function(name, seconds)
    return name .. string.format("%d", math.min(tonumber(seconds), longest))
  end))
end

function envoy_on_response(handle)
  local headers, context = handle:headers(), handle:filterContext()
  local mine, longest, mark = context:get("cookies"), context:get("seconds"), context:get("mark")
  if not mine then return end
  local given, begins = {}, false
  for at = 0, headers:getNumValues("set-cookie") - 1 do
    local cookie = headers:getAtIndex("set-cookie", at)
    begins = begins or cookie:find("NONCE-" .. mark, 1, true) == 1
    table.insert(given, mine[cookie:match("^[^=]*")] and shorter(cookie, longest) or cookie)
  end
  headers:remove("set-cookie")
  for _, cookie in ipairs(given) do headers:add("set-cookie", cookie) end
  local location = headers:get("location")
  if begins and location then
    headers:replace("location", (location:gsub("([?&]state=)", "%1" .. mark .. ".", 1)))
  end
end
""".replace("NONCE", _NONCE).replace("CALLBACK", CALLBACK)

_PROGRAM = """
local digits = {}
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
for at = 1, #alphabet do digits[alphabet:sub(at, at)] = at - 1 end

local function decoded(text)
  local bits, count, found = 0, 0, {}
  for digit in text:gmatch("[%w_-]") do
    bits, count = bits * 64 + digits[digit], count + 6
    if count >= 8 then
      count = count - 8
      local unit = 2 ^ count
      table.insert(found, string.char(math.floor(bits / unit)))
      bits = bits % unit
    end
  end
  return table.concat(found)
end

-- A text of an object of JSON, of the outermost braces alone.
local function member(json, wanted)
  local at, depth, key, last = 1, 0, nil, nil
  while at <= #json do
    local char = json:sub(at, at)
    if char == '"' then
      local stop = at + 1
      while stop <= #json and json:sub(stop, stop) ~= '"' do
        stop = stop + (json:sub(stop, stop) == "\\\\" and 2 or 1)
      end
      last = json:sub(at + 1, stop - 1)
      if depth == 1 and key == wanted then return last end
      at = stop
    elseif char == "{" or char == "[" then depth, key = depth + 1, nil
    elseif char == "}" or char == "]" then depth, key = depth - 1, nil
    elseif char == ":" then key = last
    elseif char == "," then key = nil
    end
    at = at + 1
  end
end

local function taken(headers, mine)
  local found, kept = {}, {}
  for name, value in string.gmatch(headers:get("cookie") or "", "([^=;%s]+)=([^;]*)") do
    if mine[name] then
      found[mine[name]] = value
    elseif name:sub(1, #"NONCE") ~= "NONCE" and not mine[name:match("^(.*)_%w+$") or ""] then
      table.insert(kept, name .. "=" .. value)
    end
  end
  headers:remove("cookie")
  if #kept > 0 then headers:add("cookie", table.concat(kept, "; ")) end
  return found
end

function envoy_on_request(handle)
  local headers, mine = handle:headers(), handle:filterContext():get("cookies")
  if not mine then return end
  for _, name in ipairs({"accesstoken", "identity", "data"}) do
    headers:remove("x-amzn-oidc-" .. name)
  end
  local found = taken(headers, mine)
  headers:remove("x-envoy-oauth-status")
  headers:remove("x-envoy-oauth-failure-reason")
  if not found.access then return end
  headers:add("x-amzn-oidc-accesstoken", found.access)
  local claims = (found.id or ""):match("^[%w_-]+%.([%w_-]+)%.")
  local subject = claims and member(decoded(claims), "sub")
  if subject then headers:add("x-amzn-oidc-identity", subject) end
end
""".replace("NONCE", _NONCE)


def oidc_of(actions: Iterable[Action]) -> OidcAction | None:
    """How users are authenticated, if they are."""
    return next((action.oidc for action in actions if action.oidc), None)


def filters(actions: Iterable[Action]) -> list[Resource]:
    """The filters of a listener of whose actions some authenticate."""
    if oidc_of(actions) is None:
        return []
    return [
        _program(_LOGINS, _LOGIN_PROGRAM),
        {"name": _FILTER, "typed_config": {"@type": f"{_OAUTH2}.OAuth2"}},
        _program(_TOLD, _PROGRAM),
    ]


def _program(name: str, source: str) -> Resource:
    # The rule is chosen: what programs change is not to choose another.
    config = {
        "@type": f"{_LUA}.Lua",
        "default_source_code": {"inline_string": source},
        "clear_route_cache": False,
    }
    return {"name": name, "typed_config": config}


def of_route(oidc: OidcAction, xds: Path) -> Resource:
    """What the filters do with the requests of a route."""
    cookies = _cookies(oidc)
    told = {
        cookies["bearer_token"]: "access",
        cookies["oauth_hmac"]: "hmac",
        cookies["id_token"]: "id",
        cookies["oauth_expires"]: "expires",
        cookies["refresh_token"]: "refresh",
    }
    context = {"cookies": told, "seconds": oidc.session_timeout, "mark": _mark(oidc)}
    programs = {"@type": f"{_LUA}.LuaPerRoute", "filter_context": context}
    return {
        _FILTER: {"@type": f"{_OAUTH2}.OAuth2PerRoute", "config": _config(oidc, cookies, xds)},
        _LOGINS: programs,
        _TOLD: programs,
    }


def callback(oidc: OidcAction) -> Resource:
    """The requests of users whom the provider has sent back."""
    begun = f"[^?]*\\?(?:[^&]*&)*state={_mark(oidc)}\\..*"
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": begun}}}
    return {"path": CALLBACK, "headers": [path]}


def secrets(oidc: OidcAction) -> dict[str, list[Resource]]:
    """The files with what only Envoy and the provider know."""
    return {
        _secret_file(oidc, "client"): [_secret(oidc, "client", oidc.client_secret)],
        _secret_file(oidc, "session"): [_secret(oidc, "session", _session_key(oidc))],
    }


def _config(oidc: OidcAction, cookies: Resource, xds: Path) -> Resource:
    seconds = f"{oidc.session_timeout}s"
    return {
        "token_endpoint": {
            "uri": oidc.token_endpoint,
            "cluster": provider_name(oidc.token_endpoint),
            "timeout": "10s",
        },
        "authorization_endpoint": _authorization(oidc),
        "credentials": {
            "client_id": oidc.client_id,
            "token_secret": _secret_source(oidc, "client", xds),
            "hmac_secret": _secret_source(oidc, "session", xds),
            "cookie_names": cookies,
        },
        "redirect_uri": f"https://%REQ(:authority)%{CALLBACK}",
        "redirect_path_matcher": {"path": {"exact": CALLBACK}},
        "signout_path": _NOWHERE,
        "preserve_authorization_header": True,
        "auth_scopes": oidc.scope.split(),
        # Browsers take cookies of 4096 bytes at most.
        "token_cookie_chunking": {"max_cookie_size": 3800, "max_chunks": 5},
        "use_access_token_expiry_for_id_token_cookie": True,
        "use_refresh_token": True,
        "default_expires_in": seconds,
        "default_refresh_token_expires_in": seconds,
        **_unauthenticated(oidc),
    }


def _unauthenticated(oidc: OidcAction) -> Resource:
    match oidc.on_unauthenticated_request:
        case "allow":
            return {"allow_failed_matcher": _EVERY}
        case "deny":
            return {"deny_redirect_matcher": _EVERY}
        case _:
            return {}


def _authorization(oidc: OidcAction) -> str:
    endpoint = oidc.authorization_endpoint
    if not oidc.extra_parameters:
        return endpoint
    joined = "&" if urlsplit(endpoint).query else "?"
    return f"{endpoint}{joined}{urlencode(oidc.extra_parameters)}"


def _cookies(oidc: OidcAction) -> dict[str, str]:
    name = oidc.session_cookie_name
    return {
        "bearer_token": f"{name}-0",
        "oauth_hmac": f"{name}-1",
        "oauth_expires": f"{name}-2",
        "id_token": f"{name}-3",
        "refresh_token": f"{name}-4",
        "oauth_nonce": _nonce(oidc),
        "code_verifier": f"{_nonce(oidc)}V",
    }


def _nonce(oidc: OidcAction) -> str:
    return f"{_NONCE}-{_mark(oidc)}"


def _mark(oidc: OidcAction) -> str:
    """What tells the logins of a client from those of others."""
    return hashlib.sha256("\n".join(oidc.client).encode()).hexdigest()[:8]


def _session_key(oidc: OidcAction) -> str:
    """What sessions are signed by: the same wherever the same client logs in."""
    told = f"{oidc.issuer}\n{oidc.token_endpoint}\n{oidc.client_id}"
    return hmac.new(oidc.client_secret.encode(), told.encode(), hashlib.sha256).hexdigest()


def _secret_file(oidc: OidcAction, use: str) -> str:
    # Of the key that is derived, not of the secret itself.
    mark = hashlib.sha256(_session_key(oidc).encode()).hexdigest()[:16]
    return f"secret-{use}-{mark}"


def _secret(oidc: OidcAction, use: str, value: str) -> Resource:
    return {
        "@type": _SECRET,
        "name": _secret_file(oidc, use),
        "generic_secret": {"secret": {"inline_string": value}},
    }


def _secret_source(oidc: OidcAction, use: str, xds: Path) -> Resource:
    file = _secret_file(oidc, use)
    return {"name": file, "sds_config": source_of(xds, file)}
