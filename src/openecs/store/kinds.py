"""The catalogue of what is stored, and what each kind is found by."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from openecs.model.certificates import (
    Certificate,
    CertificateAccount,
    ServerCertificate,
)
from openecs.model.clusters import (
    AccountSetting,
    CapacityProvider,
    Cluster,
    ContainerInstance,
    IdempotencyRecord,
    Machine,
    PlacementTicket,
)
from openecs.model.daemons import (
    Daemon,
    DaemonDeployment,
    DaemonRevision,
    DaemonTaskDefinition,
    DaemonTaskDefinitionStatus,
)
from openecs.model.express import ExpressGateway
from openecs.model.leases import Lease
from openecs.model.load_balancing import (
    Listener,
    LoadBalancer,
    LoadBalancerState,
    Rule,
    Target,
    TargetGroup,
    TargetHealth,
    target_key,
)
from openecs.model.network import NetworkStart, SecurityGroup, Subnet, Vpc
from openecs.model.routing import Address, InternetGateway, NatGateway, NetworkAcl, RouteTable
from openecs.model.services import (
    Service,
    ServiceDeployment,
    ServiceEvents,
    ServiceRevision,
    ServiceStatus,
    TaskSet,
)
from openecs.model.task_definitions import (
    TaskDefinition,
    TaskDefinitionFamily,
    TaskDefinitionStatus,
)
from openecs.model.tasks import Task, TaskStatus
from openecs.model.trust_stores import TrustStore
from openecs.store import (
    alarms,
    dashboards,
    iam,
    logs,
    network,
    scaling,
    secrets,
    task_credentials,
)
from openecs.store.base import INSTALLATION, Kind

if TYPE_CHECKING:
    from openecs.model.identity import Scope


def _scope(value: Cluster | ContainerInstance | Task | TaskDefinition) -> Scope:
    return value.scope


def task_definition_key(family: str, revision: int) -> str:
    """The key of a revision: padded, so that key order is revision order (limit 1,000,000)."""
    return f"{family}:{revision:07d}"


def instance_key(cluster: str, instance_id: str) -> str:
    """The key of a container instance."""
    return f"{cluster}/{instance_id}"


def task_key(cluster: str, task_id: str) -> str:
    """The key of a task."""
    return f"{cluster}/{task_id}"


def service_key(cluster: str, service: str) -> str:
    """The key of a service, and what the keys of everything that is a service's start with."""
    return f"{cluster}/{service}"


def part_key(cluster: str, service: str, part_id: str) -> str:
    """The key of a revision, a deployment or a task set of a service."""
    return f"{cluster}/{service}/{part_id}"


def daemon_key(cluster: str, daemon: str) -> str:
    """The key of a daemon, and what the keys of its revisions and deployments start with."""
    return f"{cluster}/{daemon}"


def machine_lease(machine: str) -> str:
    """The name of the lease by which a machine's node shows that it lives."""
    return f"machine/{machine}"


def stopped_hour(moment: datetime) -> str:
    """The hour a task stopped in, as it is indexed."""
    return moment.strftime("%Y-%m-%dT%H")


CLUSTERS: Kind[Cluster] = Kind(
    name="cluster",
    type=Cluster,
    key=lambda c: c.name,
    scope=_scope,
    indexes={"status": lambda c: (c.status,)},
)

TASK_DEFINITIONS: Kind[TaskDefinition] = Kind(
    name="task-definition",
    type=TaskDefinition,
    key=lambda d: task_definition_key(d.family, d.revision),
    scope=_scope,
    indexes={"status": lambda d: (d.status,)},
    global_indexes={
        "deleted": lambda d: () if d.status is TaskDefinitionStatus.DELETE_IN_PROGRESS else None
    },
)

TASK_DEFINITION_FAMILIES: Kind[TaskDefinitionFamily] = Kind(
    name="task-definition-family",
    type=TaskDefinitionFamily,
    key=lambda f: f.family,
    scope=lambda f: f.scope,
)

