"""``openecs simulate``: a scaling policy tried in virtual time, before it is trusted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from openecs.cli.failure import Failure

if TYPE_CHECKING:
    from openecs.simulation.outcome import Summary
    from openecs.simulation.plant import Model, Moment
    from openecs.simulation.scenario import Request
    from openecs.simulation.traces import Trace
    from openecs.simulation.world import Progress, Setting

_FIRST, _SECOND = "policy", "against"
#: A Monday: schedules that know working days are worth trying.
_START = "2026-01-05T00:00:00+00:00"


_Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...",
        help="The JSON of put-scaling-policy, put-scheduled-action, put-metric-alarm or "
        "register-scalable-target, one request or a list of them.",
    ),
]
_Against = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE", help="Compare with these files; may be repeated."),
]
_Shape = Annotated[str, typer.Option(help="The traffic: black-friday, daily, spike or step.")]
_Trace = Annotated[
    Path | None,
    typer.Option(metavar="CSV", help="The traffic from a file of time,requests_per_second."),
]
_Base = Annotated[float | None, typer.Option(help="Requests a second of the shape at its least.")]
_Peak = Annotated[float | None, typer.Option(help="Requests a second of the shape at its most.")]
_Carries = Annotated[float, typer.Option(help="Requests a second that one task carries.")]
_StartUp = Annotated[
    float, typer.Option(help="Seconds from a higher desired count to a task that serves.")
]
_Stop = Annotated[float, typer.Option(help="Seconds a task takes to drain and to stop.")]
_Least = Annotated[int, typer.Option("--min", help="The fewest tasks.")]
_Most = Annotated[int, typer.Option("--max", help="The most tasks.")]
_DeployAt = Annotated[
    list[float] | None,
    typer.Option(metavar="MINUTES", help="Deploy the service then; may be repeated."),
]
_Start = Annotated[str, typer.Option(metavar="TIME", help="When it begins, for schedules.")]
_Chart = Annotated[
    Path | None,
    typer.Option(metavar="PICTURE", help="Draw it: a file that ends in .png or .svg."),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print numbers as JSON.")]


def simulate(
    files: _Files,
    against: _Against = None,
    shape: _Shape = "daily",
    trace: _Trace = None,
    base: _Base = None,
    peak: _Peak = None,
    requests_per_task: _Carries = 100.0,
    start_up: _StartUp = 40.0,
    stop: _Stop = 30.0,
    minimum: _Least = 1,
    maximum: _Most = 100,
    deploy_at: _DeployAt = None,
    start: _Start = _START,
    chart: _Chart = None,
    as_json: _AsJson = False,
) -> None:
    """Try scaling policies on traffic before they are trusted.

    The service is a model: tasks take START_UP seconds to serve, and each carries so many requests
    a second. Alarms, cooldowns, schedules and policies are those of OpenECS itself, in virtual
    time: a day takes seconds. No server is needed, and none is asked.

    openecs simulate cpu-60.json --shape black-friday --max 200 --chart black-friday.png

    openecs simulate cpu-60.json --against cpu-40.json --shape spike

    openecs simulate requests.json nights.json --trace last-week.csv --requests-per-task 250
    """
    from openecs.simulation.world import Setting

    setting = Setting(
        trace=_trace(shape, trace, base, peak),
        model=_model(requests_per_task, start_up, stop),
        minimum=minimum,
        maximum=maximum,
        start=_moment(start),
        deployments=[60 * each for each in deploy_at or ()],
    )
    scenarios = {_FIRST: _requests(files)} | ({_SECOND: _requests(against)} if against else {})
    with _progress(len(scenarios), shown=not as_json) as progress:
        runs = {name: _run(setting, asked, progress) for name, asked in scenarios.items()}
    if chart is not None:
        _draw(chart, runs, setting.model)
    _tell(runs, as_json=as_json)


def _model(requests_per_task: float, start_up: float, stop: float) -> Model:
    from openecs.simulation.plant import Model

    if requests_per_task <= 0 or min(start_up, stop) < 0:
        raise Failure("requests per task must be more than 0, and times cannot be negative", 2)
    return Model(requests_per_task=requests_per_task, start_up=start_up, stop=stop)


def _trace(shape: str, trace: Path | None, base: float | None, peak: float | None) -> Trace:
    from openecs.simulation import traces

    try:
        if trace is not None:
            return traces.read(trace)
    except (traces.BadTrace, OSError, UnicodeDecodeError) as error:
        raise Failure(str(error), 2) from error
    known = traces.SHAPES.get(shape)
    if known is None:
        raise Failure(f"there is no shape {shape}: there are {', '.join(traces.SHAPES)}", 2)
    least, most = known.base if base is None else base, known.peak if peak is None else peak
    if not 0 <= least <= most:
        raise Failure("--base cannot be negative, nor more than --peak", 2)
    return known.made(least, most)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise Failure(f"--start: {text} is no time such as {_START}", 2) from error


def _requests(files: Sequence[Path]) -> Sequence[Request]:
    from openecs.simulation import scenario

    try:
        return scenario.read(files)
    except (scenario.BadScenario, OSError) as error:
        raise Failure(str(error), 2) from error


def _run(setting: Setting, asked: Sequence[Request], progress: Progress) -> Sequence[Moment]:
    from openecs.simulation import scenario, world

    try:
        return asyncio.run(world.simulate(setting, asked, progress))
    except scenario.BadScenario as error:
        raise Failure(str(error), 2) from error


@contextmanager
def _progress(count: int, *, shown: bool) -> Iterator[Progress]:
    """A bar on the terminal over several simulations."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True, disable=not shown) as bar:
        tasks = iter([bar.add_task("simulating", total=1.0) for _ in range(count)])
        current = next(tasks)

        def hear(share: float) -> None:
            nonlocal current
            if share == 0.0 and bar.tasks[current].completed:
                current = next(tasks)
            bar.update(current, completed=share)

        yield hear


