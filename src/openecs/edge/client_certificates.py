"""Certificates of clients: what listeners ask for, and what targets are told of them.

User Guide for Application Load Balancers, "Mutual authentication with TLS": "HTTP headers and
mutual TLS".
"""

from __future__ import annotations

from typing import Any

from openecs.model.listener_headers import told_as
from openecs.model.load_balancing import Listener

Resource = dict[str, Any]

_LUA = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"
_PASSTHROUGH, _VERIFY = "passthrough", "verify"

_COMMON = """
local safe = {["%2B"] = "+", ["%2F"] = "/", ["%3D"] = "="}

local function pem(text)
  return (string.gsub(text, "%%%x%x", safe))
end

local function told(handle, made)
  local headers = handle:headers()
  for usual, name in pairs(names) do
    headers:remove(usual)
    headers:remove(name)
  end
  local tls = handle:streamInfo():downstreamSslConnection()
  if tls:peerCertificatePresented() then
    for name, value in pairs(made(tls)) do
      headers:add(names["x-amzn-mtls-clientcert" .. name], value)
    end
  end
end
"""

#: What a target is told, by the mode of the listener.
_PROGRAMS = {
    _PASSTHROUGH: """
local function made(tls)
  return {[""] = pem(tls:urlEncodedPemEncodedPeerCertificateChain())}
end
""",
    _VERIFY: """
local function date(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

local function made(tls)
  local from, to = tls:validFromPeerCertificate(), tls:expirationPeerCertificate()
  return {
    ["-serial-number"] = string.upper(tls:serialNumberPeerCertificate()),
    ["-issuer"] = tls:issuerPeerCertificate(),
    ["-subject"] = tls:subjectPeerCertificate(),
    ["-validity"] = "NotBefore=" .. date(from) .. ";NotAfter=" .. date(to),
    ["-leaf"] = pem(tls:urlEncodedPemEncodedPeerCertificate()),
  }
end
""",
}
_REQUEST = """
function envoy_on_request(handle)
  told(handle, made)
end
"""


def is_verified(listener: Listener) -> bool:
    """Whether clients need a certificate that an authority of the trust store has signed."""
    return _mode(listener) == _VERIFY


def validation(listener: Listener, authorities: str) -> Resource | None:
    """The validation context of a listener that asks for certificates, by PEM texts."""
    mutual = listener.mutual_authentication
    if mutual is None or mutual.mode not in _PROGRAMS:
        return None
    if mutual.mode == _PASSTHROUGH:
        return {"trust_chain_verification": "ACCEPT_UNTRUSTED"}
    return {
        "trusted_ca": {"inline_string": authorities},
        "allow_expired_certificate": mutual.ignore_client_certificate_expiry is True,
        "suppress_client_ca_list": mutual.advertise_trust_store_ca_names != "on",
    }


def filters(listener: Listener) -> list[Resource]:
    """The filter that tells targets of certificates, where the listener asks for some.

    Envoy chooses the route after it: rules go by what is told, not by what a client says of itself.
    """
    program = _PROGRAMS.get(_mode(listener))
    if program is None:
        return []
    source = {"inline_string": _names(listener) + _COMMON + program + _REQUEST}
    # Under a name of its own, so that programs of routes do not take its place.
    config = {"@type": _LUA, "default_source_code": source}
    return [{"name": "client_certificates", "typed_config": config}]


def _names(listener: Listener) -> str:
    """The names of headers in the program, by the usual ones."""
    named = told_as(listener.attributes).items()
    pairs = ", ".join(f'["{usual}"] = "{name}"' for usual, name in named if "-mtls-" in usual)
    return f"local names = {{{pairs}}}\n"


def _mode(listener: Listener) -> str:
    return listener.mutual_authentication.mode if listener.mutual_authentication else "off"