TASKS: Kind[Task] = Kind(
    name="task",
    type=Task,
    key=lambda t: task_key(t.cluster, t.id),
    scope=_scope,
    indexes={
        "desired": lambda t: (t.cluster, t.desired_status),
        "family": lambda t: (t.cluster, t.desired_status, t.family),
        "group": lambda t: (t.cluster, t.desired_status, t.group),
        "started_by": lambda t: (
            (t.cluster, t.desired_status, t.started_by) if t.started_by else None
        ),
        "instance": lambda t: (
            (t.cluster, t.desired_status, t.container_instance) if t.container_instance else None
        ),
        # What cluster and instance counts are made of; stopped tasks are not counted anywhere.
        "cluster_status": lambda t: (
            None if t.last_status is TaskStatus.STOPPED else (t.cluster, t.last_status)
        ),
        # What a service's scheduler looks at: until a task's end is both come and accounted for.
        "service": lambda t: (
            None
            if t.service is None or (t.accounted and t.last_status is TaskStatus.STOPPED)
            else (t.cluster, t.service)
        ),
        # The same, for what looks after a daemon.
        "daemon": lambda t: (
            None
            if t.daemon is None or (t.accounted and t.last_status is TaskStatus.STOPPED)
            else (t.cluster, t.daemon)
        ),
    },
    global_indexes={
        # The tasks a machine has to care for: what its node works on and what holds its resources.
        "machine": lambda t: None if t.last_status is TaskStatus.STOPPED else (t.machine,),
        "alive": lambda t: None if t.last_status is TaskStatus.STOPPED else (),
        # What the retention loop looks through.
        "stopped": lambda t: (stopped_hour(t.stopped_at),) if t.stopped_at else None,
    },
)

MACHINES: Kind[Machine] = Kind(
    name="machine", type=Machine, key=lambda m: m.id, scope=lambda _: INSTALLATION
)

PLACEMENT_TICKETS: Kind[PlacementTicket] = Kind(
    name="placement-ticket",
    type=PlacementTicket,
    key=lambda t: t.machine,
    scope=lambda _: INSTALLATION,
)

CONTAINER_INSTANCES: Kind[ContainerInstance] = Kind(
    name="container-instance",
    type=ContainerInstance,
    key=lambda i: instance_key(i.cluster, i.id),
    scope=_scope,
    indexes={"cluster": lambda i: (i.cluster, i.status)},
    global_indexes={"machine": lambda i: (i.machine,)},
)

CAPACITY_PROVIDERS: Kind[CapacityProvider] = Kind(
    name="capacity-provider", type=CapacityProvider, key=lambda p: p.name, scope=lambda p: p.scope
)

ACCOUNT_SETTINGS: Kind[AccountSetting] = Kind(
    name="account-setting",
    type=AccountSetting,
    key=lambda s: f"{s.name}/{s.principal_arn}",
    scope=lambda s: s.scope,
)

IDEMPOTENCY: Kind[IdempotencyRecord] = Kind(
    name="idempotency", type=IdempotencyRecord, key=lambda r: r.token, scope=lambda r: r.scope
)

SERVICES: Kind[Service] = Kind(
    name="service",
    type=Service,
    key=lambda s: service_key(s.cluster, s.name),
    scope=lambda s: s.scope,
    indexes={
        "listed": lambda s: (s.cluster,) if s.status is ServiceStatus.ACTIVE else None,
        "present": lambda s: None if s.status is ServiceStatus.INACTIVE else (s.cluster,),
    },
    global_indexes={
        # What the scheduler looks after, and what the retention loop looks through.
        "present": lambda s: None if s.status is ServiceStatus.INACTIVE else (),
        "inactive": lambda s: () if s.status is ServiceStatus.INACTIVE else None,
        # Whose deployment in progress an alarm may fail.
        "alarmed": lambda s: () if s.watched_alarms else None,
    },
)

SERVICE_EVENTS: Kind[ServiceEvents] = Kind(
    name="service-events",
    type=ServiceEvents,
    key=lambda e: service_key(e.cluster, e.service),
    scope=lambda e: e.scope,
)

SERVICE_REVISIONS: Kind[ServiceRevision] = Kind(
    name="service-revision",
    type=ServiceRevision,
    key=lambda r: part_key(r.cluster, r.service, r.id),
    scope=lambda r: r.scope,
)

