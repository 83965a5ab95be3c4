"""What the commands share: their options, and how a result and progress are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer


def examples(*lines: str) -> str:
    """The end of a help page, kept as it stands."""
    return "\b\nExamples:\n" + "\n".join(f"  titanic-ml {line}" for line in lines)


def _remember_debug(ctx: typer.Context, debug: bool) -> bool:
    ctx.meta["debug"] = debug  # where the error handler finds it
    return debug


Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="OVERRIDES", help="Settings, such as seed=7 or store.uri=elsewhere."),
]
Model = Annotated[str, typer.Option(help="A version or an alias: champion, latest.")]
Data = Annotated[
    str | None,
    typer.Option(help="The table: .csv, .csv.gz, .parquet or -; by default the setting data.uri."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", callback=_remember_debug),
]


def show_result(text: object, values: object, quiet: bool, as_json: bool) -> None:
    """Print a result: for a program, for a person, or not at all."""
    if as_json:
        typer.echo(json.dumps(values))
    elif not quiet:
        typer.echo(text)


@contextmanager
def progress_bar(title: str, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, as a function of the number done and the number in all.

    It appears at the first call, so that what fails before the work starts shows no bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    console = Console(stderr=True)
    bar = Progress(*columns, TimeElapsedColumn(), console=console, disable=hidden)
    task = bar.add_task(title, total=None)

    def show(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()
