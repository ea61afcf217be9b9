"""Ports, networks and namespaces, tried from outside and from within."""

import asyncio
import re
import socket
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from engine.runtime.conftest import docker, waits
from engine_access import Work, when
from openecs.model.containers import Health
from openecs.model.task_definitions import (
    HealthCheck,
    HostEntry,
    NetworkMode,
    PortMapping,
    SystemControl,
)
from openecs.runtime.base import (
    CannotCreateNetwork,
    CannotStartContainer,
    NetworkSpec,
    PlaceLost,
    PortBinding,
)

SERVES = ("sh", "-c", "echo served > /index.html; exec httpd -f -p 8080 -h /")


def own_network() -> str:
    return str(Path("/proc/self/ns/net").readlink())


async def fetch(port: int, host: str = "127.0.0.1") -> str:
    """The body at a port, asked until the server is up."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await fetch_once(port, host)
            except OSError:
                await asyncio.sleep(0.02)


async def fetch_once(port: int, host: str) -> str:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(b"GET /index.html HTTP/1.0\r\n\r\n")
        answer = await reader.read()
    finally:
        writer.close()
    if not answer:
        raise ConnectionResetError("the engine's proxy answers before the server does")
    return answer.decode().rpartition("\r\n\r\n")[2].strip()


async def test_a_static_port(engine):
    mapping = PortMapping(container_port=8080, host_port=61_808)
    await engine.run(waits(command=SERVES, port_mappings=(mapping,)))
    assert await fetch(61_808) == "served"


async def test_a_dynamic_port(engine):
    task = await engine.run(
        waits(command=SERVES, port_mappings=(PortMapping(container_port=8080),))
    )
    port = (await task.observed()).ports[0]
    assert 49_153 <= port.host_port <= 65_535
    assert await fetch(port.host_port) == "served"


@contextmanager
def listening(*ports: int):
    """Sockets of the host, not of any container, that hold these ports."""
    with ExitStack() as stack:
        for port in ports:
            held = stack.enter_context(socket.socket())
            held.bind(("0.0.0.0", port))
            held.listen()
        yield


def candidates(first: int, last: int) -> PortBinding:
    return PortBinding(
        container_port=8080, protocol="tcp", host_port_first=first, host_port_last=last
    )


async def test_a_port_that_a_socket_of_the_host_has_is_passed_over(engine):
    with listening(61_500, 61_501, 61_502):
        name = await engine.start_with(candidates(61_500, 61_503))
    ports = (await engine.runtime.inspect(name)).ports
    assert [p.host_port for p in ports if p.host_ip == "0.0.0.0"] == [61_503]


async def test_a_block_goes_where_the_host_has_no_socket(engine):
    block = PortBinding(
        container_port=8080,
        protocol="tcp",
        count=2,
        host_port_first=61_520,
        host_port_last=61_524,
    )
    with listening(61_520, 61_521, 61_522):
        name = await engine.start_with(block)
    ports = (await engine.runtime.inspect(name)).ports
    assert sorted({p.host_port for p in ports}) == [61_523, 61_524]


async def test_a_static_port_that_a_socket_of_the_host_has_is_refused(engine):
    with (
        listening(61_510),
        pytest.raises(CannotStartContainer, match="address already in use"),
    ):
        await engine.start_with(candidates(61_510, 61_510))


async def test_a_range_of_ports_stays_in_one_piece(engine):
    mapping = PortMapping(container_port_range="8080-8089")
    single = PortMapping(container_port=7000)
    task = await engine.run(waits(command=SERVES, port_mappings=(single, mapping)))
    ports = {p.container_port: p.host_port for p in (await task.observed()).ports}
    assert [ports[p] - ports[8080] for p in range(8080, 8090)] == list(range(10))
    assert await fetch(ports[8080]) == "served"


async def test_a_restarted_container_keeps_answering(engine):
    task = await engine.run(
        waits(command=SERVES, port_mappings=(PortMapping(container_port=8080),))
    )
    await engine.runtime.remove(task.name())
    again = task.spec.containers["app"]
    await engine.runtime.create(again)
    await engine.runtime.start(again.name)
    assert await fetch((await task.observed()).ports[0].host_port) == "served"


async def test_links_and_hosts(engine):
    engine.unless_podman("no links")
    app = waits(
        "app",
        links=("db:database",),
        extra_hosts=(HostEntry(hostname="far", ip_address="10.9.8.7"),),
        dns_servers=("10.1.1.1",),
        dns_search_domains=("example.test",),
    )
    task = await engine.run(waits("db"), app)
    hosts = task.run("cat", "/etc/hosts")
    address = (await task.observed("db")).ip_address
    assert re.search(rf"^{re.escape(address)}\s.*database", hosts, re.MULTILINE)
    assert re.search(r"^10\.9\.8\.7\s+far", hosts, re.MULTILINE)
    resolver = task.run("cat", "/etc/resolv.conf")
    assert "nameserver 10.1.1.1" in resolver
    assert "search example.test" in resolver


async def test_awsvpc_containers_share_one_address(engine):
    control = SystemControl(namespace="net.core.somaxconn", value="321")
    task = await engine.run(
        waits("web", command=SERVES, port_mappings=(PortMapping(container_port=8080),)),
        waits("app", system_controls=(control,)),
        network_mode=NetworkMode.AWSVPC,
    )
    pause = await engine.runtime.inspect(task.spec.pause.name)
    assert pause.ip_address
    assert await fetch(8080, pause.ip_address) == "served"
    inside = task.run("wget", "-q", "-O", "-", "http://127.0.0.1:8080/index.html")
    assert inside == "served"
    assert task.run("cat", "/proc/sys/net/core/somaxconn", container="web") == "321"
    assert (await task.observed("web")).ports == ()


async def test_the_pause_container_stops_at_once(engine):
    engine.unless_podman("an owner of namespaces is removed last")
    task = await engine.run(waits(), network_mode=NetworkMode.AWSVPC)
    await engine.runtime.remove(task.spec.pause.name)
    assert await engine.runtime.inspect(task.spec.pause.name) is None


async def test_host_mode_is_the_hosts_network(engine):
    task = await engine.run(waits(), network_mode=NetworkMode.HOST)
    assert task.run("readlink", "/proc/1/ns/net") == own_network()


async def test_none_has_only_loopback(engine):
    task = await engine.run(waits(hostname="alone"), network_mode=NetworkMode.NONE)
    assert task.run("ls", "/sys/class/net").split() == ["lo"]
    assert task.run("hostname") == "alone"


async def test_sysctls(engine):
    control = SystemControl(namespace="net.ipv4.ip_unprivileged_port_start", value="42")
    task = await engine.run(waits(system_controls=(control,)))
    assert task.run("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start") == "42"


async def test_a_shared_pid_namespace_has_an_init(engine):
    task = await engine.run(waits("a"), waits("b"), pid_mode="task")
    assert task.run("readlink", "/proc/self/ns/pid", container="a") == task.run(
        "readlink", "/proc/self/ns/pid", container="b"
    )
    assert "init" in task.run("cat", "/proc/1/comm", container="a")
    assert "/pause" in task.run("ps", container="a")


async def test_a_shared_ipc_namespace(engine):
    control = SystemControl(namespace="kernel.msgmax", value="9999")
    task = await engine.run(waits("a", system_controls=(control,)), waits("b"), ipc_mode="task")
    assert task.run("readlink", "/proc/self/ns/ipc", container="a") == task.run(
        "readlink", "/proc/self/ns/ipc", container="b"
    )
    task.run("sh", "-c", "echo shared > /dev/shm/x", container="a")
    assert task.run("cat", "/dev/shm/x", container="b") == "shared"
    assert task.run("cat", "/proc/sys/kernel/msgmax", container="b") == "9999"


async def test_ipc_mode_none_has_no_shared_memory(engine):
    task = await engine.run(waits(), ipc_mode="none")
    assert "/dev/shm" not in task.run("cat", "/proc/mounts")


async def test_health(engine):
    check = HealthCheck(command=("CMD-SHELL", "test -f /well"), interval=1, retries=1)
    task = await engine.run(waits(command=Work.IS_WELL, health_check=check))
    name = task.name()
    await when(engine.runtime, name, lambda o: o.health is Health.HEALTHY)
    task.run("rm", "/well")
    await when(engine.runtime, name, lambda o: o.health is Health.UNHEALTHY)


async def test_a_network_has_the_addresses_that_are_given_out(engine):
    network = NetworkSpec(name=f"{engine.installation}-net", cidr="10.213.0.0/24")
    assert await engine.runtime.ensure_network(network) == set()
    assert await engine.runtime.ensure_network(network) == set()
    name = await engine.start_with(network_mode=network.name, ip_address="10.213.0.77")
    assert (await engine.runtime.inspect(name)).ip_address == "10.213.0.77"
    assert await engine.runtime.ensure_network(network) == {"10.213.0.77"}
    with pytest.raises(PlaceLost):
        await engine.start_with(name="late", network_mode=network.name, ip_address="10.213.0.77")
    await engine.runtime.remove_networks()
    assert await engine.runtime.ensure_network(network) == {"10.213.0.77"}
    await engine.runtime.remove(name)
    await engine.runtime.remove(f"{engine.installation}-late")
    await engine.runtime.remove_networks()
    assert docker("network", "ls", "--filter", f"name={network.name}", "-q") == ""


async def test_a_range_of_the_machines_own_is_refused(engine):
    network = NetworkSpec(name=f"{engine.installation}-net", cidr="172.17.0.0/20")
    with pytest.raises(CannotCreateNetwork, match="is a network of this machine"):
        await engine.runtime.ensure_network(network)
