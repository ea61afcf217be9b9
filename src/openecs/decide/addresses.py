"""Which address of a subnet a task gets.

Amazon VPC User Guide, "Subnet CIDR blocks": the first four and the last address are reserved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from ipaddress import ip_network

_RESERVED_FIRST, _RESERVED = 4, 5


def free_address(cidr: str, taken: Collection[str], seed: str) -> str | None:
    """An address of the subnet that is not ``taken``, None where all are.

    Where to begin follows from ``seed``, so that two chosen at once are seldom the same.
    """
    network = ip_network(cidr)
    count = max(network.num_addresses - _RESERVED, 0)
    begin = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
    numbers = (_RESERVED_FIRST + (begin + step) % count for step in range(count))
    addresses = (str(network[number]) for number in numbers)
    return next((address for address in addresses if address not in taken), None)
