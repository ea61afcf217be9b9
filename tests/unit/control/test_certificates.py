"""Renewal: of what is in use and ends soon, under the ARN it has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from openecs.authority import LocalAuthority
from openecs.control.certificates import Certificates
from openecs.control.lease import LeaseLost
from openecs.decide.certificates import x509
from openecs.model.certificates import Certificate, CertificateAccount, CertificateType
from openecs.model.load_balancing import Action, FixedResponseAction, Listener
from openecs.store.certificates import key_pair
from openecs.store.kinds import CERTIFICATE_ACCOUNTS, CERTIFICATES, LISTENERS
from openecs.store.memory import MemoryStore
from openecs.testing.builders import NOW, SCOPE, a_certificate

DAY = timedelta(days=1)


def a_listener(*certificates: str) -> Listener:
    answer = FixedResponseAction(status_code="200")
    return Listener(
        scope=SCOPE,
        load_balancer="app/web/0123456789abcdef",
        id="0123456789abcdef",
        protocol="HTTPS",
        port=443,
        default_actions=(Action(type="fixed-response", fixed_response=answer),),
        certificates=certificates,
        created_at=NOW,
    )


class World:
    """A store with a certificate issued at ``NOW``, and the loop that looks at it."""

    def __init__(self, directory, guard=None) -> None:
        self.store = MemoryStore()
        self.now = NOW
        self.authority = LocalAuthority(directory)
        self.loop = Certificates(
            store=self.store, clock=lambda: self.now, authority=self.authority, guard=guard
        )

    async def put(self, *, used: bool = True, **changes) -> Certificate:
        pair = self.authority.issue(["web.test", "*.web.test"], "EC_prime256v1", NOW)
        made = a_certificate(key_pair=pair, facts=x509.facts(pair.certificate), **changes)
        await self.store.write(lambda tx: tx.put(CERTIFICATES, made))
        if used:
            await self.store.write(lambda tx: tx.put(LISTENERS, a_listener(made.arn)))
        return made

    async def at(self, moment) -> Certificate:
        """The certificate after a look at a moment."""
        self.now = moment
        await self.loop.run_once()
        found = await self.store.read(lambda view: view.scan(CERTIFICATES, SCOPE))
        return found[0]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


async def test_renewed_in_time_under_its_arn(world):
    before = await world.put()
    assert await world.at(before.facts.not_after - 61 * DAY) == before
    after = await world.at(before.facts.not_after - 59 * DAY)
    assert after.arn == before.arn
    assert after.renewed_at == world.now
    assert after.facts.names == before.facts.names
    assert after.facts.not_after - before.facts.not_after > 300 * DAY
    found = await world.store.read(lambda view: key_pair(view, before.arn))
    assert found == after.key_pair
    usable = x509.examine(found.certificate, found.private_key, found.chain, world.now)
    assert usable.facts == after.facts
    assert await world.at(world.now + DAY) == after


async def test_one_that_ended_while_the_server_was_off_is_renewed(world):
    before = await world.put()
    after = await world.at(before.facts.not_after + 100 * DAY)
    assert after.facts.not_after > world.now


async def test_what_nobody_uses_is_left_to_end(world):
    before = await world.put(used=False)
    assert await world.at(before.facts.not_after) == before


async def test_a_certificate_changed_meanwhile_is_left_to_the_next_look(world):
    before = await world.put()
    tagged = replace(before, tags={"a": "b"})
    await world.store.write(lambda tx: tx.put(CERTIFICATES, tagged))
    await world.loop._renew(before, -1, before.facts.not_after)
    assert await world.store.read(lambda view: view.scan(CERTIFICATES, SCOPE)) == [tagged]


async def test_only_the_leader_renews(tmp_path):
    def lost(_):
        raise LeaseLost("gone")

    world = World(tmp_path, guard=lost)
    before = await world.put()
    await world.at(before.facts.not_after)
    assert await world.store.read(lambda view: view.scan(CERTIFICATES, SCOPE)) == [before]


async def test_there_is_word_once_a_day_of_what_nobody_renews(world):
    before = await world.put(type=CertificateType.IMPORTED)
    account = CertificateAccount(scope=SCOPE, days_before_expiry=10)
    await world.store.write(lambda tx: tx.put(CERTIFICATE_ACCOUNTS, account))
    end = before.facts.not_after
    with structlog.testing.capture_logs() as told:
        for moment in (end - 11 * DAY, end - 10 * DAY, end - 9.5 * DAY, end - 9 * DAY):
            assert await world.at(moment) == before
    assert [each["certificate"] for each in told] == [before.arn, before.arn]
