import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs.runtime.base import CannotCreateContainer, ContainerSpec, PortBinding
from openecs.runtime.ports import is_open, settled


def spec(*ports, name="a"):
    return ContainerSpec(name=name, image="busybox", labels={}, ports=ports)


def block(count, first=50_000, last=50_019, container_port=80):
    return PortBinding(
        container_port=container_port,
        protocol="tcp",
        host_port_first=first,
        host_port_last=last,
        count=count,
    )


def test_single_ports_are_left_to_the_engine():
    single = spec(block(1))
    assert not is_open(single)
    assert settled(single, set()) == single


def test_single_ports_for_an_engine_that_takes_no_candidates():
    single = spec(block(1, 50_000, 50_001))
    assert is_open(single, every_choice=True)
    made = settled(single, {(50_000, "tcp")}, every_choice=True)
    assert (made.ports[0].host_port_first, made.ports[0].host_port_last) == (50_001, 50_001)
    static = spec(block(1, 50_000, 50_000))
    assert settled(static, {(50_000, "tcp")}, every_choice=True) == static


def test_the_only_block_there_is():
    taken = {(port, "tcp") for port in range(50_000, 50_020)} - {
        (port, "tcp") for port in range(50_010, 50_013)
    }
    made = settled(spec(block(3)), taken | {(50_011, "udp")})
    assert [(p.container_port, p.host_port_first, p.host_port_last) for p in made.ports] == [
        (80, 50_010, 50_010),
        (81, 50_011, 50_011),
        (82, 50_012, 50_012),
    ]


@pytest.mark.parametrize("count", [21, 11])
def test_no_block(count):
    taken = {(50_010, "tcp")}
    with pytest.raises(CannotCreateContainer, match=f"{count} consecutive"):
        settled(spec(block(count)), taken)


def test_exposed_blocks_stay_unpublished():
    made = settled(spec(block(2, 0, 0)), set())
    assert [(p.container_port, p.host_port_first) for p in made.ports] == [(80, 0), (81, 0)]


@given(
    st.sets(st.integers(50_000, 50_019), max_size=6),
    st.integers(2, 4),
    st.text(max_size=5),
)
def test_blocks_are_free_in_one_piece_and_do_not_meet(taken, count, name):
    given_ports = spec(block(count), block(2, container_port=200), name=name)
    try:
        made = settled(given_ports, {(p, "tcp") for p in taken})
    except CannotCreateContainer:
        return
    hosts = [p.host_port_first for p in made.ports]
    assert hosts[:count] == list(range(hosts[0], hosts[0] + count))
    assert hosts[count:] == [hosts[count], hosts[count] + 1]
    assert len(set(hosts)) == len(hosts)
    assert not set(hosts) & taken
    assert all(50_000 <= h <= 50_019 for h in hosts)
