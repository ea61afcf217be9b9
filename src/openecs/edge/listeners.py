"""Listeners of load balancers as Envoy's.

Every listener has its load balancer's own loopback address. Besides, all listeners of a port share
a door at the installation's address: there the name that is asked for tells whose request it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openecs.edge import (
    access_logs,
    admission,
    answers,
    authentication,
    client_certificates,
    clients,
    connection_logs,
    connections,
    counters,
    datagrams,
    headers,
    stickiness,
    tls,
    tokens,
    transforms,
)
from openecs.edge.clients import ADDRESS, CLIENT
from openecs.edge.datagrams import Flow
from openecs.edge.files import source_of
from openecs.model.certificates import KeyPair
from openecs.model.listener_headers import told_as
from openecs.model.load_balancing import (
    Action,
    Listener,
    LoadBalancer,
    Rule,
    WeightedTargetGroup,
)
from openecs.model.trust_stores import TrustStore

Resource = dict[str, Any]

_TYPE = "type.googleapis.com/envoy"
_FILTERS = f"{_TYPE}.extensions.filters"

#: Limits of application load balancers: kilobytes of request headers.
_HEADERS_KB = 64

_OVERWRITE = "OVERWRITE_IF_EXISTS_OR_ADD"
#: By their usual names.
_TLS_HEADERS = {
    "x-amzn-tls-version": "%DOWNSTREAM_TLS_VERSION%",
    "x-amzn-tls-cipher-suite": "%DOWNSTREAM_TLS_CIPHER%",
}

#: What Envoy tells of every client that it does not trust.
_EXTERNAL = "x-envoy-external-address"
_NOBODY = {"address_prefix": "255.255.255.255", "prefix_len": 32}

#: Each of Envoy's workers runs a program of its own, whose dice would all fall alike.
_TRACE = """
local noise = io.open("/dev/urandom", "rb")
local seed = 0
for _, byte in ipairs({string.byte(noise:read(6), 1, 6)}) do seed = seed * 256 + byte end
noise:close()
math.randomseed(seed)

local function trace(handle)
  local headers = handle:headers()
  local known = headers:get("x-amzn-trace-id")
  local made = string.format("1-%08x-%08x%08x%08x", os.time(), math.random(0, 2^32 - 1),
    math.random(0, 2^32 - 1), math.random(0, 2^32 - 1))
  if known and string.find(known, "Root=", 1, true) then
    if not string.find(known, "Self=", 1, true) then
      headers:replace("x-amzn-trace-id", "Self=" .. made .. ";" .. known)
    end
  else
    headers:replace("x-amzn-trace-id", "Root=" .. made)
  end
end
"""

#: The program of routes that have none of their own: every line of it costs every request.
_PROGRAM = f"""{_TRACE}
function envoy_on_request(handle)
  trace(handle)
end
"""
_PROGRAMS = {
    transforms.PROGRAM: _TRACE + transforms.SOURCE,
    stickiness.PROGRAM: _TRACE + transforms.REWRITE + stickiness.SOURCE,
}

TCP, UDP = "TCP", "UDP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """A listener with its load balancer and the certificates it shows."""

    balancer: LoadBalancer
    listener: Listener
    key_pairs: tuple[KeyPair, ...] = ()
    #: What clients are verified by.
    trust_store: TrustStore | None = None
    #: Whether network load balancers stand before it.
    is_fronted: bool = False
    #: Whether clients stay with the targets of a group.
    is_sticky: bool = False
    rules: tuple[Rule, ...] = ()
    #: The blocks of addresses whose clients may come to its doors, by transport; None: all.
    admitted: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    @property
    def actions(self) -> list[Action]:
        """What is done with some request."""
        every = (self.listener.default_actions, *(rule.actions for rule in self.rules))
        return [action for actions in every for action in actions]

    @property
    def hosts(self) -> list[str]:
        """The hosts that rules are for, as a handshake may name them: none with wildcards."""
        conditions = (each for rule in self.rules for each in rule.conditions)
        named = (v for each in conditions if each.field == "host-header" for v in each.values)
        return list(dict.fromkeys(v.lower() for v in named if not set(v) & set("*?")))

    @property
    def names(self) -> list[str]:
        """The hosts that requests at the door name when they mean it."""
        return [self.balancer.dns_name, f"{self.balancer.dns_name}:*"]

    @property
    def weighted(self) -> list[WeightedTargetGroup]:
        """The target groups that get some of what comes."""
        forward = self.listener.default_actions[0].forward
        return [group for group in forward.target_groups if group.weight] if forward else []

    @property
    def flow(self) -> Flow:
        """Its datagrams."""
        return Flow(port=self.listener.port, groups=self.weighted, is_sticky=self.is_sticky)

    @property
    def transports(self) -> tuple[str, ...]:
        """What it listens for."""
        return transports(self.listener)


def transports(listener: Listener) -> tuple[str, ...]:
    """What a listener is for: ``TCP``, ``UDP`` or both."""
    return {"UDP": (UDP,), "TCP_UDP": (TCP, UDP)}.get(listener.protocol, (TCP,))


def own_names(listener: Listener) -> list[str]:
    """The names of Envoy's listeners at its load balancer's own address."""
    return [_name(f"own {listener.arn}", each) for each in transports(listener)]


def door_names(listener: Listener) -> list[str]:
    """The names of the doors it is behind."""
    return [_name(f"door {listener.port}", each) for each in transports(listener)]


def _name(name: str, transport: str) -> str:
    return f"{name} {UDP}" if transport == UDP else name


def own(front: Front, xds: Path) -> list[Resource]:
    """The listeners at its load balancer's own address: two for ``TCP_UDP``."""
    address, found = front.balancer.loopback_address, []
    for name, transport in zip(own_names(front.listener), front.transports, strict=True):
        if transport == UDP:
            found.append(datagrams.listener(name, address, front.flow))
            continue
        chain = _chain(front, routes_file(front.listener), xds)
        made = _listener(name, address, [front], [chain], xds)
        if front.is_fronted:
            made["listener_filters"].insert(0, clients.proxied())
        found.append(made)
    return found


