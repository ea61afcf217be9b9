"""Certificates by their ARNs, and who uses them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.model.identity import Scope
from openecs.model.load_balancing import Action, FixedResponseAction, Listener
from openecs.store import certificates
from openecs.store.kinds import CERTIFICATES, LISTENERS, SERVER_CERTIFICATES
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, SCOPE, a_certificate, a_server_certificate

ELSEWHERE = Scope(SCOPE.account, "us-west-2")
ISSUED = a_certificate()
UPLOADED = a_server_certificate(path="/x/y/")


def a_listener(scope: Scope, listener_id: str, *arns: str) -> Listener:
    answer = FixedResponseAction(status_code="200")
    return Listener(
        scope=scope,
        load_balancer="app/web/1",
        id=listener_id,
        protocol="HTTPS",
        port=443,
        default_actions=(Action(type="fixed-response", fixed_response=answer),),
        certificates=arns,
        created_at=NOW,
    )


@pytest.fixture
async def store():
    store = MemoryStore()

    def fill(tx):
        tx.put(CERTIFICATES, ISSUED)
        tx.put(SERVER_CERTIFICATES, UPLOADED)
        tx.put(LISTENERS, a_listener(SCOPE, "a", ISSUED.arn, UPLOADED.arn))
        tx.put(LISTENERS, a_listener(SCOPE, "b", ISSUED.arn))
        tx.put(LISTENERS, a_listener(ELSEWHERE, "c", UPLOADED.arn))

    await store.write(fill)
    return store


@pytest.mark.parametrize("kept", [ISSUED, UPLOADED])
async def test_found_by_its_arn(store, kept):
    assert await store.read(lambda v: certificates.key_pair(v, kept.arn)) == kept.key_pair


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:acm",
        ISSUED.arn.replace(":acm:", ":iam:"),
        ISSUED.arn.replace(SCOPE.region, ELSEWHERE.region),
        ISSUED.arn.replace(":certificate/", ":other/"),
        f"{ISSUED.arn}0",
        a_server_certificate().arn,
        UPLOADED.arn.replace(SCOPE.account, "999999999999"),
    ],
)
async def test_nothing_else_is(store, arn):
    assert await store.read(lambda v: certificates.key_pair(v, arn)) is None


async def test_users_are_load_balancers_each_once(store):
    here = f"arn:aws:elasticloadbalancing:{SCOPE.region}:{SCOPE.account}:loadbalancer/app/web/1"
    there = here.replace(SCOPE.region, ELSEWHERE.region)
    everywhere = await store.read(lambda v: certificates.users(v, None))
    assert everywhere[ISSUED.arn] == (here,)
    assert set(everywhere[UPLOADED.arn]) == {here, there}
    assert await store.read(lambda v: certificates.users(v, ELSEWHERE)) == {UPLOADED.arn: (there,)}


async def test_listeners_follow_a_renamed_one(store):
    renamed = replace(UPLOADED, name="new")
    await store.write(lambda tx: certificates.rename(tx, UPLOADED.arn, renamed.arn))
    found = await store.read(lambda v: v.scan(LISTENERS, None))
    used = {one.id: one.certificates for one in found}
    assert used == {
        "a": (ISSUED.arn, renamed.arn),
        "b": (ISSUED.arn,),
        "c": (renamed.arn,),
    }


def test_keys_are_not_shown_by_chance():
    assert "'key'" not in repr(ISSUED)
    assert "'key'" not in repr(UPLOADED)