SERVICE_DEPLOYMENTS: Kind[ServiceDeployment] = Kind(
    name="service-deployment",
    type=ServiceDeployment,
    key=lambda d: part_key(d.cluster, d.service, d.id),
    scope=lambda d: d.scope,
    # What the retention loop looks through.
    global_indexes={"ended": lambda d: () if d.finished_at or d.stopped_at else None},
)

TASK_SETS: Kind[TaskSet] = Kind(
    name="task-set",
    type=TaskSet,
    key=lambda s: part_key(s.cluster, s.service, s.id),
    scope=lambda s: s.scope,
)

EXPRESS_GATEWAYS: Kind[ExpressGateway] = Kind(
    name="express-gateway",
    type=ExpressGateway,
    key=lambda g: part_key(g.cluster, g.service, g.id),
    scope=lambda g: g.scope,
)

DAEMON_TASK_DEFINITIONS: Kind[DaemonTaskDefinition] = Kind(
    name="daemon-task-definition",
    type=DaemonTaskDefinition,
    key=lambda d: task_definition_key(d.runs.family, d.runs.revision),
    scope=lambda d: d.scope,
    global_indexes={
        "deleted": lambda d: (
            () if d.status is DaemonTaskDefinitionStatus.DELETE_IN_PROGRESS else None
        )
    },
)

DAEMONS: Kind[Daemon] = Kind(
    name="daemon",
    type=Daemon,
    key=lambda d: daemon_key(d.cluster, d.name),
    scope=lambda d: d.scope,
)

DAEMON_REVISIONS: Kind[DaemonRevision] = Kind(
    name="daemon-revision",
    type=DaemonRevision,
    key=lambda r: part_key(r.cluster, r.daemon, r.id),
    scope=lambda r: r.scope,
)

DAEMON_DEPLOYMENTS: Kind[DaemonDeployment] = Kind(
    name="daemon-deployment",
    type=DaemonDeployment,
    key=lambda d: part_key(d.cluster, d.daemon, d.id),
    scope=lambda d: d.scope,
    global_indexes={
        # What the retention loop looks through.
        "ended": lambda d: () if d.finished_at or d.stopped_at else None,
        # What an alarm may fail.
        "alarmed": lambda d: () if d.watched_alarms else None,
    },
)

LEASES: Kind[Lease] = Kind(
    name="lease", type=Lease, key=lambda e: e.name, scope=lambda _: INSTALLATION
)

NETWORK_STARTS: Kind[NetworkStart] = Kind(
    name="network-start", type=NetworkStart, key=lambda _: "", scope=lambda s: s.scope
)

VPCS: Kind[Vpc] = Kind(name="vpc", type=Vpc, key=lambda v: v.id, scope=lambda v: v.scope)

SUBNETS: Kind[Subnet] = Kind(
    name="subnet",
    type=Subnet,
    key=lambda s: s.id,
    scope=lambda s: s.scope,
    indexes={"vpc": lambda s: (s.vpc_id,)},
)

SECURITY_GROUPS: Kind[SecurityGroup] = Kind(
    name="security-group",
    type=SecurityGroup,
    key=lambda g: g.id,
    scope=lambda g: g.scope,
    indexes={"vpc": lambda g: (g.vpc_id,), "name": lambda g: (g.vpc_id, g.name)},
)

ROUTE_TABLES: Kind[RouteTable] = Kind(
    name="route-table", type=RouteTable, key=lambda t: t.id, scope=lambda t: t.scope
)

INTERNET_GATEWAYS: Kind[InternetGateway] = Kind(
    name="internet-gateway", type=InternetGateway, key=lambda g: g.id, scope=lambda g: g.scope
)

NAT_GATEWAYS: Kind[NatGateway] = Kind(
    name="nat-gateway", type=NatGateway, key=lambda g: g.id, scope=lambda g: g.scope
)

ADDRESSES: Kind[Address] = Kind(
    name="address", type=Address, key=lambda a: a.id, scope=lambda a: a.scope
)

NETWORK_ACLS: Kind[NetworkAcl] = Kind(
    name="network-acl", type=NetworkAcl, key=lambda a: a.id, scope=lambda a: a.scope
)

