"""The ``openecs`` command: a file for each subcommand, started by ``main``.

What takes long to import is imported by the command that needs it. Except for ``up``, which calls
``openecs.app``, and ``simulate``, every command is one more client of a running server.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from openecs import __version__
from openecs.cli import ca, down, env, reset, simulate, status, up
from openecs.cli.failure import Failure
from openecs.config import SettingsError
from openecs.root_keys import RootKeysUnreadable

app = typer.Typer(
    name="openecs",
    help="Amazon ECS on your own machine: a container orchestrator that speaks the AWS APIs.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("env")(env.env)
app.command("ca")(ca.ca)
app.command("status")(status.status)
app.command("down")(down.down)
app.command("reset")(reset.reset)
app.command("simulate")(simulate.simulate)


def main() -> None:
    """Run the command; what goes wrong and can be put right is told in a line."""
    try:
        app()
    except Failure as failure:
        _complain(str(failure), failure.status)
    except RootKeysUnreadable as error:
        _complain(f"{error}. Put it back from a backup, or move it away: new keys are made.", 1)
    except SettingsError as error:
        _complain(str(error), 2)


def _complain(message: str, status: int) -> None:
    print(f"openecs: {message}", file=sys.stderr)  # noqa: T201 - this is what the user reads
    sys.exit(status)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"openecs {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass
