"""Actions that validate tokens: signatures by Envoy's jwt_authn filter, claims by the program here.

User Guide for Application Load Balancers, "Verify JWTs using an Application Load Balancer".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from openecs.edge import answers
from openecs.edge.providers import provider_name
from openecs.model.load_balancing import Action, JwtAction

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy.extensions.filters.http"
_FILTER, _CLAIMS = "envoy.filters.http.jwt_authn", "token_claims"
_KEPT_FOR = "300s"

_PROGRAM = """
local function is_in(values, wanted)
  for _, value in ipairs(values) do if value == wanted then return true end end
  return false
end

local function values_of(claim, format)
  if format == "string-array" then return type(claim) == "table" and claim or {} end
  if type(claim) ~= "string" then return {} end
  if format == "single-string" then return {claim} end
  local found = {}
  for value in claim:gmatch("%S+") do table.insert(found, value) end
  return found
end

local function holds(token, wanted)
  if not token.head or token.head.alg ~= "RS256" then return false end
  local claims = token.claims or {}
  if claims.iss == nil or (claims.iat and claims.iat > os.time() + 60) then return false end
  for _, each in ipairs(wanted) do
    local found = values_of(claims[each.name], each.format)
    for _, value in ipairs(each.values) do
      if not is_in(found, value) then return false end
    end
  end
  return true
end

function envoy_on_request(handle)
  local wanted = handle:filterContext():get("claims")
  if not wanted then return end
  local token = handle:streamInfo():dynamicMetadata():get("FILTER") or {}
  if not holds(token, wanted) then
    handle:respond({[":status"] = "401", ["server"] = "awselb/2.0",
      ["content-type"] = "text/html"}, [[PAGE]])
  end
end
"""
_SOURCE = _PROGRAM.replace("FILTER", _FILTER).replace("PAGE", answers.page(401))


def filters(actions: Iterable[Action]) -> list[Resource]:
    """The filters of a listener of whose actions some validate tokens."""
    wanted = {_name(action.jwt): action.jwt for action in actions if action.jwt}
    if not wanted:
        return []
    config = {
        "@type": f"{_TYPE}.jwt_authn.v3.JwtAuthentication",
        "providers": {name: _provider(jwt) for name, jwt in wanted.items()},
        "requirement_map": {name: {"provider_name": name} for name in wanted},
        "strip_failure_response": True,
    }
    program = {
        "@type": f"{_TYPE}.lua.v3.Lua",
        "default_source_code": {"inline_string": _SOURCE},
    }
    return [
        {"name": _FILTER, "typed_config": config},
        {"name": _CLAIMS, "typed_config": program},
    ]


def of_route(jwt: JwtAction) -> Resource:
    """What the filters do with the requests of a route."""
    claims = [{"name": c.name, "format": c.format, "values": list(c.values)} for c in jwt.claims]
    required = {"requirement_name": _name(jwt)}
    context = {"filter_context": {"claims": claims}}
    return {
        _FILTER: {"@type": f"{_TYPE}.jwt_authn.v3.PerRouteConfig", **required},
        _CLAIMS: {"@type": f"{_TYPE}.lua.v3.LuaPerRoute", **context},
    }


def _name(jwt: JwtAction) -> str:
    return hashlib.sha256(f"{jwt.issuer}\n{jwt.jwks_endpoint}".encode()).hexdigest()[:16]


def _provider(jwt: JwtAction) -> Resource:
    keys = {
        "uri": jwt.jwks_endpoint,
        "cluster": provider_name(jwt.jwks_endpoint),
        "timeout": "5s",
    }
    return {
        "issuer": jwt.issuer,
        "remote_jwks": {"http_uri": keys, "cache_duration": _KEPT_FOR},
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "forward": True,
        "require_expiration": True,
        "payload_in_metadata": "claims",
        "header_in_metadata": "head",
    }