LOAD_BALANCERS: Kind[LoadBalancer] = Kind(
    name="load-balancer",
    type=LoadBalancer,
    key=lambda b: b.path,
    scope=lambda b: b.scope,
    indexes={"name": lambda b: (b.name,)},
)

LOAD_BALANCER_STATES: Kind[LoadBalancerState] = Kind(
    name="load-balancer-state",
    type=LoadBalancerState,
    key=lambda s: s.load_balancer,
    scope=lambda s: s.scope,
)

#: Actions of listeners and rules have the secrets of OpenID Connect clients.
LISTENERS: Kind[Listener] = Kind(
    name="listener", type=Listener, key=lambda e: e.path, scope=lambda e: e.scope, sealed=True
)

RULES: Kind[Rule] = Kind(
    name="listener-rule", type=Rule, key=lambda r: r.path, scope=lambda r: r.scope, sealed=True
)

TARGET_GROUPS: Kind[TargetGroup] = Kind(
    name="target-group",
    type=TargetGroup,
    key=lambda g: g.path,
    scope=lambda g: g.scope,
    indexes={"name": lambda g: (g.name,)},
)

TARGETS: Kind[Target] = Kind(
    name="target",
    type=Target,
    key=lambda t: t.key,
    scope=lambda t: t.scope,
    # What is to be removed once its delay is over.
    global_indexes={"draining": lambda t: () if t.drained_at else None},
)

TARGET_HEALTH: Kind[TargetHealth] = Kind(
    name="target-health",
    type=TargetHealth,
    key=lambda h: target_key(h.target_group, h.id, h.port),
    scope=lambda h: h.scope,
)

TRUST_STORES: Kind[TrustStore] = Kind(
    name="trust-store",
    type=TrustStore,
    key=lambda t: t.path,
    scope=lambda t: t.scope,
    indexes={"name": lambda t: (t.name,)},
)

CERTIFICATES: Kind[Certificate] = Kind(
    name="certificate",
    type=Certificate,
    key=lambda c: c.id,
    scope=lambda c: c.scope,
    indexes={"token": lambda c: (c.idempotency_token,) if c.idempotency_token else None},
    sealed=True,
)

CERTIFICATE_ACCOUNTS: Kind[CertificateAccount] = Kind(
    name="certificate-account",
    type=CertificateAccount,
    key=lambda _: "",
    scope=lambda a: a.scope,
)

SERVER_CERTIFICATES: Kind[ServerCertificate] = Kind(
    name="server-certificate",
    type=ServerCertificate,
    key=lambda c: c.name,
    scope=lambda c: c.scope,
    sealed=True,
)

ALL = (
    CLUSTERS,
    TASK_DEFINITIONS,
    TASK_DEFINITION_FAMILIES,
    TASKS,
    MACHINES,
    PLACEMENT_TICKETS,
    CONTAINER_INSTANCES,
    CAPACITY_PROVIDERS,
    ACCOUNT_SETTINGS,
    IDEMPOTENCY,
    SERVICES,
    SERVICE_EVENTS,
    SERVICE_REVISIONS,
    SERVICE_DEPLOYMENTS,
    TASK_SETS,
    EXPRESS_GATEWAYS,
    LEASES,
    DAEMON_TASK_DEFINITIONS,
    DAEMONS,
    DAEMON_REVISIONS,
    DAEMON_DEPLOYMENTS,
    NETWORK_STARTS,
    VPCS,
    SUBNETS,
    SECURITY_GROUPS,
    ROUTE_TABLES,
    INTERNET_GATEWAYS,
    NAT_GATEWAYS,
    ADDRESSES,
    NETWORK_ACLS,
    LOAD_BALANCERS,
    LOAD_BALANCER_STATES,
    LISTENERS,
    RULES,
    TARGET_GROUPS,
    TARGETS,
    TARGET_HEALTH,
    TRUST_STORES,
    CERTIFICATES,
    CERTIFICATE_ACCOUNTS,
    SERVER_CERTIFICATES,
    *alarms.KINDS,
    *dashboards.KINDS,
    *iam.KINDS,
    *logs.KINDS,
    *network.KINDS,
    *scaling.KINDS,
    *secrets.KINDS,
    *task_credentials.KINDS,
)
