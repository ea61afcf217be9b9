"""Every store against a dictionary, by random stories."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from contract.store.notes import HERE, NOTES, THERE, Note, collect
from openecs.store.base import Change
from openecs.store.memory import MemoryStore
from openecs.store.sql import SqlStore

SCOPES = st.sampled_from([HERE, THERE])
NAMES = st.sampled_from(["a", "a/1", "a/2", "a0", "b", "é", "\U0001f600"])
COLOURS = st.sampled_from(["red", "blue"])
OWNERS = st.sampled_from([None, "x", "y"])
NOTE = st.builds(
    Note, scope=SCOPES, name=NAMES, colour=COLOURS, owner=OWNERS, size=st.integers(0, 1)
)


class Failure(Exception):
    pass


@dataclass(frozen=True)
class Delete:
    scope: object
    name: str


@dataclass(frozen=True)
class Look:
    scope: object
    colour: str


STEPS = st.lists(
    st.one_of(NOTE, NOTE, st.builds(Delete, SCOPES, NAMES), st.builds(Look, SCOPES, COLOURS)),
    max_size=6,
)
TRANSACTIONS = st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=4)


class Model:
    """What a store is, in a dictionary."""

    def __init__(self, revision):
        self.rows, self.changes, self.revision = {}, [], revision

    def apply(self, steps, seen):
        """The state after a transaction; its looks must have seen what the model has."""
        rows, changes, revision = dict(self.rows), [], self.revision
        for step in steps:
            place = (step.scope, getattr(step, "name", ""))
            match step:
                case Look(scope, colour):
                    assert seen.pop(0) == found(rows, scope, colour)
                    continue
                case Note() if rows.get(place, (None,))[0] != step:
                    rows[place] = (step, revision + 1)
                case Delete() if place in rows:
                    del rows[place]
                case _:
                    continue
            revision += 1
            changes.append(Change(revision, "note", *place))
        return rows, changes, revision


def found(rows, scope, colour):
    return sorted(
        (note for note, _ in rows.values() if note.scope == scope and note.colour == colour),
        key=lambda note: note.name,
    )


def listed(rows, scope):
    places = sorted(
        (place for place in rows if scope in {None, place[0]}), key=lambda p: (p[1], p[0])
    )
    return [rows[place][0] for place in places]


def play(steps, seen, *, fails):
    def work(t):
        seen.clear()
        for step in steps:
            match step:
                case Look(scope, colour):
                    seen.append(t.find(NOTES, scope, "colour", (colour,)))
                case Delete(scope, name):
                    t.delete(NOTES, scope, name)
                case Note():
                    t.put(NOTES, step)
        if fails:
            raise Failure

    return work


class StoreMachine(RuleBasedStateMachine):
    """To be subclassed with an open ``store`` and the ``runner`` of its event loop."""

    @initialize()
    def empty(self):
        self.runner.run(self.store.clear())
        self.start = self.runner.run(self.store.read(lambda v: v.revision))
        self.model = Model(self.start)

    @rule(transactions=TRANSACTIONS)
    def write_together(self, transactions):
        seen = [[] for _ in transactions]

        async def together():
            calls = [
                self.store.write(play(steps, looks, fails=fails))
                for (steps, fails), looks in zip(transactions, seen, strict=True)
            ]
            return await asyncio.gather(*calls, return_exceptions=True)

        results = self.runner.run(together())
        for (steps, fails), looks, result in zip(transactions, seen, results, strict=True):
            rows, changes, revision = self.model.apply(steps, looks)
            assert isinstance(result, Failure) if fails else result is None
            if not fails:
                self.model.rows, self.model.revision = rows, revision
                self.model.changes += changes

    @rule(scope=SCOPES, name=NAMES)
    def get(self, scope, name):
        got = self.runner.run(
            self.store.read(
                lambda v: (v.get(NOTES, scope, name), v.revision_of(NOTES, scope, name))
            )
        )
        assert got == self.model.rows.get((scope, name), (None, None))

    @rule(scope=st.one_of(st.none(), SCOPES), prefix=st.sampled_from(["", "a", "a/"]))
    def scan(self, scope, prefix):
        expected = [n for n in listed(self.model.rows, scope) if n.name.startswith(prefix)]

        def look(view):
            forward = view.scan(NOTES, scope, prefix=prefix)
            backward = view.scan(NOTES, scope, prefix=prefix, descending=True)
            return forward, backward[::-1], view.scan(NOTES, scope, prefix=prefix, limit=2)

        assert self.runner.run(self.store.read(look)) == (expected, expected, expected[:2])

    @rule(scope=SCOPES, after=st.one_of(st.just(""), NAMES), colour=COLOURS)
    def find(self, scope, after, colour):
        everything = found(self.model.rows, scope, colour)
        expected = [n for n in everything if n.name > after]
        anywhere = [n for n in listed(self.model.rows, None) if n.colour == colour]

        def look(view):
            return (
                view.revision,
                view.find(NOTES, scope, "colour", (colour,), after=after),
                view.count(NOTES, scope, "colour", (colour,)),
                view.find(NOTES, None, "anywhere", (colour,)),
            )

        assert self.runner.run(self.store.read(look)) == (
            self.model.revision,
            expected,
            len(everything),
            anywhere,
        )

    @rule(owner=st.sampled_from(["x", "y"]), colour=COLOURS, scope=SCOPES)
    def count(self, owner, colour, scope):
        notes = found(self.model.rows, scope, colour)
        counted = self.runner.run(
            self.store.read(lambda v: v.count(NOTES, scope, "owner", (owner, colour)))
        )
        assert counted == sum(note.owner == owner for note in notes)

    def teardown(self):
        """Replaying the feed gives the keys there are, at the revisions they have."""
        revision = self.runner.run(self.store.read(lambda v: v.revision))
        assert revision == self.model.revision
        if not self.model.changes:
            return
        changes = self.runner.run(collect(self.store, self.start, self.model.revision))
        assert changes == self.model.changes
        replayed = {(c.scope, c.key): c.revision for c in changes}
        there = {place: revision for place, (_, revision) in self.model.rows.items()}
        assert there.items() <= replayed.items()


@pytest.fixture(params=["memory", "sqlite", "sqlite, nothing cached", "postgres"])
def any_store(request):
    match request.param:
        case "memory":
            return MemoryStore()
        case "postgres":
            return SqlStore(request.getfixturevalue("postgres_url"), kinds=[NOTES])
        case name:
            url = request.getfixturevalue("sqlite_url")
            return SqlStore(url, kinds=[NOTES], cache_size=0 if "nothing" in name else 3)


def test_a_store_is_a_dictionary(any_store):
    with asyncio.Runner() as runner:
        runner.run(any_store.open())
        machine = type("Machine", (StoreMachine,), {"runner": runner, "store": any_store})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=30,
                stateful_step_count=15,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(any_store.close())
