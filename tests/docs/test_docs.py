"""The documents say what is so: links lead somewhere, examples are accepted."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import botocore.session
import pytest
from botocore.validate import validate_parameters

from openecs import config

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
pages = pytest.mark.parametrize("page", PAGES, ids=IDS)


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.DOTALL)


@pages
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    local = [t.partition("#")[0] for t in targets if not t.startswith(("http", "#"))]
    assert [t for t in local if not (page.parent / t).exists()] == []


@pages
def test_scripts_that_are_named_exist(page):
    named = set(re.findall(r"\b(?:scripts|examples|deploy|\.ci)/[\w./-]*\w", page.read_text()))
    assert [name for name in named if not (ROOT / name).exists()] == []


@pages
def test_examples_in_python_compile(page):
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")


@pages
def test_examples_of_settings_are_accepted(page, tmp_path):
    for block in blocks(page, "toml"):
        (tmp_path / "openecs.toml").write_text(block)
        config.load({}, {}, tmp_path / "openecs.toml")
        assert tomllib.loads(block)


@pages
def test_variables_that_are_named_are_settings(page):
    known = {f"OPENECS_{name.upper()}" for name in config.Settings.__dataclass_fields__}
    named = set(re.findall(r"OPENECS_[A-Z_]*[A-Z]", page.read_text()))
    assert named - known - {"OPENECS_CONFIG"} == set()


def test_the_example_is_a_task_definition_of_amazons():
    model = botocore.session.get_session().get_service_model("ecs")
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    example = json.loads((ROOT / "examples/task-def.json").read_text())
    validate_parameters(example, shape)
    assert example["family"] == "my-task"


def test_every_room_is_on_the_map():
    rooms = {
        path.stem if path.is_file() else path.name
        for path in (ROOT / "src/openecs").iterdir()
        if path.name not in {"__pycache__", "py.typed", "testing"}
        and not path.name.startswith("__")
    }
    shown = set(re.findall(r"`(\w+)`", (ROOT / "docs/design/README.md").read_text()))
    assert rooms - shown - {"root_keys"} == set()


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").iterdir()), ids=lambda p: p.name)
def test_scripts_say_what_they_do(script):
    text = script.read_text() if script.is_file() else ""
    if not text.startswith("#!"):
        return
    assert script.stat().st_mode & 0o100
    assert text.splitlines()[1].startswith("# ")
    assert "set -euo pipefail" in text
    subprocess.run(["bash", "-n", script], check=True)
