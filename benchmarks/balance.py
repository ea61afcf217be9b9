"""Load balancers: requests a second, how soon changes take effect, and what a change costs.

OpenECS's load balancer, an Envoy configured by hand with the same features and HAProxy take turns
in front of the same targets, as many threads each; the ratios told are the medians of the rounds'.
Then targets are registered and deregistered under steady traffic; and among 1,000 targets in 100
groups one is, to see what that costs in CPU, the data plane included.

    python -m benchmarks.balance [--rounds 5] [--seconds 5]
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil

from benchmarks import balancers, load, servers

CONNECTIONS = 32
#: Behind each of the balancers that are compared.
TARGETS = 4
GROUPS, GROUP_SIZE = 100, 10
CHANGES = 20
WITHIN = 60.0
LOOK_EVERY = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """Something that balances, at a port; ``host`` is what requests are to name."""

    name: str
    port: int
    host: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with servers.data_directory() as data, servers.openecs(data, "--log-level=error") as server:
        world = World(server)
        _compare(world, given.rounds, given.seconds)
        _change_under_traffic(world, given.rounds)
        _cost_of_changes(world)


class World:
    """Load balancers, groups and targets by the public API."""

    def __init__(self, server: servers.Server) -> None:
        self.server = server
        self.elb = server.client("elbv2")
        subnets = server.client("ec2").describe_subnets()["Subnets"]
        self.subnets = [each["SubnetId"] for each in subnets[:2]]
        self.vpc = subnets[0]["VpcId"]

    @contextmanager
    def balancer(self, name: str, ports: Sequence[int]) -> Iterator[tuple[Balancer, str]]:
        """A load balancer in front of a group of targets that are healthy; the group's ARN."""
        group = self.group(name)
        arn, host = self._load_balancer(name)
        (port,) = balancers.free_ports(1)
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        self.elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=forward
        )
        self.register(group, ports)
        _until(lambda: self.states(group) == dict.fromkeys(ports, "healthy"))
        found = Balancer(name="openecs", port=port, host=f"{host}:{port}")
        _until(lambda: _body(found).isdigit())
        try:
            yield found, group
        finally:
            self.elb.delete_load_balancer(LoadBalancerArn=arn)

    def group(self, name: str) -> str:
        """A target group whose targets are checked seldom and withdrawn at once."""
        made = self.elb.create_target_group(
            Name=name,
            Protocol="HTTP",
            Port=80,
            VpcId=self.vpc,
            TargetType="ip",
            HealthCheckIntervalSeconds=300,
        )
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "1"}
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
        return arn

    def register(self, group: str, ports: Sequence[int]) -> None:
        """Register targets of this machine."""
        self.elb.register_targets(TargetGroupArn=group, Targets=_named(ports))

    def deregister(self, group: str, ports: Sequence[int]) -> None:
        """Deregister targets of this machine."""
        self.elb.deregister_targets(TargetGroupArn=group, Targets=_named(ports))

    def states(self, group: str) -> dict[int, str]:
        """The states of a group's targets by port."""
        found = self.elb.describe_target_health(TargetGroupArn=group)
        return {
            each["Target"]["Port"]: each["TargetHealth"]["State"]
            for each in found["TargetHealthDescriptions"]
        }

    def many_groups(self, ports: Sequence[int]) -> str:
        """100 groups of 10 targets behind the rules of one listener; the ARN of the first."""
        arn, _ = self._load_balancer("many")
        groups = [self.group(f"many-{number}") for number in range(GROUPS)]
        for group in groups:
            self.register(group, ports)
        forward = [{"Type": "forward", "TargetGroupArn": groups[0]}]
        (port,) = balancers.free_ports(1)
        listener = self.elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=port, DefaultActions=forward
        )["Listeners"][0]["ListenerArn"]
        for number, group in enumerate(groups[1:], 1):
            self.elb.create_rule(
                ListenerArn=listener,
                Priority=number,
                Conditions=[{"Field": "path-pattern", "Values": [f"/{number}/*"]}],
                Actions=[{"Type": "forward", "TargetGroupArn": group}],
            )
        for group in groups:
            _until(lambda g=group: set(self.states(g).values()) == {"healthy"})
        return groups[0]

    def _load_balancer(self, name: str) -> tuple[str, str]:
        made = self.elb.create_load_balancer(Name=name, Subnets=self.subnets)["LoadBalancers"][0]
        return made["LoadBalancerArn"], made["DNSName"]


def _compare(world: World, rounds: int, seconds: float) -> None:
    ports = balancers.free_ports(TARGETS)
    envoy, plain, haproxy = balancers.free_ports(3)
    with balancers.targets(ports), world.balancer("compared", ports) as (ours, _):
        threads = _threads(world.server.pid)
        with (
            balancers.envoy(envoy, ports, threads),
            balancers.envoy(plain, ports, threads, traces=False),
            balancers.haproxy(haproxy, ports, threads),
        ):
            compared = [
                ours,
                Balancer(name="envoy", port=envoy, host=ours.host),
                Balancer(name="envoy without traces", port=plain, host=ours.host),
                Balancer(name="haproxy", port=haproxy, host=ours.host),
            ]
            print(f"{threads} threads each, {CONNECTIONS} connections")
            _tell(compared, [_round(compared, seconds, number) for number in range(rounds)])


def _round(compared: Sequence[Balancer], seconds: float, number: int) -> dict[str, load.Outcome]:
    """Each once, another one first every time."""
    first = number % len(compared)
    turns = [*compared[first:], *compared[:first]]
    return {each.name: _load(each, seconds) for each in turns}


