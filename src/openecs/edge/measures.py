"""The loop that looks at what Envoy counts, and puts it among the metrics."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from openecs.decide.forwarding import groups_of
from openecs.edge import counters, listeners, traffic
from openecs.edge.counters import Counts
from openecs.edge.envoy import Envoy, EnvoyUnavailable
from openecs.edge.traffic import Facts, GroupFacts
from openecs.loops.periods import periods
from openecs.model.identity import Scope
from openecs.model.load_balancing import Action, Listener, TargetGroup, TargetState
from openecs.store.base import Store, StoreError, View
from openecs.store.kinds import (
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    TARGET_GROUPS,
    TARGET_HEALTH,
    TARGETS,
)
from openecs.store.metrics import MetricStore

log = structlog.get_logger(__name__)


class TrafficMeasures:
    """Measures load balancers every ``interval``, at the ends of the clock's periods.

    What Envoy counted while nobody looked is nobody's: the first look only learns where to begin.
    """

    def __init__(
        self,
        *,
        store: Store,
        metrics: MetricStore,
        envoy: Envoy,
        clock: Callable[[], datetime],
        interval: timedelta,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._envoy = envoy
        self._clock = clock
        self._interval = interval
        self._before: Counts | None = None
        #: The process that counted it: another one begins anew.
        self._pid: int | None = None

    async def run(self) -> None:
        """Work until cancelled."""
        async for period in periods(self._clock, self._interval):
            try:
                await self.measure(period)
            except (EnvoyUnavailable, StoreError) as error:
                log.info("load balancers are not measured", reason=str(error))

    async def measure(self, period: datetime) -> None:
        """Look once, for a period that is about to end.

        Raises ``EnvoyUnavailable`` and ``StoreError``.
        """
        pid = self._envoy.pid
        if pid is None:
            # No load balancer has a listener, or it is being started: it will count from nothing.
            self._before, self._pid = Counts(), None
            return
        now = counters.read(await self._envoy.admin(counters.PATH))
        before = self._before if self._pid in {pid, None} else Counts()
        self._before, self._pid = now, pid
        if before is None:
            return
        facts = await self._store.read(facts_of)
        ends_minute = (period + self._interval).second == 0
        found = traffic.samples(counters.since(before, now), facts, period, ends_minute=ends_minute)
        if found:
            await self._metrics.put(found)


def facts_of(view: View) -> Facts:
    """The load balancers there are, with their listeners and target groups."""
    balancers = {(each.scope, each.path): each for each in view.scan(LOAD_BALANCERS, None)}
    fronts: Sequence[Listener] = view.scan(LISTENERS, None)
    used: defaultdict[str, set[str]] = defaultdict(set)
    for scope, path, actions in _actions(view, fronts):
        for arn in groups_of(actions):
            used[arn].add(balancers[scope, path].arn)
    groups = [group for group in view.scan(TARGET_GROUPS, None) if group.arn in used]
    return Facts(
        balancers={each.arn: each.type for each in balancers.values()},
        groups=tuple(_group_facts(view, group, tuple(used[group.arn])) for group in groups),
        listeners={balancers[place].arn: names for place, names in _listeners(fronts).items()},
    )


def _actions(
    view: View, fronts: Iterable[Listener]
) -> Iterable[tuple[Scope, str, tuple[Action, ...]]]:
    """The actions of listeners and rules, by the load balancers they are of."""
    for front in fronts:
        yield front.scope, front.load_balancer, front.default_actions
    for rule in view.scan(RULES, None):
        yield rule.scope, rule.listener.rpartition("/")[0], rule.actions


def _group_facts(view: View, group: TargetGroup, balancers: tuple[str, ...]) -> GroupFacts:
    prefix = f"{group.path}/"
    states = Counter(each.state for each in view.scan(TARGET_HEALTH, group.scope, prefix=prefix))
    targets = view.scan(TARGETS, group.scope, prefix=prefix)
    return GroupFacts(
        arn=group.arn,
        balancers=balancers,
        registered=sum(each.draining_since is None for each in targets),
        healthy=states[TargetState.HEALTHY],
        unhealthy=states[TargetState.UNHEALTHY],
    )


def _listeners(fronts: Sequence[Listener]) -> Mapping[tuple[Scope, str], tuple[str, ...]]:
    """The names of Envoy's listeners that are one load balancer's alone."""
    sharing = Counter(name for front in fronts for name in listeners.door_names(front))
    found: defaultdict[tuple[Scope, str], tuple[str, ...]] = defaultdict(tuple)
    for front in fronts:
        doors = [name for name in listeners.door_names(front) if sharing[name] == 1]
        found[front.scope, front.load_balancer] += (*listeners.own_names(front), *doors)
    return found
