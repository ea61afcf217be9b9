"""Express services: what one call makes, and what an update and a deletion make of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openecs.api.base import ApiSettings
from openecs.api.ec2.internet_gateways import attach_internet_gateway, create_internet_gateway
from openecs.api.ec2.route_tables import associate_route_table, create_route, create_route_table
from openecs.api.ec2.security_groups import create_security_group
from openecs.api.ec2.subnets import create_subnet
from openecs.api.ec2.vpcs import create_vpc
from openecs.app import SystemIds
from openecs.authority import LocalAuthority
from openecs.decide.default_network import default_network
from openecs.model.load_balancing import LoadBalancerState, LoadBalancerStateCode
from openecs.model.services import RolloutState, ServiceStatus
from openecs.store.kinds import (
    CERTIFICATES,
    EXPRESS_GATEWAYS,
    LISTENERS,
    LOAD_BALANCER_STATES,
    LOAD_BALANCERS,
    RULES,
    SECURITY_GROUPS,
    SERVICES,
    TARGET_GROUPS,
)
from openecs.store.kinds import SUBNETS as SUBNET_KIND
from openecs.testing.builders import SCOPE, SECURITY_GROUP, a_call

INVALID = "InvalidParameterException"
ROLES = "arn:aws:iam::123456789012:role"
REQUEST = {
    "serviceName": "web",
    "executionRoleArn": f"{ROLES}/execution",
    "infrastructureRoleArn": f"{ROLES}/infrastructure",
    "primaryContainer": {"image": "nginx"},
}
ARN = SCOPE.arn("ecs", "service/default/web")
SUBNETS = [each.id for each in default_network(SCOPE).subnets]


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return LocalAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def world(world, authority):
    world.call = a_call(settings=ApiSettings(authority=authority), ids=SystemIds())
    return world


async def create(world, **changes):
    answer = await world.do("CreateExpressGatewayService", **{**REQUEST, **changes})
    return answer["service"]


async def update(world, **changes):
    answer = await world.do("UpdateExpressGatewayService", serviceArn=ARN, **changes)
    return answer["service"]


async def everything(world, kind):
    return await world.store.read(lambda view: view.scan(kind, None))


async def the_service(world):
    (service,) = await everything(world, SERVICES)
    return service


async def completed(world):
    """The newest deployment has completed, and is alone."""
    service = await the_service(world)
    primary = replace(service.deployments[0], rollout_state=RolloutState.COMPLETED)
    done = replace(service, deployments=(primary,), completed_revision=primary.revision)
    await world.put(SERVICES, [done])


def without_logs(configuration: dict) -> dict:
    """The container, but for the log group that was made for it."""
    return {
        k: v for k, v in configuration["primaryContainer"].items() if k != "awsLogsConfiguration"
    }


async def test_one_call_makes_all_that_it_takes(world) -> None:
    made = await create(world)
    (configuration,) = made["activeConfigurations"]
    (path,) = configuration["ingressPaths"]
    assert path["accessType"] == "PUBLIC"
    assert path["endpoint"].startswith("we-")
    assert path["endpoint"].endswith(f".ecs.{SCOPE.region}.on.localhost")
    assert (configuration["cpu"], configuration["memory"]) == ("256", "512")
    assert configuration["healthCheckPath"] == "/ping"
    assert without_logs(configuration) == {"image": "nginx", "containerPort": 80}
    assert configuration["taskDefinitionArn"].endswith("task-definition/default-web:1")
    assert configuration["scalingTarget"] == {
        "minTaskCount": 1,
        "maxTaskCount": 20,
        "autoScalingMetric": "AVERAGE_CPU",
        "autoScalingTargetValue": 60,
    }
    (rule,) = await everything(world, RULES)
    assert rule.conditions[0].values == (path["endpoint"],)
    (balancer,) = await everything(world, LOAD_BALANCERS)
    assert balancer.name.startswith("ecs-express-gateway-alb-")
    (certificate,) = await everything(world, CERTIFICATES)
    assert certificate.facts.names == (path["endpoint"],)
    assert (
        made
        == (await world.do("DescribeExpressGatewayService", serviceArn=ARN, include=["TAGS"]))[
            "service"
        ]
    )


async def test_the_service_is_one_of_ecs(world) -> None:
    made = await create(world, scalingTarget={"minTaskCount": 3})
    (shown,) = (await world.do("DescribeServices", services=["web"]))["services"]
    assert shown["resourceManagementType"] == "ECS"
    assert shown["desiredCount"] == 3
    assert shown["deploymentConfiguration"]["strategy"] == "CANARY"
    network = shown["deployments"][0]["networkConfiguration"]["awsvpcConfiguration"]
    (group,) = network["securityGroups"]
    assert made["activeConfigurations"][0]["networkConfiguration"]["securityGroups"] == [group]
    for managed_by, arns in (("ECS", [ARN]), ("CUSTOMER", [])):
        listed = await world.do("ListServices", resourceManagementType=managed_by)
        assert listed["serviceArns"] == arns
    assert await world.refused("DeleteService", service="web", force=True) == (
        INVALID,
        f"{ARN} has ResourceManagementType=ECS use DeleteExpressGatewayService to delete",
    )
    assert await world.refused(
        "UpdateService", service="web", deploymentConfiguration={"strategy": "ROLLING"}
    ) == (
        INVALID,
        "Updating to ROLLING deployment strategy is not supported for ExpressGatewayServices.",
    )


async def test_a_revision_tells_what_was_made(world) -> None:
    made = await create(world)
    (shown,) = made["activeConfigurations"]
    told = await world.do(
        "DescribeServiceRevisions", serviceRevisionArns=[shown["serviceRevisionArn"]]
    )
    managed = told["serviceRevisions"][0]["ecsManagedResources"]
    (path,) = managed["ingressPaths"]
    (gateway,) = await everything(world, EXPRESS_GATEWAYS)
    (listener,) = await everything(world, LISTENERS)
    assert path["endpoint"] == shown["ingressPaths"][0]["endpoint"]
    assert path["loadBalancer"]["status"] == "PROVISIONING"
    assert path["listener"]["arn"] == listener.arn
    assert path["certificate"]["arn"] == gateway.certificate_arn
    assert {each["arn"] for each in path["targetGroups"]} == {*gateway.target_group_arns}
    assert {each["port"] for each in path["targetGroups"]} == {80}
    (group,) = shown["networkConfiguration"]["securityGroups"]
    assert managed["serviceSecurityGroups"][0]["arn"].endswith(group)


async def test_why_it_cannot_be_reached(world) -> None:
    made = await create(world)
    assert made["status"] == {"statusCode": "ACTIVE"}
    (balancer,) = await everything(world, LOAD_BALANCERS)
    state = LoadBalancerState(
        scope=SCOPE,
        load_balancer=balancer.path,
        code=LoadBalancerStateCode.ACTIVE_IMPAIRED,
        reason="taken",
    )
    await world.put(LOAD_BALANCER_STATES, [state])
    found = await world.do("DescribeExpressGatewayService", serviceArn=ARN)
    assert found["service"]["status"] == {"statusCode": "ACTIVE", "statusReason": "taken"}


async def test_services_of_the_same_subnets_share_a_load_balancer(world) -> None:
    for number in range(26):
        await create(world, serviceName=f"web{number}")
    balancers = await everything(world, LOAD_BALANCERS)
    listeners = await everything(world, LISTENERS)
    assert len(balancers) == len(listeners) == 2
    assert sorted(len(each.certificates) for each in listeners) == [1, 25]
    assert len(await everything(world, TARGET_GROUPS)) == 52
    await create(world, serviceName="elsewhere", networkConfiguration={"subnets": SUBNETS[:2]})
    assert len(await everything(world, LOAD_BALANCERS)) == 3
    groups = [group.name for group in await everything(world, SECURITY_GROUPS)]
    assert len({*groups}) == len(groups) == 27 + 3 + 1


async def test_an_update_deploys_what_is_given_over_what_was(world) -> None:
    first = await create(world, primaryContainer={"image": "nginx", "containerPort": 8080})
    await completed(world)
    same = await update(world, primaryContainer={"image": "nginx"})
    before = first["activeConfigurations"][0]
    assert same["targetConfiguration"] == before
    environment = [{"name": "A", "value": "b"}]
    changed = await update(world, primaryContainer={"image": "nginx", "environment": environment})
    target = changed["targetConfiguration"]
    assert without_logs(target) == {
        "image": "nginx",
        "containerPort": 8080,
        "environment": environment,
    }
    assert target["taskDefinitionArn"].endswith(":2")
    found = await world.do("DescribeExpressGatewayService", serviceArn=ARN)
    assert found["service"]["activeConfigurations"] == [target, before]


async def test_another_health_check_path_is_for_the_new_tasks(world) -> None:
    await create(world)
    await completed(world)
    await update(world, healthCheckPath="/ready")
    (gateway,) = await everything(world, EXPRESS_GATEWAYS)
    paths = {g.arn: g.health_check.path for g in await everything(world, TARGET_GROUPS)}
    assert [paths[arn] for arn in gateway.target_group_arns] == ["/ping", "/ready"]


async def test_the_count_keeps_to_the_scaling_target(world) -> None:
    await create(world)
    for target, count in (({"minTaskCount": 4}, 4), ({"minTaskCount": 1, "maxTaskCount": 2}, 2)):
        await update(world, scalingTarget=target)
        service = await the_service(world)
        assert (service.desired_count, len(service.deployments)) == (count, 1)


async def test_another_port_is_let_in(world) -> None:
    made = await create(world)
    (group,) = made["activeConfigurations"][0]["networkConfiguration"]["securityGroups"]
    await completed(world)
    await update(world, primaryContainer={"image": "nginx", "containerPort": 81})
    rules = next(g for g in await everything(world, SECURITY_GROUPS) if g.id == group).rules
    assert [rule.from_port for rule in rules if not rule.is_egress] == [80, 81]
    assert (await the_service(world)).revision.load_balancers[0].container_port == 81


async def test_what_update_service_deploys_is_still_an_express_service(world) -> None:
    made = await create(world)
    await completed(world)
    await world.do("UpdateService", service="web", forceNewDeployment=True)
    found = await world.do("DescribeExpressGatewayService", serviceArn=ARN)
    newest = found["service"]["activeConfigurations"][0]
    assert newest["scalingTarget"] == made["activeConfigurations"][0]["scalingTarget"]


async def test_a_task_definition_of_the_users_own(world) -> None:
    container = {
        "name": "Main",
        "image": "nginx",
        "portMappings": [{"containerPort": 80, "name": "http"}],
    }
    asked = {
        "family": "own",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
    }
    one = await world.do("RegisterTaskDefinition", **asked, containerDefinitions=[container])
    other = await world.do(
        "RegisterTaskDefinition", **asked, containerDefinitions=[{**container, "name": "app"}]
    )
    arns = [each["taskDefinition"]["taskDefinitionArn"] for each in (one, other)]
    request = {k: REQUEST[k] for k in ("serviceName", "infrastructureRoleArn")}
    refused = await world.refused(
        "CreateExpressGatewayService", **request, taskDefinitionArn=arns[1]
    )
    assert refused[1].startswith("The task definition must have a container named Main")
    made = await world.do("CreateExpressGatewayService", **request, taskDefinitionArn=arns[0])
    assert made["service"]["activeConfigurations"][0]["taskDefinitionArn"] == arns[0]
    assert await world.refused("UpdateExpressGatewayService", serviceArn=ARN, cpu="512") == (
        INVALID,
        "primaryContainer is required.",
    )


async def test_a_definition_that_update_service_has_deployed(world) -> None:
    await create(world)
    await completed(world)
    container = {"name": "Main", "image": "own", "portMappings": [{"containerPort": 80}]}
    registered = await world.do(
        "RegisterTaskDefinition",
        family="own",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    arn = registered["taskDefinition"]["taskDefinitionArn"]
    await world.do("UpdateService", service="web", taskDefinition=arn)
    found = await world.do("DescribeExpressGatewayService", serviceArn=ARN)
    assert found["service"]["activeConfigurations"][0]["primaryContainer"]["image"] == "own"
    refused = await world.refused("UpdateExpressGatewayService", serviceArn=ARN, memory="1024")
    assert refused == (INVALID, "primaryContainer is required.")


async def test_an_update_in_the_middle_of_another(world) -> None:
    await create(world)
    await completed(world)
    for word in ("one", "two"):
        await update(world, primaryContainer={"image": word})
    found = await world.do("DescribeExpressGatewayService", serviceArn=ARN)
    images = [
        each["primaryContainer"]["image"] for each in found["service"]["activeConfigurations"]
    ]
    assert images == ["two", "one", "nginx"]
    assert [d.revision.on_alternate for d in (await the_service(world)).deployments] == [
        True,
        True,
        False,
    ]


async def test_where_the_tasks_stand_may_change_in_the_vpc(world) -> None:
    made = await create(world)
    await completed(world)
    (own,) = made["activeConfigurations"][0]["networkConfiguration"]["securityGroups"]
    changed = await update(world, networkConfiguration={"subnets": SUBNETS[:2]})
    network = changed["targetConfiguration"]["networkConfiguration"]
    assert network == {"subnets": SUBNETS[:2], "securityGroups": [own]}
    again = await update(world, networkConfiguration={"securityGroups": [SECURITY_GROUP]})
    network = again["targetConfiguration"]["networkConfiguration"]
    assert network == {"subnets": SUBNETS[:2], "securityGroups": [SECURITY_GROUP, own]}


async def test_a_deletion_drains(world) -> None:
    await create(world)
    gone = (await world.do("DeleteExpressGatewayService", serviceArn=ARN))["service"]
    assert gone["status"]["statusCode"] == "DRAINING"
    assert (await the_service(world)).desired_count == 0
    await world.do("DeleteExpressGatewayService", serviceArn=ARN)
    draining = (INVALID, "Unable to Start a service that is still Draining.")
    assert await world.refused("CreateExpressGatewayService", **REQUEST) == draining
    refused = await world.refused("UpdateExpressGatewayService", serviceArn=ARN)
    assert refused[0] == "ServiceNotActiveException"
    inactive = replace(await the_service(world), status=ServiceStatus.INACTIVE)
    await world.put(SERVICES, [inactive])
    assert await world.refused("CreateExpressGatewayService", **REQUEST) == draining


async def test_a_name_of_the_image(world) -> None:
    container = {"image": "public.ecr.aws/some/my.app:1.2@sha256:ab"}
    request = {k: v for k, v in REQUEST.items() if k != "serviceName"}
    made = await world.do(
        "CreateExpressGatewayService", **{**request, "primaryContainer": container}
    )
    assert made["service"]["serviceName"].startswith("my-app-")


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"infrastructureRoleArn": "me"}, ("ClientException", "Role is not valid")),
        ({"executionRoleArn": None}, (INVALID, "executionRoleArn is required.")),
        ({"primaryContainer": None}, (INVALID, "primaryContainer is required.")),
        (
            {"healthCheckPath": "ping"},
            (INVALID, "healthCheckPath must start with a forward slash (/)."),
        ),
        (
            {"scalingTarget": {"minTaskCount": 3, "maxTaskCount": 2}},
            (INVALID, "minTaskCount cannot be negative, nor greater than maxTaskCount."),
        ),
        (
            {"scalingTarget": {"autoScalingTargetValue": 0}},
            (INVALID, "autoScalingTargetValue must be greater than 0."),
        ),
        (
            {"taskDefinitionArn": "own"},
            (
                INVALID,
                (
                    "You cannot specify primaryContainer, executionRoleArn together with "
                    "taskDefinitionArn."
                ),
            ),
        ),
        (
            {"networkConfiguration": {"subnets": SUBNETS[:1]}},
            (
                INVALID,
                "At least two subnets in two different Availability Zones must be specified.",
            ),
        ),
        ({"cluster": "other"}, ("ClusterNotFoundException", "Cluster not found.")),
        (
            {"primaryContainer": {"image": "nginx", "containerPort": 0}},
            (INVALID, "containerPort must be between 1 and 65535."),
        ),
    ],
)
async def test_what_may_not_be(world, changes, refused) -> None:
    asked = {k: v for k, v in {**REQUEST, **changes}.items() if v is not None}
    assert await world.refused("CreateExpressGatewayService", **asked) == refused
    assert not await everything(world, LOAD_BALANCERS)


async def a_private_network(world) -> list[str]:
    """Two subnets without a way to the internet."""

    def make(tx):
        vpc = create_vpc(tx, world.call, {"CidrBlock": "10.9.0.0/16"})["Vpc"]["VpcId"]
        zones = (f"{SCOPE.region}a", f"{SCOPE.region}b")
        requests = [
            {"VpcId": vpc, "CidrBlock": f"10.9.{n}.0/24", "AvailabilityZone": zone}
            for n, zone in enumerate(zones)
        ]
        return [create_subnet(tx, world.call, each)["Subnet"]["SubnetId"] for each in requests]

    return await world.store.write(make)


async def test_private_subnets_have_a_private_endpoint(world) -> None:
    private = await a_private_network(world)
    refused = await world.refused(
        "CreateExpressGatewayService",
        **REQUEST,
        networkConfiguration={"subnets": [private[0], SUBNETS[0]]},
    )
    assert refused == (INVALID, "subnets must all be in the same VPC.")
    made = await create(world, networkConfiguration={"subnets": private})
    (path,) = made["activeConfigurations"][0]["ingressPaths"]
    assert path["accessType"] == "PRIVATE"
    (balancer,) = await everything(world, LOAD_BALANCERS)
    assert balancer.scheme == "internal"
    assert (await the_service(world)).revision.network_configuration.assign_public_ip == "DISABLED"
    refused = await world.refused(
        "UpdateExpressGatewayService", serviceArn=ARN, networkConfiguration={"subnets": SUBNETS}
    )
    assert refused == (INVALID, "The VPC of an Express service cannot be changed.")


async def test_subnets_are_public_all_or_none(world) -> None:
    private = await a_private_network(world)

    def open_one(tx):
        vpc = next(each.vpc_id for each in tx.scan(SUBNET_KIND, None) if each.id == private[0])
        gateway = create_internet_gateway(tx, world.call, {})["InternetGateway"]
        attached = {"InternetGatewayId": gateway["InternetGatewayId"]}
        attach_internet_gateway(tx, world.call, {**attached, "VpcId": vpc})
        made = create_route_table(tx, world.call, {"VpcId": vpc})["RouteTable"]
        table = {"RouteTableId": made["RouteTableId"]}
        associate_route_table(tx, world.call, {**table, "SubnetId": private[0]})
        everywhere = {"DestinationCidrBlock": "0.0.0.0/0"}
        gateway_id = {"GatewayId": attached["InternetGatewayId"]}
        create_route(tx, world.call, {**table, **everywhere, **gateway_id})

    await world.store.write(open_one)
    refused = await world.refused(
        "CreateExpressGatewayService", **REQUEST, networkConfiguration={"subnets": private}
    )
    assert refused == (INVALID, "subnets must be either all public or all private.")


async def test_what_another_service_refuses_is_told(world) -> None:
    vpc = default_network(SCOPE).vpc.id
    asked = {"GroupName": f"default-web-{vpc}", "Description": "mine", "VpcId": vpc}
    await world.store.write(lambda tx: create_security_group(tx, world.call, asked))
    code, text = await world.refused("CreateExpressGatewayService", **REQUEST)
    assert (code, text.partition(":")[0]) == ("ClientException", "InvalidGroup.Duplicate")


async def test_what_is_not_there(world) -> None:
    refused = await world.refused("DescribeExpressGatewayService", serviceArn=ARN)
    assert refused[0] == "ResourceNotFoundException"
    for operation in ("UpdateExpressGatewayService", "DeleteExpressGatewayService"):
        assert (await world.refused(operation, serviceArn=ARN))[0] == "ServiceNotFoundException"
    refused = await world.refused("DescribeExpressGatewayService", serviceArn="web")
    assert refused == (INVALID, "The ARN provided is invalid.")
    await create(world)
    assert (await world.refused("CreateExpressGatewayService", **REQUEST))[0] == INVALID