def datagram_door(front: Front, address: str) -> Resource:
    """The door of a port for datagrams."""
    name, allowed = door_names(front.listener)[-1], front.admitted.get(UDP)
    return datagrams.listener(name, address, front.flow, allowed)


def door(fronts: Sequence[Front], address: str, xds: Path) -> Resource:
    """The listener that all of a port share; the first has what is not said to be another's."""
    first = fronts[0]
    name = door_names(first.listener)[0]
    chains = []
    if first.listener.protocol == "HTTPS":
        taken = {*first.hosts, *(front.balancer.dns_name for front in fronts)}
        for front in fronts[1:]:
            hosts = [host for host in front.hosts if host not in taken]
            names = [front.balancer.dns_name, *hosts]
            taken.update(hosts)
            chain = _guarded(front, _chain(front, routes_file(front.listener), xds))
            chain["filter_chain_match"] = {"server_names": names}
            chains.append(chain | {"name": front.balancer.arn})
    shared = door_file(first.listener.port) if first.listener.protocol == "HTTP" else None
    sharing = fronts if shared else (first,)
    chain = _chain(first, shared or routes_file(first.listener), xds, sharing)
    chains.append(chain if shared else _guarded(first, chain))
    return _listener(name, address, fronts, chains, xds)


def _guarded(front: Front, chain: Resource) -> Resource:
    return {
        **chain,
        "filters": [*admission.connections(front.admitted.get(TCP)), *chain["filters"]],
    }


def routes_file(listener: Listener) -> str:
    """The name of the file with the routes of a listener."""
    scope = listener.scope
    return f"routes-{scope.account}-{scope.region}-{listener.path.replace('/', '-')}"


def door_file(port: int) -> str:
    """The name of the file with the routes of the door of a port."""
    return f"routes-door-{port}"


def virtual_host(
    name: str, domains: Sequence[str], routes: Sequence[Resource], settings: Resource
) -> Resource:
    """The routes of a listener for some names, and what filters are to know, by their names."""
    made = {"name": name, "domains": list(domains), "routes": list(routes)}
    return {**made, "typed_per_filter_config": settings} if settings else made


def forwarding_headers(front: Front) -> Resource:
    """What routes of a listener tell targets of the client, and keep from them."""
    attributes = front.balancer.attributes
    mode = attributes.get("routing.http.xff_header_processing.mode", "append")
    with_port = attributes.get("routing.http.xff_client_port.enabled") == "true"
    client = f"%FILTER_STATE({CLIENT if with_port else ADDRESS}:PLAIN)%"
    added = [_added("x-forwarded-port", str(front.listener.port), _OVERWRITE)]
    if mode == "append":
        added.append(_added("x-forwarded-for", client, "APPEND_IF_EXISTS_OR_ADD"))
    if attributes.get("routing.http.x_amzn_tls_version_and_cipher_suite.enabled") == "true":
        added.extend(_tls_headers(front.listener))
    removed = ["x-forwarded-for"] if mode == "remove" else []
    return {
        "request_headers_to_add": added,
        "request_headers_to_remove": [_EXTERNAL, *removed],
    }


def _tls_headers(listener: Listener) -> list[Resource]:
    if listener.protocol != "HTTPS":
        return []
    names = told_as(listener.attributes)
    return [_added(names[usual], value, _OVERWRITE) for usual, value in _TLS_HEADERS.items()]


