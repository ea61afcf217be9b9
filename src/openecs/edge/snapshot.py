"""From what is stored to all that Envoy is told, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openecs.api.ec2 import prefix_lists, task_interfaces
from openecs.decide.admission import admitted
from openecs.decide.forwarding import forwarded_groups, groups_of
from openecs.edge import (
    access_logs,
    admission,
    authentication,
    client_certificates,
    clusters,
    connection_logs,
    headers,
    listeners,
    providers,
    routes,
)
from openecs.edge.listeners import TCP, UDP, Front, forwarding_headers
from openecs.edge.routes import NotBuilt, Ways
from openecs.edge.stickiness import is_sticky
from openecs.model.identity import Scope
from openecs.model.load_balancing import (
    Listener,
    LoadBalancer,
    Rule,
    Target,
    TargetGroup,
    TargetHealth,
    TargetType,
)
from openecs.model.network import SecurityGroup
from openecs.model.trust_stores import TrustStore
from openecs.store.base import View
from openecs.store.certificates import key_pair
from openecs.store.kinds import (
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    SECURITY_GROUPS,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
    TASKS,
    TRUST_STORES,
)

Resource = dict[str, Any]

CLUSTERS, LISTENERS_FILE = "clusters", "listeners"

_ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
_SERVED = frozenset({"HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"})


@dataclass(frozen=True, slots=True)
class World:
    """The load balancers of all accounts and regions, in the order they were made."""

    balancers: Sequence[LoadBalancer]
    listeners: Sequence[Listener]
    rules: Mapping[str, Sequence[Rule]]
    #: By their ARNs.
    groups: Mapping[str, TargetGroup]
    key_pairs: Mapping[str, Any]
    #: By their ARNs.
    trust_stores: Mapping[str, TrustStore]
    #: Load balancers that are targets themselves, by their ARNs.
    fronted: frozenset[str]
    #: By account, region and id.
    security_groups: Mapping[tuple[Scope, str], SecurityGroup]
    #: The addresses of tasks in the security groups that load balancers' groups name, by their ids.
    members: Mapping[str, Sequence[str]]

    @property
    def has_members(self) -> bool:
        """Whether security groups of load balancers name others, of which tasks come and go."""
        rules = (rule for group in self.security_groups.values() for rule in group.rules)
        return any(rule.referenced_group for rule in rules if not rule.is_egress)


@dataclass(frozen=True, slots=True)
class Doors:
    """The address where the doors of all ports are, and who comes from this machine itself."""

    address: str
    #: Blocks of addresses: security groups are about others.
    local: tuple[str, ...] = ("127.0.0.0/8",)


@dataclass(frozen=True, slots=True)
class Site:
    """Where Envoy is: its doors, and the files it reads."""

    doors: Doors
    xds: Path
    #: The certificates of authorities by which identity providers are known.
    authorities: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files for Envoy by name, and what could not be told, by the load balancer's ARN."""

    endpoints: dict[str, list[Resource]] = field(default_factory=dict)
    clusters: dict[str, list[Resource]] = field(default_factory=dict)
    routes: dict[str, list[Resource]] = field(default_factory=dict)
    doors: dict[str, list[Resource]] = field(default_factory=dict)
    #: The files of routes that the hosts of a door are of.
    owners: dict[str, list[str]] = field(default_factory=dict)
    secrets: dict[str, list[Resource]] = field(default_factory=dict)
    listeners: dict[str, list[Resource]] = field(default_factory=dict)
    #: Names of Envoy's listeners, and of files of routes, by the load balancer that needs them.
    names: dict[str, list[str]] = field(default_factory=dict)
    complaints: dict[str, str] = field(default_factory=dict)
    #: Directories of files in which Envoy notes requests.
    notes: set[Path] = field(default_factory=set)


def read(view: View) -> World:
    """Everything but the targets."""
    rules: dict[str, list[Rule]] = {}
    for rule in view.scan(RULES, None):
        rules.setdefault(f"{rule.scope.account}/{rule.scope.region}/{rule.listener}", []).append(
            rule
        )
    found = sorted(view.scan(LISTENERS, None), key=lambda each: (each.created_at, each.arn))
    arns = {arn for each in found for arn in each.certificates}
    groups, balancers = view.scan(TARGET_GROUPS, None), view.scan(LOAD_BALANCERS, None)
    guards = _guards(view, balancers)
    return World(
        balancers=balancers,
        listeners=found,
        rules=rules,
        groups={group.arn: group for group in groups},
        key_pairs={arn: key_pair(view, arn) for arn in arns},
        trust_stores={store.arn: store for store in view.scan(TRUST_STORES, None)},
        fronted=frozenset(_fronted(view, groups)),
        security_groups=guards,
        members=_members(view, guards.values()),
    )


