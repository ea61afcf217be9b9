"""Simulations drawn: load and what carries it, tasks, utilisation, one below the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from openecs.simulation.plant import Model, Moment

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOUR = 3600.0


def draw(path: Path, runs: Mapping[str, Sequence[Moment]], model: Model) -> None:
    """Write a picture in the format that the file's ending names, PNG or SVG or another.

    Raises ``ImportError`` without matplotlib, ``ValueError`` for a format it does not know.
    """
    # Large, and nobody else's: only who asks for a picture waits for it.
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        3, len(runs), figsize=(max(8, 6 * len(runs)), 8), sharex=True, sharey="row", squeeze=False
    )
    for column, (name, moments) in enumerate(runs.items()):
        hours = [moment.seconds / HOUR for moment in moments]
        _draw_load(axes[0][column], name, hours, moments, model)
        _draw_tasks(axes[1][column], hours, moments)
        _draw_utilisation(axes[2][column], hours, moments)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _draw_load(
    axes: Axes, name: str, hours: Sequence[float], moments: Sequence[Moment], model: Model
) -> None:
    load = [moment.load for moment in moments]
    served = [moment.served for moment in moments]
    carries = [moment.running * model.requests_per_task for moment in moments]
    axes.set_title(name)
    axes.plot(hours, load, label="load")
    axes.plot(hours, carries, label="capacity", linestyle="--")
    axes.fill_between(hours, served, load, alpha=0.4, color="tab:red", label="missed")
    axes.set_ylabel("requests a second")
    axes.legend(loc="upper left")


def _draw_tasks(axes: Axes, hours: Sequence[float], moments: Sequence[Moment]) -> None:
    axes.step(hours, [m.desired for m in moments], where="post", label="desired", linestyle="--")
    axes.step(hours, [m.running for m in moments], where="post", label="running")
    axes.set_ylabel("tasks")
    axes.legend(loc="upper left")


def _draw_utilisation(axes: Axes, hours: Sequence[float], moments: Sequence[Moment]) -> None:
    axes.plot(hours, [moment.cpu for moment in moments], label="CPU")
    axes.plot(hours, [moment.memory for moment in moments], label="memory")
    axes.set_ylim(0, 105)
    axes.set_ylabel("percent")
    axes.set_xlabel("hours")
    axes.legend(loc="upper left")
