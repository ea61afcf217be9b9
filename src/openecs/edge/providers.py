"""Identity providers as Envoy's clusters."""

from __future__ import annotations

import ipaddress
import os
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from openecs.model.load_balancing import Action

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_TLS = f"{_TYPE}.extensions.transport_sockets.tls.v3.UpstreamTlsContext"


#: Where Linux distributions keep the certificates of public authorities.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


def known_authorities() -> str | None:
    """The file of the authorities that this machine trusts, ``SSL_CERT_FILE`` before others."""
    named = os.environ.get("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, *_BUNDLES
    return next((each for each in named if each and Path(each).is_file()), None)


def endpoints(action: Action) -> list[str]:
    """What Envoy itself asks for the sake of an action."""
    if action.oidc:
        return [action.oidc.token_endpoint]
    return [action.jwt.jwks_endpoint] if action.jwt else []


def provider_name(endpoint: str) -> str:
    """The name of the cluster of an endpoint."""
    parts = urlsplit(endpoint)
    return f"provider {parts.scheme}://{parts.hostname}:{_port(parts)}"


def provider(endpoint: str, authorities: str) -> Resource:
    """The cluster of an endpoint; ``authorities`` is the file of those that are trusted."""
    parts = urlsplit(endpoint)
    name = provider_name(endpoint)
    place = {"address": parts.hostname, "port_value": _port(parts)}
    made: Resource = {
        "@type": f"{_TYPE}.config.cluster.v3.Cluster",
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": place}}}]}],
        },
    }
    if parts.scheme == "https":
        made["transport_socket"] = _secured(parts.hostname or "", authorities)
    return made


def _secured(host: str, authorities: str) -> Resource:
    kind, named = ("IP_ADDRESS", {}) if _is_address(host) else ("DNS", {"sni": host})
    known = {"san_type": kind, "matcher": {"exact": host}}
    validation = {"trusted_ca": {"filename": authorities}, "match_typed_subject_alt_names": [known]}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": _TLS,
            **named,
            "common_tls_context": {"validation_context": validation},
        },
    }


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)