def _guards(
    view: View, balancers: Iterable[LoadBalancer]
) -> dict[tuple[Scope, str], SecurityGroup]:
    """The security groups of load balancers."""
    names = {(b.scope, group) for b in balancers for group in b.security_groups}
    found = {(scope, name): view.get(SECURITY_GROUPS, scope, name) for scope, name in names}
    return {
        key: prefix_lists.enforced(view, group) for key, group in found.items() if group is not None
    }


def _members(view: View, guards: Iterable[SecurityGroup]) -> dict[str, list[str]]:
    """The addresses of tasks in groups that rules name; tasks are looked at only for those."""
    rules = (rule for group in guards for rule in group.rules if not rule.is_egress)
    named = {rule.referenced_group for rule in rules} - {None}
    found: dict[str, list[str]] = {}
    tasks = view.find(TASKS, None, "alive", ()) if named else ()
    for interface in task_interfaces.among(tasks):
        for group in task_interfaces.security_groups(view, interface):
            if group.id in named:
                found.setdefault(group.id, []).append(interface.address)
    return found


def _fronted(view: View, groups: Iterable[TargetGroup]) -> Iterator[str]:
    for group in groups:
        if group.target_type is TargetType.ALB:
            targets: Sequence[Target] = view.scan(TARGETS, group.scope, prefix=f"{group.path}/")
            yield from (target.id for target in targets)


def read_endpoints(view: View, scope: Scope, path: str) -> Resource | None:
    """The endpoints of one target group, if it is still there."""
    group = view.get(TARGET_GROUPS, scope, path)
    if group is None or group.target_type is TargetType.LAMBDA:
        return None
    targets: Sequence[Target] = view.scan(TARGETS, scope, prefix=f"{path}/")
    health: Sequence[TargetHealth] = view.scan(TARGET_HEALTH, scope, prefix=f"{path}/")
    by_key = {TARGET_HEALTH.key(each): each for each in health}
    return clusters.endpoints(group, targets, by_key)


def used_groups(world: World) -> list[TargetGroup]:
    """The target groups that get traffic, or may."""
    every = (rule for rules in world.rules.values() for rule in rules)
    used = forwarded_groups(world.listeners, every)
    return [group for arn, group in world.groups.items() if arn in used]


def build(world: World, site: Site) -> Snapshot:
    """All files but those of endpoints."""
    made = Snapshot()
    made.clusters[CLUSTERS] = [clusters.cluster(group, site.xds) for group in used_groups(world)]
    fronts = list(_fronts(world, made, site))
    _tell_providers(made, fronts, site)
    found: list[Resource] = []
    for front in fronts:
        made.notes.update(_notes(front, site))
        file = listeners.routes_file(front.listener)
        routed = _routes_of(world, front, site)
        made.names[front.balancer.arn].append(file)
        made.routes[file] = [_configuration(file, [_host(front, routed)])]
        for resource in listeners.own(front, site.xds):
            found.append(resource)
            made.names[front.balancer.arn].append(resource["name"])
    for (transport, port), shared in _doors(fronts).items():
        told = []
        if shared[0].listener.protocol == "HTTP":
            told.append(file := listeners.door_file(port))
            made.doors[file] = [_door_routes(world, site, shared)]
            made.owners[file] = [listeners.routes_file(f.listener) for f in (*shared, shared[0])]
        if transport == UDP:
            resource = listeners.datagram_door(shared[0], site.doors.address)
        else:
            resource = listeners.door(shared, site.doors.address, site.xds)
        found.append(resource)
        for front in shared:
            made.names[front.balancer.arn].extend([resource["name"], *told])
    made.listeners[LISTENERS_FILE] = found
    return made


def _notes(front: Front, site: Site) -> Iterator[Path]:
    """The directories in which requests and connections are noted."""
    directory = listeners.notes_directory(site.xds)
    if access_logs.is_logged(front.balancer):
        yield access_logs.notes(front.balancer, directory).parent
    if connection_logs.is_logged(front.balancer):
        yield connection_logs.notes(front.balancer, directory).parent


def _tell_providers(made: Snapshot, fronts: Iterable[Front], site: Site) -> None:
    """The clusters and secrets of authentication."""
    told: dict[str, Resource] = {}
    for action in (action for front in fronts for action in front.actions):
        for endpoint in providers.endpoints(action):
            found = providers.provider(endpoint, site.authorities or "")
            told[found["name"]] = found
        if action.oidc:
            made.secrets.update(authentication.secrets(action.oidc))
    made.clusters[CLUSTERS].extend(told.values())


