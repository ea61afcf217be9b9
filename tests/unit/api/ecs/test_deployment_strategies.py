"""Which deployment strategies may be asked for, and what an update keeps of them."""

from __future__ import annotations

import pytest

from openecs.model.load_balancing import (
    Action,
    Condition,
    ForwardAction,
    Rule,
    WeightedTargetGroup,
)
from openecs.model.task_definitions import PortMapping
from openecs.store.kinds import CLUSTERS, LISTENERS, RULES, TARGET_GROUPS, TASK_DEFINITIONS
from openecs.testing.builders import (
    SCOPE,
    a_cluster,
    a_container_definition,
    a_listener,
    a_target_group,
    a_task_definition,
)

INVALID = "InvalidParameterException"
APP = a_container_definition(port_mappings=(PortMapping(container_port=80),))
ONE, OTHER, THIRD = (a_target_group(name) for name in ("one", "other", "third"))
LISTENER = a_listener(ONE, OTHER, THIRD)


def a_rule(number, *groups):
    weighted = tuple(WeightedTargetGroup(target_group_arn=group.arn) for group in groups)
    return Rule(
        scope=SCOPE,
        listener=LISTENER.path,
        id=f"{number:016x}",
        priority=number,
        conditions=(Condition(field="path-pattern", values=("/*",)),),
        actions=(Action(type="forward", forward=ForwardAction(target_groups=weighted)),),
    )


BOTH, SINGLE, TEST = a_rule(1, ONE, OTHER), a_rule(2, ONE), a_rule(3, OTHER)
ADVANCED = {
    "alternateTargetGroupArn": OTHER.arn,
    "productionListenerRule": BOTH.arn,
    "roleArn": "arn:aws:iam::000000000000:role/ecs",
}
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 3}
PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]}
LAMBDA = {
    "hookTargetArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
    "roleArn": "arn:aws:iam::000000000000:role/ecs",
    "lifecycleStages": ["PRE_SCALE_UP"],
}


@pytest.fixture
async def world(world):
    await world.put(CLUSTERS, [a_cluster()])
    await world.put(TASK_DEFINITIONS, [a_task_definition("web", 1, APP)])
    await world.put(TARGET_GROUPS, [ONE, OTHER, THIRD])
    await world.put(LISTENERS, [LISTENER])
    await world.put(RULES, [BOTH, SINGLE, TEST])
    return world


def asked(configuration, *advanced):
    served = [
        {
            "targetGroupArn": ONE.arn,
            "containerName": "app",
            "containerPort": 80,
            "advancedConfiguration": each,
        }
        for each in advanced
    ]
    return {
        "serviceName": "s",
        "taskDefinition": "web",
        "desiredCount": 1,
        "deploymentConfiguration": configuration,
        **({"loadBalancers": served} if served else {}),
    }


async def test_a_strategy_is_shown_with_all_it_is(world) -> None:
    configuration = {"strategy": "CANARY", "lifecycleHooks": [PAUSE]}
    service = (await world.do("CreateService", **asked(configuration, ADVANCED)))["service"]
    shown = service["deploymentConfiguration"]
    assert shown["canaryConfiguration"] == {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
    assert shown["lifecycleHooks"] == [PAUSE]
    assert service["loadBalancers"][0]["advancedConfiguration"] == ADVANCED


async def test_an_update_keeps_what_goes_with_the_strategy_alone(world) -> None:
    configuration = {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 12.5}}
    await world.do("CreateService", **asked(configuration, ADVANCED))
    same = await world.do(
        "UpdateService", service="s", deploymentConfiguration={"bakeTimeInMinutes": 1}
    )
    shown = same["service"]["deploymentConfiguration"]
    assert shown["canaryConfiguration"]["canaryPercent"] == 12.5
    other = await world.do(
        "UpdateService", service="s", deploymentConfiguration={"strategy": "LINEAR"}
    )
    shown = other["service"]["deploymentConfiguration"]
    assert "canaryConfiguration" not in shown
    assert shown["linearConfiguration"] == {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}


async def test_deployments_take_turns_with_the_target_groups(world) -> None:
    await world.do("CreateService", **asked(BLUE_GREEN, ADVANCED))
    served = []
    for _ in range(2):
        service = (await world.do("UpdateService", service="s", forceNewDeployment=True))["service"]
        arns = [each["arn"] for each in service["currentServiceRevisions"][:1]]
        told = await world.do("DescribeServiceRevisions", serviceRevisionArns=arns)
        (pair,) = told["serviceRevisions"][0]["resolvedConfiguration"]["loadBalancers"]
        served.append(pair["targetGroupArn"])
    # Neither has completed: both would take over from the first one.
    assert served == [OTHER.arn, OTHER.arn]


