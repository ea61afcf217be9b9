"""Writes the pages that follow from code and tests; ``--check`` says which are not fresh."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import typer.main

from openecs import api, cli
from openecs.api.base import Service
from openecs.cli import settings_text
from openecs.config import ENVIRONMENT_ONLY, FILE_ONLY, PREFIX
from openecs.gateway.services import SERVICES

ROOT = Path(__file__).parents[1]
WRITTEN = "<!-- Written by scripts/generate; change what it is written from. -->\n"

Proofs = Mapping[str, list[str]]


def main() -> int:
    """Write the pages, or with ``--check`` compare; then demand a proof of each built operation."""
    pages = {
        "docs/api-coverage.md": coverage(),
        "docs/reference/settings.md": settings(),
        "docs/reference/cli.md": commands(),
    }
    stale = [name for name, text in pages.items() if not _is_fresh(ROOT / name, text)]
    if "--check" not in sys.argv:
        for name in stale:
            _write(ROOT / name, pages[name])
            print(f"wrote {name}")
        stale = []
    unproven = _unproven()
    for name in stale:
        print(f"{name} is not fresh: run scripts/generate")
    for operation in unproven:
        print(f'{operation} is built and no test has @pytest.mark.covers("{operation}")')
    return 1 if stale or unproven else 0


def coverage() -> str:
    """Each operation of each service: built, and by which test proven, or not built."""
    built, proofs = _built(), _proofs()
    rows, sections = [], []
    for name, operations in _modelled().items():
        done = [one for one in operations if one in built.get(name, ())]
        rows.append(f"| [{name}](#{name}) | {len(done)} | {len(operations)} |")
        sections.append(_section(name, operations, done, proofs))
    head = (
        "# Which AWS operations are built\n\n"
        f"{WRITTEN}\n"
        "An operation that is not built answers `NotImplementedException` (in the shape of its "
        "service's protocol) and names itself; it never answers an empty success.\n\n"
        "| Service | Built | Operations |\n| --- | ---: | ---: |\n"
    )
    return head + "\n".join(rows) + "\n\n" + "\n".join(sections)


def _section(name: str, operations: list[str], done: list[str], proofs: Proofs) -> str:
    text = f"## {name}\n\n"
    if done:
        text += "| Operation | Proven by |\n| --- | --- |\n"
        text += "".join(f"| {one} | {_links(proofs.get(f'{name}:{one}', []))} |\n" for one in done)
        text += "\n"
    missing = [one for one in operations if one not in done]
    if missing:
        count = f"{len(missing)} not built"
        text += f"<details><summary>{count}</summary>\n\n{', '.join(missing)}\n\n</details>\n"
    return text


def _links(tests: list[str]) -> str:
    return ", ".join(f"[{_title(test)}](../{test.partition('::')[0]})" for test in tests)


def _title(test: str) -> str:
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def _modelled() -> Mapping[str, list[str]]:
    session = botocore.session.get_session()
    return {
        known.name: sorted(session.get_service_model(known.name).operation_names)
        for known in SERVICES
    }


def _built() -> Mapping[str, frozenset[str]]:
    packages = (
        importlib.import_module(f"openecs.api.{found.name}")
        for found in pkgutil.iter_modules(api.__path__)
        if found.ispkg
    )
    services: Iterator[Service] = (package.SERVICE for package in packages)
    return {service.name: frozenset(service.operations) for service in services}


def _unproven() -> list[str]:
    proofs = _proofs()
    built = (f"{name}:{one}" for name, operations in _built().items() for one in operations)
    return sorted(one for one in built if one not in proofs)


def _proofs() -> dict[str, list[str]]:
    """Operations to the tests that are marked to cover them."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        where = path.relative_to(ROOT).as_posix()
        for name, operation in _marked(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(operation, []).append(f"{where}::{name}" if name else where)
    return found


def _marked(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Test names and the operations of their ``covers`` marks; no name for a whole module's."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for decorator in node.decorator_list:
                    yield from ((node.name, one) for one in _operations(decorator))
            case ast.Assign(targets=[ast.Name(id="pytestmark")]):
                calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
                yield from (("", one) for call in calls for one in _operations(call))
            case _:
                pass


def _operations(mark: ast.expr) -> list[str]:
    match mark:
        case ast.Call(func=ast.Attribute(attr="covers"), args=operations):
            return [ast.literal_eval(one) for one in operations]
        case _:
            return []


def settings() -> str:
    """Every setting: flag, variable, key, default, meaning."""
    text = (
        f"# Settings\n\n{WRITTEN}\n"
        "A flag of `openecs up` wins over the environment variable, the variable over the TOML "
        "file, the file over the default. The file is the one named by `--config` or "
        "`OPENECS_CONFIG`, else `openecs.toml` in the current directory, else "
        "`~/.config/openecs/openecs.toml`. In the file, a setting's key is its name.\n"
    )
    for name, meaning in settings_text.meanings().items():
        text += f"\n## {name}\n\n{_places(name)}\n\n{meaning}\n"
    return text


def _places(name: str) -> str:
    places = []
    if name not in FILE_ONLY | ENVIRONMENT_ONLY:
        places.append(f"`--{name.replace('_', '-')}`")
    if name not in FILE_ONLY:
        places.append(f"`{PREFIX}{name.upper()}`")
    if default := settings_text.defaults()[name]:
        places.append(f"default `{default}`")
    return " · ".join(places) or "in the file only"


def commands() -> str:
    """Every command with its options, as ``--help`` has them."""
    root: Any = typer.main.get_command(cli.app)
    text = f"# The `openecs` command\n\n{WRITTEN}\n{root.help}\n"
    for name, command in root.commands.items():
        text += f"\n## openecs {name}\n\n{_paragraphs(command.help)}\n"
        if name == "up":
            text += "\nIts flags are the [settings](settings.md), and `--config FILE`.\n"
            continue
        text += "\n| Option | Meaning |\n| --- | --- |\n"
        text += "".join(_option(one) for one in command.params)
    return text


def _option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    return f"| {names} | {option.help} |\n"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _is_fresh(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


sys.exit(main())
