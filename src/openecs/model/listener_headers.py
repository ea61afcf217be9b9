"""Headers that attributes of HTTP and HTTPS listeners are about.

User Guide for Application Load Balancers, "HTTP header modification".
"""

from __future__ import annotations

from collections.abc import Mapping


def _key(part: str, header: str, what: str) -> str:
    return f"routing.http.{part}.{header.lower().replace('-', '_')}.{what}"


#: Whether answers of the load balancer's own say who made them.
SERVER = "routing.http.response.server.enabled"

#: Attributes of HTTPS listeners that rename what targets are told, and the names unless set.
TOLD: Mapping[str, str] = {
    _key("request", name, "header_name"): name
    for name in (
        "X-Amzn-Mtls-Clientcert-Serial-Number",
        "X-Amzn-Mtls-Clientcert-Issuer",
        "X-Amzn-Mtls-Clientcert-Subject",
        "X-Amzn-Mtls-Clientcert-Validity",
        "X-Amzn-Mtls-Clientcert-Leaf",
        "X-Amzn-Mtls-Clientcert",
        "X-Amzn-Tls-Version",
        "X-Amzn-Tls-Cipher-Suite",
    )
}

#: Attributes with the values of headers that all answers get, and the names of these.
ANSWERED: Mapping[str, str] = {
    _key("response", name, "header_value"): name
    for name in (
        "Strict-Transport-Security",
        "Access-Control-Allow-Origin",
        "Access-Control-Allow-Methods",
        "Access-Control-Allow-Headers",
        "Access-Control-Allow-Credentials",
        "Access-Control-Expose-Headers",
        "Access-Control-Max-Age",
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "X-Frame-Options",
    )
}


def told_as(attributes: Mapping[str, str]) -> Mapping[str, str]:
    """The header names that targets see instead of the usual ones, by these in lower case."""
    return {name.lower(): attributes.get(key, name).lower() for key, name in TOLD.items()}
