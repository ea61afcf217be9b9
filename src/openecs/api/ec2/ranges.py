"""Address ranges of VPCs and subnets.

Amazon VPC User Guide, "VPC CIDR blocks": a /16 to a /28.
"""

from __future__ import annotations

import ipaddress

from openecs.api.base import ServiceError

Range = ipaddress.IPv4Network


def read(text: str, parameter: str = "cidrBlock") -> Range:
    """The range with its host bits cleared, as AWS does. Raises ``InvalidParameterValue``."""
    try:
        address, _, prefix = text.partition("/")
        return ipaddress.IPv4Network((address, int(prefix)), strict=False)
    except ValueError:
        message = f"Value ({text}) for parameter {parameter} is invalid."
        raise ServiceError(
            "InvalidParameterValue", f"{message} This is not a valid CIDR block."
        ) from None


def sized(text: str, code: str) -> Range:
    """The range. Raises ``code`` (``InvalidVpc.Range``) where it is too large or too small."""
    found = read(text)
    if not 16 <= found.prefixlen <= 28:
        raise ServiceError(code, f"The CIDR '{text}' is invalid.")
    return found


def read_ipv6(text: str) -> str:
    """An IPv6 range as AWS writes it. Raises ``InvalidParameterValue``."""
    try:
        return str(ipaddress.IPv6Network(text, strict=False))
    except ValueError:
        message = f"CIDR block {text} is malformed"
        raise ServiceError("InvalidParameterValue", message) from None
