import pytest

from openecs.model.task_definitions import EnvironmentFile, NamedValue
from openecs.model.tasks import ContainerOverride, LaunchType, TaskOverride
from openecs.runtime.environment import Fetched, environment_of, parse_environment_file
from openecs.testing.builders import a_container_definition, a_task

ONE, TWO = "arn:aws:s3:::b/one.env", "arn:aws:s3:::b/two.env"


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB=2=3\n", {"A": "1", "B": "2=3"}),
        ("# A=1\n  # B=2\n\nnothing\n=3\n", {}),
        ("A=1\nA=2", {"A": "1"}),
        ("A=\r\nB= x ", {"A": "", "B": " x "}),
    ],
)
def test_files(text, variables):
    assert parse_environment_file(text) == variables


def test_later_wins_and_of_two_files_the_first():
    definition = a_container_definition(
        environment=(NamedValue(name="C", value="set"), NamedValue(name="D", value="set")),
        environment_files=(EnvironmentFile(value=ONE), EnvironmentFile(value=TWO)),
    )
    override = ContainerOverride(name="app", environment=(NamedValue(name="D", value="run"),))
    task = a_task(overrides=TaskOverride(container_overrides=(override,)))
    files = {ONE: "A=one\nC=one", TWO: "A=two\nB=two"}
    assert environment_of(task, definition, Fetched(files)) == {
        "A": "one",
        "B": "two",
        "C": "set",
        "D": "run",
        "AWS_EXECUTION_ENV": "AWS_ECS_EC2",
    }


def test_fargate_knows_its_region():
    task = a_task(launch_type=LaunchType.FARGATE)
    assert environment_of(task, a_container_definition(), Fetched()) == {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": task.scope.region,
        "AWS_DEFAULT_REGION": task.scope.region,
    }
