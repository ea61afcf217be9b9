"""``openecs simulate`` as it is typed."""

import json

import pytest
from typer.testing import CliRunner

from openecs.cli import app
from openecs.cli.failure import Failure

POLICY = {
    "PolicyName": "cpu",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "ECSServiceAverageCPUUtilization"
        },
    },
}


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "cpu.json"
    path.write_text(json.dumps(POLICY))
    return str(path)


def openecs(*words: str) -> str:
    done = CliRunner().invoke(app, ["simulate", *words])
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_a_table_and_a_picture(policy, tmp_path):
    for ending, begins in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        picture = tmp_path / f"chart.{ending}"
        told = openecs(policy, "--shape", "spike", "--chart", str(picture))
        assert "task-hours" in told
        assert picture.read_bytes().startswith(begins)


def test_two_policies_side_by_side(policy):
    told = json.loads(openecs(policy, "--against", policy, "--shape", "step", "--json"))
    assert set(told) == {"policy", "against"}
    assert told["policy"] == told["against"]
    assert told["policy"]["scale_outs"] > 0


def test_a_file_of_traffic(policy, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text("time,requests_per_second\n0,10\n600,10\n")
    told = json.loads(openecs(policy, "--trace", str(trace), "--json"))
    assert told["policy"]["requests"] == pytest.approx(6100)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--shape", "round"], "there are black-friday, daily, spike, step"),
        (["--base", "9", "--peak", "1"], "--base"),
        (["--requests-per-task", "0"], "requests per task"),
        (["--start", "noon"], "--start: noon is no time"),
        (["--trace", "/nowhere.csv"], "nowhere.csv"),
        (["--chart", "/nowhere/chart.png"], "--chart"),
        (["--chart", "chart.docx"], "--chart"),
        (["--min", "5", "--max", "1"], "Maximum capacity"),
    ],
)
def test_what_cannot_be_is_told(policy, words, why):
    with pytest.raises(Failure, match=why):
        openecs(policy, "--shape", "spike", *words)
