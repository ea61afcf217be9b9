"""Deleted secrets go once they can no longer be restored, with all their values."""

from datetime import timedelta

from openecs.control.retention import Retention
from openecs.model.secrets import Secret, SecretVersion
from openecs.store.memory import MemoryStore
from openecs.store.secrets import SECRET_VERSIONS, SECRETS
from openecs.testing.builders import NOW, SCOPE


def a_secret(name: str, gone_in: timedelta | None) -> Secret:
    return Secret(
        scope=SCOPE,
        name=name,
        suffix="aaaaaa",
        created_at=NOW,
        changed_at=NOW,
        gone_at=NOW + gone_in if gone_in is not None else None,
    )


async def test_only_those_whose_window_is_over_go():
    store, minute = MemoryStore(), timedelta(minutes=1)

    def keep(tx):
        for name, gone_in in (("gone", -minute), ("going", minute), ("stays", None)):
            tx.put(SECRETS, a_secret(name, gone_in))
            for number in "12":
                version = SecretVersion(scope=SCOPE, secret=name, id=number, created_at=NOW)
                tx.put(SECRET_VERSIONS, version)

    await store.write(keep)
    await Retention(store=store, clock=lambda: NOW, stopped_tasks=timedelta(hours=1)).run_once()
    kept = await store.read(lambda view: view.scan(SECRETS, None))
    assert [each.name for each in kept] == ["going", "stays"]
    values = await store.read(lambda view: view.scan(SECRET_VERSIONS, None))
    assert {each.secret for each in values} == {"going", "stays"}