@pytest.mark.parametrize(
    ("configuration", "text"),
    [
        (
            {"strategy": "BLUE_GREEN"},
            "bakeTimeInMinutes is required for the BLUE_GREEN deployment strategy.",
        ),
        (
            {"linearConfiguration": {"stepPercent": 10.0}},
            "linearConfiguration is only valid for the LINEAR deployment strategy.",
        ),
        (
            {"strategy": "LINEAR", "linearConfiguration": {"stepPercent": 2.9}},
            "stepPercent must be between 3.0 and 100.0, in steps of 0.1.",
        ),
        (
            {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 0.15}},
            "canaryPercent must be between 0.1 and 100.0, in steps of 0.1.",
        ),
        (
            {"strategy": "CANARY", "canaryConfiguration": {"canaryBakeTimeInMinutes": 1441}},
            "canaryBakeTimeInMinutes must be between 0 and 1440.",
        ),
        (
            {"lifecycleHooks": [PAUSE]},
            "lifecycleHooks are not supported for the ROLLING deployment strategy.",
        ),
        (
            BLUE_GREEN | {"lifecycleHooks": [PAUSE | {"lifecycleStages": ["TEST_TRAFFIC_SHIFT"]}]},
            "Invalid lifecycle stage provided for Pause Hook.",
        ),
        (
            BLUE_GREEN | {"lifecycleHooks": [PAUSE | {"lifecycleStages": []}]},
            "Invalid lifecycle stage provided for lifecycle hook.",
        ),
        (
            BLUE_GREEN
            | {"lifecycleHooks": [PAUSE | {"timeoutConfiguration": {"timeoutInMinutes": 0}}]},
            "timeoutInMinutes must be between 1 and 20160.",
        ),
        (
            BLUE_GREEN | {"lifecycleHooks": [LAMBDA | {"roleArn": ""}]},
            "roleArn is required for AWS_LAMBDA lifecycle hooks.",
        ),
        (
            BLUE_GREEN | {"lifecycleHooks": [LAMBDA]},
            (
                "OpenECS calls the functions of AWS_LAMBDA lifecycle hooks at the URL of its "
                "setting lambda_url, which is not set: set it, or use hooks of the type PAUSE."
            ),
        ),
    ],
)
async def test_configurations_that_cannot_be(world, configuration, text) -> None:
    refused = await world.refused("CreateService", **asked(configuration, ADVANCED))
    assert refused == (INVALID, text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"productionListenerRule": LISTENER.arn},
            (
                "productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or "
                f"ListenerArn for NLB. Got: {LISTENER.arn}"
            ),
        ),
        (
            {"testListenerRule": BOTH.arn},
            (
                "The following rules cannot be used as both production and test listener rules: "
                f"{BOTH.arn}"
            ),
        ),
        (
            {"productionListenerRule": SINGLE.arn},
            (
                "For Application LoadBalancer, testListenerRule is required when "
                "productionListenerRule is not associated with both targetGroup and "
                "alternateTargetGroup"
            ),
        ),
        ({"alternateTargetGroupArn": ONE.arn}, f"Duplicate targetGroupArn found: {ONE.arn}"),
        ({"roleArn": None}, "roleArn is required in advancedConfiguration."),
    ],
)
async def test_rules_that_could_not_move_traffic(world, changes, text) -> None:
    advanced = {k: v for k, v in {**ADVANCED, **changes}.items() if v is not None}
    assert await world.refused("CreateService", **asked(BLUE_GREEN, advanced)) == (INVALID, text)


async def test_a_test_rule_may_lead_to_the_alternate(world) -> None:
    advanced = ADVANCED | {"productionListenerRule": SINGLE.arn, "testListenerRule": TEST.arn}
    made = await world.do("CreateService", **asked(BLUE_GREEN, advanced))
    assert made["service"]["loadBalancers"][0]["advancedConfiguration"] == advanced


async def test_traffic_needs_two_target_groups_to_shift_between(world) -> None:
    request = asked(BLUE_GREEN, ADVANCED)
    del request["loadBalancers"][0]["advancedConfiguration"]
    assert await world.refused("CreateService", **request) == (
        INVALID,
        (
            "advancedConfiguration field is required for all loadBalancers when using a "
            "non-ROLLING deployment strategy"
        ),
    )


async def test_daemons_roll(world) -> None:
    request = asked(BLUE_GREEN, ADVANCED) | {"schedulingStrategy": "DAEMON"}
    del request["desiredCount"]
    assert await world.refused("CreateService", **request) == (
        INVALID,
        "The daemon scheduling strategy does not support the BLUE_GREEN deployment strategy.",
    )
