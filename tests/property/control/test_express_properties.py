"""Express services come and go: what is there is always exactly what the ones there need."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from openecs.api.base import ApiSettings
from openecs.api.ecs import SERVICE
from openecs.app import SystemIds
from openecs.authority import LocalAuthority
from openecs.control.express_gateways import ExpressGateways
from openecs.decide.default_network import default_network
from openecs.model.services import ServiceStatus
from openecs.store.kinds import (
    CERTIFICATES,
    EXPRESS_GATEWAYS,
    LISTENERS,
    LOAD_BALANCERS,
    RULES,
    SECURITY_GROUPS,
    SERVICES,
    TARGET_GROUPS,
)
from openecs.testing.builders import NOW, SCOPE, a_call
from operations_world import World

ROLE = "arn:aws:iam::123456789012:role/r"
SUBNETS = [each.id for each in default_network(SCOPE).subnets]
PLACES = (SUBNETS, SUBNETS[:2])

#: Create (in one of two places) or delete a service, or have what was made for deleted ones go.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from("abcd"), st.sampled_from(PLACES)),
        st.tuples(st.just("delete"), st.sampled_from("abcd"), st.none()),
        st.tuples(st.just("reconcile"), st.none(), st.none()),
    ),
    max_size=20,
)


class OnePair:
    """An authority that makes its one key only once: making keys is not what this is about."""

    @cached_property
    def _pair(self):
        with TemporaryDirectory() as directory:
            authority = LocalAuthority(Path(directory))
            return authority.issue(["web.test"], "EC_prime256v1", NOW)

    def issue(self, *_):
        return self._pair


AUTHORITY = OnePair()


class Express(World):
    def __init__(self) -> None:
        super().__init__(SERVICE)
        self.call = a_call(settings=ApiSettings(authority=AUTHORITY), ids=SystemIds())
        self.loop = ExpressGateways(store=self.store, clock=lambda: NOW, ids=SystemIds())

    async def take(self, step: str, name: str | None, subnets: list[str] | None) -> None:
        gateways = await self.everything(EXPRESS_GATEWAYS)
        known = next((each for each in gateways if each.service == name), None)
        if step == "create" and known is None:
            await self.do(
                "CreateExpressGatewayService",
                serviceName=name,
                executionRoleArn=ROLE,
                infrastructureRoleArn=ROLE,
                primaryContainer={"image": "nginx"},
                networkConfiguration={"subnets": subnets},
            )
        elif step == "delete" and known is not None and known.left_at is None:
            await self.delete(name)
        elif step == "reconcile":
            for each in gateways:
                await self.loop.reconcile((each.scope, EXPRESS_GATEWAYS.key(each)))

    async def delete(self, name: str) -> None:
        arn = SCOPE.arn("ecs", f"service/default/{name}")
        await self.do("DeleteExpressGatewayService", serviceArn=arn)
        service = await self.store.read(lambda view: view.get(SERVICES, SCOPE, f"default/{name}"))
        await self.put(SERVICES, [replace(service, status=ServiceStatus.INACTIVE)])

    async def everything(self, kind):
        return await self.store.read(lambda view: view.scan(kind, None))

    async def check(self) -> None:
        """Nothing is missing, nothing is left over, nothing is another's."""
        gateways = await self.everything(EXPRESS_GATEWAYS)
        balancers = {each.arn: each for each in await self.everything(LOAD_BALANCERS)}
        assert {each.load_balancer_arn for each in gateways} == set(balancers)
        assert {each.certificate_arn for each in gateways} == {
            each.arn for each in await self.everything(CERTIFICATES)
        }
        assert {arn for each in gateways for arn in each.target_group_arns} == {
            each.arn for each in await self.everything(TARGET_GROUPS)
        }
        rules = await self.everything(RULES)
        assert {each.listener_rule_arn for each in gateways} == {each.arn for each in rules}
        assert {each.conditions[0].values[0] for each in rules} == {each.host for each in gateways}
        groups = {each.id for each in await self.everything(SECURITY_GROUPS) if each.tags}
        shared = {group for each in balancers.values() for group in each.security_groups}
        assert groups == shared | {each.security_group_id for each in gateways}
        for listener in await self.everything(LISTENERS):
            behind = {
                each.certificate_arn
                for each in gateways
                if balancers[each.load_balancer_arn].path == listener.load_balancer
            }
            assert set(listener.certificates) == behind


@settings(deadline=None, max_examples=50)
@given(steps)
def test_what_is_there_is_what_the_services_need(taken):
    async def run() -> None:
        express = Express()
        for step in taken:
            await express.take(*step)
            await express.check()
        for name in "abcd":
            await express.take("delete", name, None)
        await express.take("reconcile", None, None)
        assert await express.everything(EXPRESS_GATEWAYS) == []
        await express.check()

    asyncio.run(run())
