"""The loopback address that a load balancer has for itself, so that all may have port 80."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from ipaddress import IPv4Address

#: 127.64.0.0/10: far from 127.0.0.1 and from what resolvers of a machine use (127.0.0.53).
_FIRST = int(IPv4Address("127.64.0.0"))
_SIZE = 1 << 22
_LAST_BYTE = 0xFF


def free_address(identifier: str, taken: Container[str]) -> str:
    """The address of what has this identifier, always the same unless it is taken.

    From there on the next free one; never one that ends in 0 or 255.
    """
    digest = hashlib.sha256(identifier.encode()).digest()
    start = int.from_bytes(digest[:8], "big") % _SIZE
    for step in range(_SIZE):
        number = _FIRST + (start + step) % _SIZE
        address = str(IPv4Address(number))
        if number & _LAST_BYTE not in {0, _LAST_BYTE} and address not in taken:
            return address
    raise ValueError("every loopback address is taken")
