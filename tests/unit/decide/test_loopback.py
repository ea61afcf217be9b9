from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st

from openecs.decide.loopback import free_address


@given(identifier=st.text(max_size=20))
def test_an_address_is_in_the_range_and_the_same_every_time(identifier: str) -> None:
    address = free_address(identifier, ())
    assert ip_address(address) in ip_network("127.64.0.0/10")
    assert address.rpartition(".")[2] not in {"0", "255"}
    assert address == free_address(identifier, ())


@given(identifier=st.text(max_size=20), count=st.integers(1, 40))
def test_taken_addresses_are_passed_over(identifier: str, count: int) -> None:
    taken: set[str] = set()
    for _ in range(count):
        taken.add(free_address(identifier, taken))
    assert len(taken) == count
