"""What OpenECS's load balancers are measured against, and the targets behind all of them.

An Envoy written down by hand that does what an Application Load Balancer promises, an HAProxy with
as many threads, and targets that answer at once: another Envoy, so that they are never the limit.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_ENVOY = str(Path(sys.executable).with_name("envoy"))
_TYPES = "type.googleapis.com/envoy.extensions.filters"
_MANAGER = f"{_TYPES}.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = {
    "name": "envoy.filters.http.router",
    "typed_config": {"@type": f"{_TYPES}.http.router.v3.Router"},
}
#: AWS's trace of a request: its time and 96 random bits in hexadecimal, which only a program makes.
_TRACER = """
math.randomseed(os.time())
function envoy_on_request(handle)
  local headers = handle:headers()
  if not headers:get("x-amzn-trace-id") then
    headers:replace("x-amzn-trace-id", string.format("Root=1-%08x-%08x%08x%08x", os.time(),
      math.random(0, 2^32 - 1), math.random(0, 2^32 - 1), math.random(0, 2^32 - 1)))
  end
end
"""
_TRACES = {
    "name": "envoy.filters.http.lua",
    "typed_config": {
        "@type": f"{_TYPES}.http.lua.v3.Lua",
        "default_source_code": {"inline_string": _TRACER},
    },
}
_LOCAL = {"direct_remote_ip": {"address_prefix": "127.0.0.0", "prefix_len": 8}}
_SECURITY_GROUP = {
    "name": "envoy.filters.http.rbac",
    "typed_config": {
        "@type": f"{_TYPES}.http.rbac.v3.RBAC",
        "rules": {"policies": {"in": {"permissions": [{"any": True}], "principals": [_LOCAL]}}},
    },
}
READY_WITHIN = 30.0


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@contextmanager
def targets(ports: Sequence[int]) -> Iterator[None]:
    """Targets on all addresses; each answers at once with its port."""
    with _envoy([_target(port) for port in ports], [], threads=1):
        _wait_open(ports)
        yield


@contextmanager
def envoy(
    port: int, targets: Sequence[int], threads: int, *, traces: bool = True
) -> Iterator[None]:
    """Envoy in front of targets, as an Application Load Balancer would be (but for traces)."""
    listener = _balancer(port, traces=traces)
    with _envoy([listener], [_cluster(targets)], threads=threads):
        _wait_open([port])
        yield


@contextmanager
def haproxy(port: int, targets: Sequence[int], threads: int) -> Iterator[None]:
    """Debian's HAProxy in front of targets, with the headers and time limits of the others."""
    program = shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/usr/bin")
    if program is None:
        raise RuntimeError("haproxy is not installed: apt-get install haproxy")
    lines = [
        "global",
        f"  nbthread {threads}",
        "defaults",
        "  mode http",
        "  option forwardfor",
        "  http-reuse always",
        "  timeout connect 10s",
        "  timeout client 60s",
        "  timeout server 60s",
        "frontend front",
        f"  bind 127.0.0.1:{port}",
        "  unique-id-format Root=1-%Ts-%{+X}o%ci%cp%rt",
        "  unique-id-header X-Amzn-Trace-Id",
        "  http-request set-header X-Forwarded-Proto http",
        f"  http-request set-header X-Forwarded-Port {port}",
        "  default_backend targets",
        "backend targets",
        "  balance roundrobin",
        *(f"  server t{each} 127.0.0.1:{each}" for each in targets),
    ]
    with _running(["{program}", "-db", "-f", "{file}"], program, "\n".join([*lines, ""])):
        _wait_open([port])
        yield


@contextmanager
def _envoy(listeners: list[Json], clusters: list[Json], *, threads: int) -> Iterator[None]:
    config = {"static_resources": {"listeners": listeners, "clusters": clusters}}
    command = ["{program}", "-c", "{file}", "--concurrency", str(threads), "-l", "error"]
    command += ["--use-dynamic-base-id"]
    with _running(command, _ENVOY, json.dumps(config)):
        yield


@contextmanager
def _running(command: list[str], program: str, config: str) -> Iterator[None]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(config)
        file.flush()
        words = [word.format(program=program, file=file.name) for word in command]
        process = subprocess.Popen(words)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _target(port: int) -> Json:
    answer = {"status": 200, "body": {"inline_string": str(port)}}
    return _listener("0.0.0.0", port, {"match": {"prefix": "/"}, "direct_response": answer}, {})


def _balancer(port: int, *, traces: bool) -> Json:
    """Client address, protocol and port for the target, a trace, AWS's time limits and statuses.

    Only clients of a security group are let in; a target that has just died costs no request.
    """
    route = {
        "match": {"prefix": "/"},
        "route": {
            "cluster": "targets",
            "timeout": "0s",
            "idle_timeout": "60s",
            "retry_policy": {"retry_on": "connect-failure,refused-stream,reset", "num_retries": 2},
        },
        "request_headers_to_add": [_header("X-Forwarded-Port", str(port))],
    }
    more = {
        "http_filters": [_SECURITY_GROUP, *([_TRACES] if traces else []), _ROUTER],
        "generate_request_id": False,
        "use_remote_address": True,
        "server_header_transformation": "PASS_THROUGH",
        "max_request_headers_kb": 64,
        "common_http_protocol_options": {"idle_timeout": "60s"},
        "local_reply_config": {"mappers": [_as_502()]},
    }
    return _listener("127.0.0.1", port, route, more)


def _as_502() -> Json:
    return {
        "filter": {"response_flag_filter": {"flags": ["UF", "UC", "UPE"]}},
        "status_code": 502,
    }


def _header(name: str, value: str) -> Json:
    return {
        "header": {"key": name, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _listener(address: str, port: int, route: Json, more: Json) -> Json:
    host = {"name": "all", "domains": ["*"], "routes": [route]}
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "http",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [_ROUTER],
        **more,
    }
    chain = {
        "filters": [
            {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
        ]
    }
    return {"address": _socket(address, port), "filter_chains": [chain]}


def _cluster(ports: Sequence[int]) -> Json:
    endpoints = [{"endpoint": {"address": _socket("127.0.0.1", port)}} for port in ports]
    return {
        "name": "targets",
        "type": "STATIC",
        "lb_policy": "ROUND_ROBIN",
        "connect_timeout": "10s",
        "load_assignment": {
            "cluster_name": "targets",
            "endpoints": [{"lb_endpoints": endpoints}],
        },
    }


def _socket(address: str, port: int) -> Json:
    return {"socket_address": {"address": address, "port_value": port}}


def _wait_open(ports: Sequence[int]) -> None:
    deadline = time.monotonic() + READY_WITHIN
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