def _draw(path: Path, runs: Mapping[str, Sequence[Moment]], model: Model) -> None:
    from openecs.simulation import chart

    try:
        chart.draw(path, runs, model)
    except ImportError as error:
        raise Failure("charts need matplotlib: pip install 'openecs[charts]'") from error
    except (ValueError, OSError) as error:
        raise Failure(f"--chart: {error}", 2) from error


def _tell(runs: Mapping[str, Sequence[Moment]], *, as_json: bool) -> None:
    from openecs.simulation.outcome import summary
    from openecs.simulation.world import STEP

    found = {name: summary(moments, STEP) for name, moments in runs.items()}
    if as_json:
        told = {n: asdict(s) | {"missed_percent": s.missed_percent} for n, s in found.items()}
        typer.echo(json.dumps(told, indent=2))
        return
    _print_table(found)


def _print_table(found: Mapping[str, Summary]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(*("", *found))
    for column in table.columns[1:]:
        column.justify = "right"
    rows = {
        "requests": [f"{s.requests:,.0f}" for s in found.values()],
        "missed": [f"{s.missed:,.0f} ({s.missed_percent:.2f} %)" for s in found.values()],
        "time with requests missed": [f"{s.short / 60:.1f} min" for s in found.values()],
        "at worst missed": [f"{s.worst:.0f} %" for s in found.values()],
        "cost in task-hours": [f"{s.task_hours:,.1f}" for s in found.values()],
        "most tasks, fewest running": [f"{s.most_tasks}, {s.fewest_tasks}" for s in found.values()],
        "average CPU": [f"{s.average_cpu:.0f} %" for s in found.values()],
        "scaled out, in": [f"{s.scale_outs}, {s.scale_ins}" for s in found.values()],
    }
    for name, values in rows.items():
        table.add_row(name, *values)
    Console().print(table)