def _added(name: str, value: str, action: str) -> Resource:
    return {"header": {"key": name, "value": value}, "append_action": action}


def _listener(
    name: str, address: str, fronts: Sequence[Front], chains: list[Resource], xds: Path
) -> Resource:
    front = fronts[0]
    secure = front.listener.protocol in {"HTTPS", "TLS"}
    inspector = {
        "name": "envoy.filters.listener.tls_inspector",
        "typed_config": {"@type": f"{_FILTERS}.listener.tls_inspector.v3.TlsInspector"},
    }
    return {
        "@type": f"{_TYPE}.config.listener.v3.Listener",
        "name": name,
        "stat_prefix": name,
        "address": {"socket_address": {"address": address, "port_value": front.listener.port}},
        "listener_filters": [inspector] if secure else [],
        "filter_chains": chains,
        "access_log": _connection_loggers(fronts, xds),
        "per_connection_buffer_limit_bytes": 1_048_576,
    }


def _connection_loggers(fronts: Sequence[Front], xds: Path) -> list[Resource]:
    # Where clients do not speak TLS, a connection is nobody's but the first one's.
    known = fronts if fronts[0].listener.protocol == "HTTPS" else fronts[:1]
    logged = [(each.balancer, each.listener) for each in known]
    return connection_logs.loggers(logged, notes_directory(xds))


def _chain(front: Front, routes: str, xds: Path, sharing: Sequence[Front] = ()) -> Resource:
    if front.listener.protocol not in {"HTTP", "HTTPS"}:
        chain: Resource = {"filters": [_tcp(front)]}
    else:
        http, everyone = _http(front, routes, xds), sharing or (front,)
        logged = [(each.balancer, each.listener) for each in everyone]
        changing = [
            *admission.requests(each.admitted.get(TCP) for each in sharing),
            *headers.filters(each.listener for each in everyone),
        ]
        http["typed_config"]["http_filters"][:0] = changing
        http["typed_config"].update(connections.settings([each.balancer for each in everyone]))
        http["typed_config"]["access_log"] = [
            *counters.loggers(front.balancer.arn, is_shared=bool(sharing)),
            *access_logs.loggers(logged, notes_directory(xds)),
        ]
        guards = client_certificates.guards(front.trust_store)
        chain = {"filters": [clients.kept(), *guards, http]}
    if front.key_pairs:
        chain["transport_socket"] = tls.socket(front.listener, front.key_pairs, front.trust_store)
    return chain


def notes_directory(xds: Path) -> Path:
    """Where Envoy notes requests for access logs."""
    return xds.parent / "notes"


def _tcp(front: Front) -> Resource:
    idle = front.listener.attributes.get("tcp.idle_timeout.seconds", "350")
    return {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": f"{_FILTERS}.network.tcp_proxy.v3.TcpProxy",
            "stat_prefix": "network",
            "idle_timeout": f"{idle}s",
            # For target groups with stickiness, which balance by it.
            "hash_policy": [{"source_ip": {}}],
            "weighted_clusters": {
                "clusters": [
                    {"name": g.target_group_arn, "weight": g.weight} for g in front.weighted
                ]
            },
        },
    }


def _http(front: Front, routes: str, xds: Path) -> Resource:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "application",
            "http_protocol_options": {
                "accept_http_10": True,
                "default_host_for_http_10": front.balancer.dns_name,
            },
            "rds": {"route_config_name": routes, "config_source": source_of(xds, routes)},
            "use_remote_address": True,
            # Envoy takes orders from nobody, however near: no client comes from there.
            "internal_address_config": {"cidr_ranges": [_NOBODY]},
            # By routes: of a client on this machine Envoy would tell another address.
            "skip_xff_append": True,
            "server_header_transformation": "PASS_THROUGH",
            "generate_request_id": False,
            "max_request_headers_kb": _HEADERS_KB,
            "upgrade_configs": [{"upgrade_type": "websocket"}],
            "http_filters": [
                *client_certificates.filters(front.listener),
                *authentication.filters(front.actions),
                *tokens.filters(front.actions),
                *_http_filters(),
            ],
            "local_reply_config": answers.mapping(),
        },
    }


def _http_filters() -> list[Resource]:
    lua = {
        "@type": f"{_FILTERS}.http.lua.v3.Lua",
        "default_source_code": {"inline_string": _PROGRAM},
        "source_codes": {name: {"inline_string": source} for name, source in _PROGRAMS.items()},
    }
    router = {"@type": f"{_FILTERS}.http.router.v3.Router", "suppress_envoy_headers": True}
    return [
        transforms.rewriting_filter(),
        {"name": "envoy.filters.http.lua", "typed_config": lua},
        stickiness.session_filter(),
        {"name": "envoy.filters.http.router", "typed_config": router},
    ]