def _load(balancer: Balancer, seconds: float) -> load.Outcome:
    requests = [_request(balancer)] * CONNECTIONS
    outcome = load.run(balancer.port, requests, connections=CONNECTIONS, seconds=seconds)
    if outcome.refused:
        raise RuntimeError(f"{balancer.name}: {outcome.refused} requests were not answered 200")
    return outcome


def _tell(compared: Sequence[Balancer], rounds: Sequence[dict[str, load.Outcome]]) -> None:
    for name in (each.name for each in compared):
        rate = statistics.median(each[name].rate for each in rounds)
        slowest = statistics.median(each[name].percentile(99) for each in rounds)
        print(f"{name}: {rate:.0f} requests/s, p99 {1000 * slowest:.1f} ms")
    for peer in (each.name for each in compared[1:]):
        rate = statistics.median(each["openecs"].rate / each[peer].rate for each in rounds)
        p99 = statistics.median(
            each["openecs"].percentile(99) / each[peer].percentile(99) for each in rounds
        )
        print(f"against {peer}: requests/s {rate:.2f}, p99 {p99:.2f}", flush=True)


def _change_under_traffic(world: World, rounds: int) -> None:
    """How soon a target that is healthy is used, and one that is deregistered no longer."""
    stays, changes = balancers.free_ports(2)
    begins, ends = [], []
    with (
        balancers.targets([stays, changes]),
        world.balancer("changed", [stays]) as (balancer, group),
        _asking(balancer) as asked,
    ):
        for _ in range(rounds):
            begins.append(_begin(world, group, changes, asked))
            ends.append(_end(world, group, changes, asked))
    registered, healthy = (statistics.median(each) for each in zip(*begins, strict=True))
    print(
        f"registered: served {1000 * registered:.0f} ms after the answer, "
        f"{1000 * healthy:.0f} ms after it was said to be healthy"
    )
    last = max(0.0, statistics.median(ends))
    print(f"deregistered: last new connection {1000 * last:.0f} ms after the answer", flush=True)


@dataclass(frozen=True, slots=True)
class _Asked:
    """When requests, each on a connection of its own, were sent and which target answered."""

    answers: list[tuple[float, int]]

    def times(self, port: int, after: float) -> list[float]:
        """When those were sent that this target answered, since a moment."""
        return [sent for sent, by in self.answers[:] if by == port and sent >= after]


@contextmanager
def _asking(balancer: Balancer) -> Iterator[_Asked]:
    """Requests one after the other until the block ends."""
    asked, stop = _Asked([]), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            sent = time.perf_counter()
            body = _body(balancer)
            if body.isdigit():
                asked.answers.append((sent, int(body)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join()


def _begin(world: World, group: str, port: int, asked: _Asked) -> tuple[float, float]:
    begun = time.perf_counter()
    world.register(group, [port])
    registered = time.perf_counter()
    _until(lambda: world.states(group).get(port) == "healthy")
    healthy = time.perf_counter()
    _until(lambda: bool(asked.times(port, begun)))
    served = asked.times(port, begun)[0]
    return max(served - registered, 0.0), max(served - healthy, 0.0)


def _end(world: World, group: str, port: int, asked: _Asked) -> float:
    begun = time.perf_counter()
    world.deregister(group, [port])
    answered = time.perf_counter()
    _until(lambda: port not in world.states(group))
    return max((*asked.times(port, begun), answered)) - answered


def _cost_of_changes(world: World) -> None:
    """CPU of one target registered and one deregistered among 1,000, over that of doing nothing."""
    *ports, more = balancers.free_ports(GROUP_SIZE + 1)
    with balancers.targets([*ports, more]):
        group = world.many_groups(ports)

        def change() -> None:
            world.register(group, [more])
            _until(lambda: world.states(group).get(more) == "healthy", every=0.1)
            world.deregister(group, [more])
            _until(lambda: more not in world.states(group), every=0.1)

        used, seconds = _cpu(world.server.pid, lambda: [change() for _ in range(CHANGES)])
        idle, _ = _cpu(world.server.pid, lambda: time.sleep(seconds))
    each = (used - idle) / (2 * CHANGES)
    print(
        f"one change among {GROUPS * GROUP_SIZE} targets in {GROUPS} groups: "
        f"{1000 * each:.1f} ms of CPU (the calls that make it and wait for it included)"
    )


def _cpu(pid: int, work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU of the server and its data plane meanwhile, and how long it took."""
    begun, before = time.perf_counter(), _used(pid)
    work()
    return _used(pid) - before, time.perf_counter() - begun


def _used(pid: int) -> float:
    times = [each.cpu_times() for each in _family(pid)]
    return float(sum(each.user + each.system for each in times))


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _threads(pid: int) -> int:
    """How many workers the data plane has: what Envoy was told, or one for each core."""
    for process in _family(pid):
        words = process.cmdline()
        if "--concurrency" in words:
            return int(words[words.index("--concurrency") + 1])
    return os.cpu_count() or 1


def _named(ports: Sequence[int]) -> list[dict[str, Any]]:
    return [{"Id": "127.0.0.1", "Port": port} for port in ports]


def _request(balancer: Balancer) -> bytes:
    return f"GET / HTTP/1.1\r\nHost: {balancer.host}\r\n\r\n".encode()


def _body(balancer: Balancer) -> str:
    """What one request on a connection of its own is answered, nothing where it is not."""
    connection = http.client.HTTPConnection("127.0.0.1", balancer.port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Host": balancer.host})
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def _until(is_so: Callable[[], bool], every: float = LOOK_EVERY) -> None:
    deadline = time.monotonic() + WITHIN
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError("what was waited for did not happen")
        time.sleep(every)


if __name__ == "__main__":
    main()
