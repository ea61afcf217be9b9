"""What is to be checked: the targets that take part in load balancing, as the feed tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from openecs.decide.forwarding import forwarded_groups
from openecs.model.identity import Scope
from openecs.model.load_balancing import Listener, Rule, Target, TargetGroup
from openecs.store.base import Change, Kind, View
from openecs.store.kinds import LISTENERS, RULES, TARGET_GROUPS, TARGETS

Where = tuple[Scope, str]

_KINDS: dict[str, Kind[Any]] = {
    kind.name: kind for kind in (LISTENERS, RULES, TARGET_GROUPS, TARGETS)
}


@dataclass(frozen=True, slots=True)
class News:
    """A resource as it is now, None where it is gone."""

    kind: str
    where: Where
    value: Any


def news_of(batch: Sequence[Change], view: View) -> list[News]:
    """What has become of the resources that changed, of those that matter here."""
    changed = {(c.kind, c.scope, c.key): None for c in batch if c.kind in _KINDS}
    return [
        News(kind, (scope, key), view.get(_KINDS[kind], scope, key)) for kind, scope, key in changed
    ]


def matters(batch: Iterable[Change]) -> bool:
    """Whether any change is of a kind that matters here."""
    return any(change.kind in _KINDS for change in batch)


def _nothing() -> dict[str, dict[Where, Any]]:
    return {name: {} for name in _KINDS}


@dataclass(slots=True)
class Picture:
    """Everything that decides what is checked, in memory."""

    known: dict[str, dict[Where, Any]] = field(default_factory=_nothing)
    #: The keys of the targets of each group.
    members: dict[Where, set[Where]] = field(default_factory=dict)
    forwarded: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, view: View) -> Picture:
        """The picture of a moment."""
        picture = cls()
        picture.absorb(
            [
                News(kind.name, (kind.scope(value), kind.key(value)), value)
                for kind in _KINDS.values()
                for value in view.scan(kind, None)
            ]
        )
        return picture

    @property
    def targets(self) -> dict[Where, Target]:
        """Every registered target, draining ones too."""
        return self.known[TARGETS.name]

    def absorb(self, news: Iterable[News]) -> set[Where]:
        """Bring it up to date; the targets for which something may have changed."""
        touched: set[Where] = set()
        forwards = False
        for each in news:
            self._note(each)
            if each.kind == TARGETS.name:
                touched.add(each.where)
            elif each.kind == TARGET_GROUPS.name:
                touched |= self.members.get(each.where, set())
            else:
                forwards = True
        return touched | self._forward() if forwards else touched

    def checked(self, where: Where) -> tuple[TargetGroup, Target] | None:
        """The target and its group, where it is one that takes part and does not drain."""
        target: Target | None = self.targets.get(where)
        if target is None or target.draining_since is not None:
            return None
        group: TargetGroup | None
        group = self.known[TARGET_GROUPS.name].get((target.scope, target.target_group))
        if group is None or group.arn not in self.forwarded:
            return None
        return group, target

    def _note(self, news: News) -> None:
        kept = self.known[news.kind]
        if news.value is None:
            old = kept.pop(news.where, None)
            if isinstance(old, Target):
                self._forget(old, news.where)
            return
        kept[news.where] = news.value
        if isinstance(news.value, Target):
            self._members(news.value).add(news.where)

    def _members(self, target: Target) -> set[Where]:
        return self.members.setdefault((target.scope, target.target_group), set())

    def _forget(self, target: Target, where: Where) -> None:
        members = self._members(target)
        members.discard(where)
        if not members:
            del self.members[target.scope, target.target_group]

    def _forward(self) -> set[Where]:
        """Find anew which groups are forwarded to; the targets of those that are or were."""
        listeners: Iterable[Listener] = self.known[LISTENERS.name].values()
        rules: Iterable[Rule] = self.known[RULES.name].values()
        before, self.forwarded = self.forwarded, forwarded_groups(listeners, rules)
        changed = before ^ self.forwarded
        if not changed:
            return set()
        groups: dict[Where, TargetGroup] = self.known[TARGET_GROUPS.name]
        return {
            target
            for where, group in groups.items()
            if group.arn in changed
            for target in self.members.get(where, ())
        }
