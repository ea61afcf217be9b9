"""Certificates of clients: what listeners ask for, and what targets are told of them.

User Guide for Application Load Balancers, "Mutual authentication with TLS": "HTTP headers and
mutual TLS".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openecs.decide.certificates.revocations import revoked
from openecs.model.listener_headers import told_as
from openecs.model.load_balancing import Listener
from openecs.model.trust_stores import TrustStore

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_EXTENSIONS = f"{_TYPE}.extensions"
_NETWORK = f"{_EXTENSIONS}.filters.network"
_LUA = f"{_EXTENSIONS}.filters.http.lua.v3.Lua"

#: Where the identity of a client's certificate is kept.
_IDENTITY = "openecs.client_certificate"
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


def validation(listener: Listener, trust_store: TrustStore | None) -> Resource | None:
    """The validation context of a listener that asks for certificates."""
    mutual = listener.mutual_authentication
    if mutual is None or mutual.mode not in _PROGRAMS:
        return None
    if mutual.mode == _PASSTHROUGH:
        return {"trust_chain_verification": "ACCEPT_UNTRUSTED"}
    authorities = "".join(trust_store.ca_certificates) if trust_store else ""
    return {
        "trusted_ca": {"inline_string": authorities},
        "allow_expired_certificate": mutual.ignore_client_certificate_expiry is True,
        "suppress_client_ca_list": mutual.advertise_trust_store_ca_names != "on",
    }


def guards(trust_store: TrustStore | None) -> list[Resource]:
    """The filters that end connections of clients whose certificates are revoked."""
    found = sorted(_revoked(trust_store))
    if not found:
        return []
    return [_identity(), _denial([f"{issuer}/{number}" for issuer, number in found])]


def resumption(trust_store: TrustStore | None) -> Resource:
    """The part of a TLS context that has each client show its certificate on each connection.

    Of sessions that are resumed Envoy does not know who issued the certificate.
    """
    if not _revoked(trust_store):
        return {}
    return {
        "disable_stateless_session_resumption": True,
        "disable_stateful_session_resumption": True,
    }


def _revoked(trust_store: TrustStore | None) -> frozenset[tuple[str, str]]:
    if trust_store is None:
        return frozenset()
    lists = tuple(text for each in trust_store.revocations for text in each.lists)
    return revoked(lists, trust_store.ca_certificates)


def _identity() -> Resource:
    """Keeps who issued a certificate, and its serial number."""
    told = "%DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256%/%DOWNSTREAM_PEER_SERIAL%"
    kept = {
        "object_key": _IDENTITY,
        "factory_key": "envoy.string",
        "format_string": {"text_format_source": {"inline_string": told}},
    }
    return {
        "name": "client_identity",
        "typed_config": {
            "@type": f"{_NETWORK}.set_filter_state.v3.Config",
            "on_downstream_tls_handshake": [kept],
        },
    }


def _denial(identities: Iterable[str]) -> Resource:
    """Ends connections before the first request is read."""
    state = f"{_EXTENSIONS}.matching.common_inputs.network.v3.FilterStateInput"
    tree = {
        "input": {
            "name": "envoy.matching.inputs.filter_state",
            "typed_config": {"@type": state, "key": _IDENTITY},
        },
        "exact_match_map": {"map": {each: _action("DENY") for each in identities}},
    }
    return {
        "name": "envoy.filters.network.rbac",
        "typed_config": {
            "@type": f"{_NETWORK}.rbac.v3.RBAC",
            "stat_prefix": "revoked",
            "matcher": {"matcher_tree": tree, "on_no_match": _action("ALLOW")},
        },
    }


def _action(action: str) -> Resource:
    config = {"@type": f"{_TYPE}.config.rbac.v3.Action", "name": action, "action": action}
    return {"action": {"name": action, "typed_config": config}}


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
