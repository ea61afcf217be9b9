"""What is otherwise on Podman: done in another way, or refused in words that say so."""

import socket
import uuid

import pytest

from contract.runtime.conftest import World
from engine_access import Work, clean, docker_runtime
from openecs.model.containers import ContainerState
from openecs.runtime.base import CannotCreateContainer, CannotStartContainer, PortBinding

pytestmark = pytest.mark.engine


@pytest.fixture
async def podman(podman_host):
    made = World(await docker_runtime(podman_host), f"podman-{uuid.uuid4().hex[:10]}")
    yield made
    await clean(made.runtime, made.installation)
    await made.runtime.close()


@pytest.fixture
def held_port():
    """A port that a socket of the host listens on."""
    with socket.socket() as held:
        held.bind(("0.0.0.0", 0))
        held.listen()
        yield held.getsockname()[1]


def candidates(first: int, last: int) -> PortBinding:
    return PortBinding(
        container_port=80, protocol="tcp", host_port_first=first, host_port_last=last
    )


async def test_links_are_refused(podman):
    await podman.started("db")
    with pytest.raises(CannotCreateContainer, match="link is not supported"):
        await podman.runtime.create(podman.spec("app", links=(f"{podman.name('db')}:db",)))


@pytest.mark.parametrize("driver", ["local", "syslog", "gelf", "fluentd", "awslogs"])
async def test_log_drivers_it_does_not_have_are_refused(podman, driver):
    with pytest.raises(CannotCreateContainer, match="invalid log driver"):
        await podman.runtime.create(podman.spec(log_driver=driver))


async def test_the_next_candidate_where_a_socket_of_the_host_has_the_port(podman, held_port):
    choice = candidates(held_port, held_port + 1)
    for name in ("a", "b", "c", "d"):
        container = await podman.started(name, ports=(choice,))
        ports = (await podman.runtime.inspect(container)).ports
        assert [(p.host_ip, p.host_port) for p in ports] == [("0.0.0.0", held_port + 1)]
        await podman.runtime.remove(container)


async def test_a_single_port_that_a_socket_of_the_host_has_is_refused(podman, held_port):
    with pytest.raises(CannotStartContainer, match="address already in use"):
        await podman.started(ports=(candidates(held_port, held_port),))


async def test_the_owner_of_a_network_goes_with_the_last_that_joined_it(podman):
    runtime = podman.runtime
    owner = await podman.started("owner")
    joined = await podman.started("joined", network_mode=f"container:{owner}")
    await runtime.remove(owner)
    assert (await runtime.inspect(owner)).state is ContainerState.EXITED
    assert (await runtime.inspect(joined)).state is ContainerState.RUNNING
    await runtime.remove(joined)
    assert await runtime.inspect(owner) is None


async def test_an_owner_that_does_not_run_is_not_started_with_what_joins_it(podman):
    owner = podman.spec("owner")
    await podman.runtime.create(owner)
    with pytest.raises(CannotStartContainer, match="non running container"):
        await podman.started("joined", network_mode=f"container:{owner.name}")
    assert (await podman.runtime.inspect(owner.name)).state is ContainerState.CREATED


async def test_why_a_start_failed_is_forgotten_when_it_runs(podman):
    with pytest.raises(CannotStartContainer):
        await podman.started(command=Work.NO_PROGRAM)
    assert "/no/such/program" in (await podman.runtime.inspect(podman.name("a"))).error
    await podman.runtime.remove(podman.name("a"))
    assert (await podman.runtime.inspect(await podman.started())).error == ""
