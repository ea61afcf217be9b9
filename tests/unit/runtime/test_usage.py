"""What the kernel and the engine tell of a container's use, read from their own words."""

import pytest

from openecs.model.containers import ContainerUsage
from openecs.runtime.docker import usage

NET = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo
    lo:     999       2    0    0    0     0          0         0      999       0    0    0
  eth0:     200       2    0    0    0     0          0         0       70       0    0    0
"""
READ = ContainerUsage(cpu=5000, memory=700, received=200, sent=70, read=11, written=22)


def written(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def proc(tmp_path):
    written(tmp_path / "proc", {"7/net/dev": NET})
    return tmp_path / "proc"


def test_version_1_has_a_tree_for_each_controller(proc, tmp_path):
    controllers = ("9:name=systemd", "5:blkio", "4:memory", "1:cpu,cpuacct", "0:")
    written(proc, {"7/cgroup": "".join(f"{each}:/docker/a\n" for each in controllers)})
    written(
        tmp_path / "cgroup",
        {
            "cpuacct/docker/a/cpuacct.usage": "5000\n",
            "memory/docker/a/memory.usage_in_bytes": "1000\n",
            "memory/docker/a/memory.stat": "cache 9\ntotal_inactive_file 300\n",
            "blkio/docker/a/blkio.throttle.io_service_bytes": (
                "8:0 Read 10\n8:0 Write 20\n8:16 Read 1\n8:16 Write 2\nTotal 33\n"
            ),
        },
    )
    place = usage.place_of(7, proc, tmp_path / "cgroup")
    assert usage.read(place, proc) == READ


def test_version_2_has_one_tree(proc, tmp_path):
    written(proc, {"7/cgroup": "0::/system.slice/docker-a.scope\n"})
    written(
        tmp_path / "cgroup/system.slice/docker-a.scope",
        {
            "cpu.stat": "usage_usec 5\nuser_usec 4\n",
            "memory.current": "1000\n",
            "memory.stat": "anon 5\ninactive_file 300\n",
            "io.stat": "8:0 rbytes=10 wbytes=20 rios=1 wios=1\n8:16 rbytes=1 wbytes=2\n",
        },
    )
    place = usage.place_of(7, proc, tmp_path / "cgroup")
    assert usage.read(place, proc) == READ


def test_a_container_that_has_ended_uses_nothing(proc, tmp_path):
    assert usage.place_of(8, proc, tmp_path) is None
    written(proc, {"7/cgroup": "0::/gone\n"})
    assert usage.read(usage.place_of(7, proc, tmp_path), proc) is None


def test_a_kernel_that_counts_no_storage(proc, tmp_path):
    written(proc, {"7/cgroup": "0::/a\n"})
    files = {"cpu.stat": "usage_usec 5\n", "memory.current": "1000\n", "memory.stat": "anon 1\n"}
    written(tmp_path / "a", files)
    found = usage.read(usage.place_of(7, proc, tmp_path), proc)
    assert (found.read, found.written) == (0, 0)


def test_what_an_engine_elsewhere_tells():
    told = {
        "cpu_stats": {"cpu_usage": {"total_usage": 5000}},
        "memory_stats": {"usage": 1000, "stats": {"total_inactive_file": 300}},
        "networks": {
            "eth0": {"rx_bytes": 150, "tx_bytes": 60},
            "eth1": {"rx_bytes": 50, "tx_bytes": 10},
        },
        "blkio_stats": {
            "io_service_bytes_recursive": [
                {"op": "Read", "value": 11},
                {"op": "Write", "value": 22},
                {"op": "Total", "value": 33},
            ]
        },
    }
    assert usage.from_engine(told) == READ
    assert usage.from_engine({"memory_stats": {}}) is None
