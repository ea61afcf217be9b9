"""What listeners show clients that speak TLS: certificates, versions and ciphers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openecs.edge import client_certificates
from openecs.model.certificates import KeyPair
from openecs.model.load_balancing import Listener
from openecs.model.tls_policies import ALPN_POLICIES, DEFAULT_POLICY, POLICIES
from openecs.model.trust_stores import TrustStore

Resource = dict[str, Any]

_CONTEXT = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
_VERSIONS = {"TLSv1": "TLSv1_0", "TLSv1.1": "TLSv1_1", "TLSv1.2": "TLSv1_2", "TLSv1.3": "TLSv1_3"}

#: BoringSSL has no others of what policies name; those of TLS 1.3 are not to be chosen.
_CIPHERS = frozenset(
    {
        *(
            f"ECDHE-{key}-{suite}"
            for key in ("ECDSA", "RSA")
            for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES256-SHA")
        ),
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-SHA",
        "AES256-SHA",
    }
)


#: How keys are agreed on; Envoy has one of AWS's three ways with ML-KEM.
_GROUPS = ("X25519", "P-256", "P-384", "P-521")
_POST_QUANTUM = "X25519MLKEM768"


def socket(
    listener: Listener, key_pairs: Sequence[KeyPair], trust_store: TrustStore | None
) -> Resource:
    """The transport socket of a listener; of several certificates the name asked for decides.

    Clients are verified by the ``trust_store``.
    """
    asked = client_certificates.validation(listener, trust_store)
    context = {
        "@type": _CONTEXT,
        "require_client_certificate": client_certificates.is_verified(listener),
        **client_certificates.resumption(trust_store),
        "common_tls_context": {
            "tls_params": _params(listener.ssl_policy or DEFAULT_POLICY),
            "alpn_protocols": _spoken(listener),
            "tls_certificates": [
                {
                    "certificate_chain": {"inline_string": pair.certificate + (pair.chain or "")},
                    "private_key": {"inline_string": pair.private_key},
                }
                for pair in key_pairs
            ],
            **({"validation_context": asked} if asked else {}),
        },
    }
    return {"name": "envoy.transport_sockets.tls", "typed_config": context}


def _spoken(listener: Listener) -> list[str]:
    if listener.protocol == "HTTPS":
        return ["h2", "http/1.1"]
    return [each for name in listener.alpn_policy for each in ALPN_POLICIES[name]]


def _params(name: str) -> Resource:
    """Versions and ciphers of a security policy, as far as Envoy has them."""
    policy = POLICIES[name]
    suites = [cipher for cipher in policy.ciphers if cipher in _CIPHERS]
    return {
        "tls_minimum_protocol_version": _VERSIONS[policy.protocols[-1]],
        "tls_maximum_protocol_version": _VERSIONS[policy.protocols[0]],
        **({"cipher_suites": suites} if suites else {}),
        "ecdh_curves": [*([_POST_QUANTUM] if policy.is_post_quantum else []), *_GROUPS],
    }
