"""Blue/green, canary and linear deployments: real tasks on both sides, and traffic that moves."""

import pytest

from openecs.testing.traffic import traffic
from openecs_server import eventually
from services import Services
from shifted import ROLE, Shifted, functions, says

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:verify"


@pytest.fixture
def shifted(services):
    shifted = Shifted(services)
    yield shifted
    shifted.close()


def pause(*stages: str) -> dict:
    return {"targetType": "PAUSE", "lifecycleStages": list(stages)}


def serving(shifted, word: str, count: int = 2, **configuration) -> str:
    """The service ``s``, every task of which answers with that word."""
    definition = shifted.services.define("f", says(word))
    shifted.active()
    shifted.serve(count, definition, deploymentConfiguration=BLUE_GREEN | configuration)
    eventually(lambda: set(shifted.answers(4)) == {word})
    return definition


@pytest.mark.covers("ecs:ContinueServiceDeployment", "ecs:DescribeServiceDeployments")
def test_blue_green_moves_all_traffic_at_once(shifted):
    services = shifted.services
    serving(shifted, "blue")
    first = shifted.ended()
    assert shifted.weights() == {"a": 100, "b": 0}
    with traffic(f"http://127.0.0.1:{shifted.port}/", host=shifted.host) as load:
        services.update(
            "s",
            taskDefinition=services.define("f", says("green")),
            deploymentConfiguration={"lifecycleHooks": [pause("POST_TEST_TRAFFIC_SHIFT")]},
        )
        shifted.paused()
        assert shifted.deployment()["lifecycleStage"] == "POST_TEST_TRAFFIC_SHIFT"
        assert set(shifted.answers(10)) == {"blue"}
        assert set(shifted.tested()) == {"green"}
        assert len(services.tasks_of("s")) == 4
        shifted.proceed()
        done = shifted.ended()
        eventually(lambda: set(shifted.answers(10)) == {"green"})
        services.running_of("s", 2)
        eventually(lambda: not shifted.health(), within=30)
    assert load.failures == []
    assert set(load.bodies) == {"blue", "green"}
    assert shifted.weights() == {"a": 0, "b": 100}
    assert done["lifecycleStage"] == "CLEAN_UP"
    assert done["targetServiceRevision"]["requestedProductionTrafficWeight"] == 100.0
    assert done["sourceServiceRevisions"][0]["arn"] == first["targetServiceRevision"]["arn"]
    revision = services.ecs.describe_service_revisions(
        serviceRevisionArns=[done["targetServiceRevision"]["arn"]]
    )["serviceRevisions"][0]
    resolved = {"targetGroupArn": shifted.alternate, "productionListenerRule": shifted.rule}
    assert revision["resolvedConfiguration"]["loadBalancers"] == [resolved]


def test_a_canary_goes_on_where_a_killed_server_stood(own_server):
    own_server.extra["OPENECS_DEPLOYMENT_HEALTHY_AFTER"] = "1"
    own_server.start()
    shifted = Shifted(Services(own_server))
    services = shifted.services
    serving(shifted, "blue")
    canary = {
        "strategy": "CANARY",
        "canaryConfiguration": {"canaryPercent": 20.0, "canaryBakeTimeInMinutes": 0},
        "lifecycleHooks": [pause("PRE_PRODUCTION_TRAFFIC_SHIFT")],
    }
    try:
        with traffic(f"http://127.0.0.1:{shifted.port}/", host=shifted.host) as load:
            services.update(
                "s",
                taskDefinition=services.define("f", says("green")),
                deploymentConfiguration=canary,
            )
            first = shifted.paused()
            shifted.proceed()
            eventually(lambda: shifted.paused() != first)
            assert shifted.weights() == {"a": 80, "b": 20}
            eventually(lambda: "green" in shifted.answers(20))
            own_server.kill()
            before = load.bodies.copy()
            eventually(lambda: (load.bodies - before).total() > 500)
            during = load.bodies - before
            own_server.start()
            shifted.proceed()
            shifted.ended()
            services.running_of("s", 2)
        assert load.failures == []
        assert 0.1 < during["green"] / during.total() < 0.3
        assert shifted.weights() == {"a": 0, "b": 100}
    finally:
        shifted.close()