def _fronts(world: World, made: Snapshot, site: Site) -> Iterator[Front]:
    """The listeners that can be served; of others their load balancer has a complaint."""
    balancers = {(b.scope, b.path): b for b in world.balancers}
    for listener in world.listeners:
        balancer = balancers.get((listener.scope, listener.load_balancer))
        if balancer is None:
            continue
        pairs = tuple(p for arn in listener.certificates if (p := world.key_pairs.get(arn)))
        mutual = listener.mutual_authentication
        trusted = world.trust_stores.get(mutual.trust_store_arn or "") if mutual else None
        front = Front(
            balancer=balancer,
            listener=listener,
            key_pairs=pairs,
            trust_store=trusted,
            is_sticky=any(
                is_sticky(world.groups[arn])
                for arn in groups_of(listener.default_actions)
                if arn in world.groups
            ),
            is_fronted=balancer.arn in world.fronted,
            rules=tuple(_rules_of(world, listener)),
            admitted=_admitted(world, site, balancer, listener.port),
        )
        try:
            _check(front, site)
            _routes_of(world, front, site)
        except NotBuilt as error:
            made.complaints[balancer.arn] = f"Listener on port {listener.port}: {error}"
        else:
            made.names.setdefault(balancer.arn, [])
            yield front


def _admitted(
    world: World, site: Site, balancer: LoadBalancer, port: int
) -> dict[str, tuple[str, ...] | None]:
    """Whom the load balancer's security groups let in, and this machine's own clients."""
    if not balancer.security_groups:
        return {}
    names = ((balancer.scope, each) for each in balancer.security_groups)
    groups = [world.security_groups[name] for name in names if name in world.security_groups]
    found = {each: admitted(groups, world.members, each.lower(), port) for each in (TCP, UDP)}
    return {each: None if b is None else (*site.doors.local, *b) for each, b in found.items()}


def _check(front: Front, site: Site) -> None:
    listener = front.listener
    if listener.protocol not in _SERVED:
        raise NotBuilt(f"protocol {listener.protocol} is not built")
    if listener.protocol in {"HTTPS", "TLS"} and not front.key_pairs:
        raise NotBuilt("its certificate is not there")
    if UDP in front.transports and not front.weighted:
        raise NotBuilt("datagrams to no target group are not built")
    if client_certificates.is_verified(listener) and front.trust_store is None:
        raise NotBuilt("its trust store is not there")
    if site.authorities is None and any(map(providers.endpoints, front.actions)):
        raise NotBuilt("there are no certificates of authorities on this machine")


def _routes_of(world: World, front: Front, site: Site) -> list[Resource]:
    listener = front.listener
    if listener.protocol not in {"HTTP", "HTTPS"}:
        return []
    idle = int(front.balancer.attributes.get("idle_timeout.timeout_seconds", "60"))
    found = routes.routes(listener, front.rules, Ways(world.groups, idle, site.xds))
    return [route | forwarding_headers(front) for route in found]


def _rules_of(world: World, listener: Listener) -> Sequence[Rule]:
    key = f"{listener.scope.account}/{listener.scope.region}/{listener.path}"
    return world.rules.get(key, ())


def _doors(fronts: Iterable[Front]) -> dict[tuple[str, int], list[Front]]:
    """Who shares the door of each port: all that speak as the first one does."""
    shared: dict[tuple[str, int], list[Front]] = {}
    for front in fronts:
        for transport in front.transports:
            there = shared.setdefault((transport, front.listener.port), [])
            together = front.listener.protocol in {"HTTP", "HTTPS"}
            if not there or (together and there[0].listener.protocol == front.listener.protocol):
                there.append(front)
    return shared


def _door_routes(world: World, site: Site, fronts: Sequence[Front]) -> Resource:
    hosts = [_door_host(world, site, front, is_rest=False) for front in fronts]
    hosts.append(_door_host(world, site, fronts[0], is_rest=True))
    return _configuration(listeners.door_file(fronts[0].listener.port), hosts)


def _configuration(name: str, hosts: Sequence[Resource]) -> Resource:
    return {"@type": _ROUTES, "name": name, "virtual_hosts": list(hosts)}


def _host(front: Front, routed: Sequence[Resource]) -> Resource:
    return listeners.virtual_host("all", ["*"], routed, headers.of_host(front.listener))


def _door_host(world: World, site: Site, front: Front, *, is_rest: bool) -> Resource:
    """What a listener has at a shared door; the ``rest`` is all that is nobody else's."""
    name, domains = ("all", ["*"]) if is_rest else (front.balancer.arn, front.names)
    settings = {
        **headers.of_host(front.listener),
        **admission.of_host(front.admitted.get(TCP)),
    }
    return listeners.virtual_host(name, domains, _routes_of(world, front, site), settings)