@pytest.mark.covers("ecs:StopServiceDeployment")
def test_linear_steps_and_a_stop_on_the_way(shifted):
    services = shifted.services
    blue = serving(shifted, "blue")
    linear = {
        "strategy": "LINEAR",
        "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 0},
        "lifecycleHooks": [pause("PRE_PRODUCTION_TRAFFIC_SHIFT")],
    }
    with traffic(f"http://127.0.0.1:{shifted.port}/", host=shifted.host) as load:
        services.update(
            "s",
            taskDefinition=services.define("f", says("green")),
            deploymentConfiguration=linear,
        )
        shares = []
        for _ in range(3):
            hook = shifted.paused()
            shares.append(shifted.weights()["b"])
            if shares[-1] == 80:
                break
            shifted.proceed()
            eventually(lambda hook=hook: shifted.paused() != hook)
        arn = shifted.deployment()["serviceDeploymentArn"]
        services.ecs.stop_service_deployment(serviceDeploymentArn=arn)
        done = shifted.ended("ROLLBACK_SUCCESSFUL")
        services.running_of("s", 2)
    assert shares == [0, 40, 80]
    assert load.failures == []
    assert shifted.weights() == {"a": 100, "b": 0}
    eventually(lambda: set(shifted.answers(10)) == {"blue"})
    assert services.show("s")["taskDefinition"].endswith(blue)
    assert done["rollback"]["reason"].endswith("because a user requested it.")


def test_what_fails_its_checks_never_gets_traffic(shifted):
    services = shifted.services
    breaker = {"enable": True, "rollback": True}
    serving(shifted, "blue", deploymentCircuitBreaker=breaker)
    with traffic(f"http://127.0.0.1:{shifted.port}/", host=shifted.host) as load:
        services.update("s", taskDefinition=services.define("f", says("no; rm /w/index.html")))
        done = shifted.ended("ROLLBACK_SUCCESSFUL", within=120)
    assert load.failures == []
    assert set(load.bodies) == {"blue"}
    reason = "Service deployment rolled back because the circuit breaker threshold was exceeded."
    assert done["statusReason"] == reason


def test_functions_decide(tmp_path):
    from openecs_server import OpenEcs

    with functions() as served:
        server = OpenEcs(tmp_path / "data", OPENECS_LAMBDA_URL=served.url)
        server.extra["OPENECS_DEPLOYMENT_HEALTHY_AFTER"] = "1"
        server.start()
        shifted = Shifted(Services(server))
        try:
            _functions_decide(shifted, served)
            shifted.close()
        finally:
            server.clean()


def _functions_decide(shifted, served) -> None:
    services = shifted.services
    serving(shifted, "blue")
    hook = {
        "hookTargetArn": FUNCTION,
        "roleArn": ROLE,
        "lifecycleStages": ["POST_SCALE_UP"],
        "hookDetails": {"suite": "smoke"},
    }
    configuration = BLUE_GREEN | {"lifecycleHooks": [hook]}
    again = {"hookStatus": "IN_PROGRESS", "callBackDelay": 1, "hookDetails": {"run": 7}}
    served.answers = [again, {"hookStatus": "SUCCEEDED"}, {"hookStatus": "FAILED"}]
    services.update(
        "s",
        taskDefinition=services.define("f", says("green")),
        deploymentConfiguration=configuration,
    )
    done = shifted.ended()
    (function, told), (_, then) = served.calls
    assert function == FUNCTION
    assert told["lifecycleStage"] == "POST_SCALE_UP"
    assert told["resourceArn"] == done["serviceDeploymentArn"]
    assert told["hookDetails"] == {"suite": "smoke"}
    weights = told["executionDetails"]["productionTrafficWeights"]
    assert weights[done["targetServiceRevision"]["arn"]] == 0.0
    assert weights[done["sourceServiceRevisions"][0]["arn"]] == 100.0
    assert then["hookDetails"] == {"run": 7}
    services.update("s", forceNewDeployment=True)
    failed = shifted.ended("ROLLBACK_SUCCESSFUL")
    assert failed["statusReason"] == (
        "Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. Lifecycle "
        f"hook target {FUNCTION} returned FAILED status."
    )
