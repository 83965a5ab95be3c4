"""Shared parts of the commands: options, results, logging, signals and progress."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib.util import find_spec
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from titanic_ml.cli import completion
from titanic_ml.errors import SettingsError
from titanic_ml.storage.secrets import shown

# Imported in functions: rich, which most commands show nothing with.

log = logging.getLogger(__name__)


def examples(*lines: str) -> str:
    """Format examples as the end of a help page, with line breaks."""
    return "\b\nExamples:\n" + "\n".join(f"  titanic-ml {line}" for line in lines)


def called() -> str:
    """Return the name under which the program was called."""
    path = Path(sys.argv[0])
    if path.name == "__main__.py":
        return "python -m titanic_ml"
    return f"python {path}" if path.suffix == ".py" else path.name


def _remember_debug(ctx: typer.Context, debug: bool) -> bool:
    ctx.meta["debug"] = debug  # where the error handler finds it
    return debug


TABLES = ".csv, .csv.gz, .parquet, a folder, s3://, https://, sqlite:///, postgresql:// or -"
Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="OVERRIDES",
        help="Settings as name=value, such as seed=7.",
        autocompletion=completion.settings,
    ),
]
Model = Annotated[
    str,
    typer.Option(help="Name of a version, champion or latest.", autocompletion=completion.versions),
]
Version = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="Name of a version, champion or latest.",
        autocompletion=completion.versions,
    ),
]
OptionalVersion = Annotated[
    str,
    typer.Argument(
        metavar="VERSION",
        help="Name of a version, champion or latest; by default the champion.",
        autocompletion=completion.version_or_setting,
    ),
]
Table = Annotated[
    str | None,
    typer.Argument(
        metavar="TABLE",
        help=f"{TABLES}; by default the setting data.uri.",
        autocompletion=completion.settings,
    ),
]
OldData = Annotated[str | None, typer.Option("--data", hidden=True)]
ConfigDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of YAML files, laid out as titanic_ml/conf/, merged over the defaults.",
        envvar="TITANIC_CONFIG_DIR",
        show_envvar=True,
    ),
]
AllowMismatch = Annotated[
    bool,
    typer.Option(
        "--allow-mismatch",
        help="Load a version made by another minor version of scikit-learn, with a warning.",
    ),
]
Why = Annotated[str, typer.Option(help="Reason for the history.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log each step on standard error.")]
Debug = Annotated[
    bool,
    typer.Option("--debug", help="Show the traceback of an error.", callback=_remember_debug),
]


LOST = {errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG}  # of an output
SHARED = {"quiet": Quiet, "verbose": Verbose, "as_json": AsJson, "debug": Debug}


def version_or_override(
    version: str, overrides: list[str] | None, default: str = "champion"
) -> tuple[str, list[str]]:
    """Return the optional version and the overrides.

    Without a version, the first override takes its place; it has an equals sign.
    """
    if "=" in version:
        return default, [version, *(overrides or ())]
    return version, list(overrides or ())


def table_and_overrides(
    table: str | None,
    overrides: list[str] | None,
    option: str = "",
    old: str | None = None,
    writes: bool = False,
) -> tuple[str | None, list[str]]:
    """Return the table, which may be left out, and the overrides.

    The first override may come in the table's place; in the address of a table something else
    comes before an equals sign.

    Parameters
    ----------
    table, overrides
        Arguments as typer passes them.
    option, old
        An option that named the table in earlier versions, and its value. It still works, with a
        note.
    writes
        Whether the command has an option --output, which may have been meant.

    Raises
    ------
    BadParameter
        A second table is named, or a word that is no override.
    """
    words = list(overrides or ())
    if table and re.match(r"[+~]*[\w.]+=", table):
        words.insert(0, table)
        table = None
    if old is not None:
        if table is not None:
            raise typer.BadParameter(f"two tables, {shown(table)} and {option} {shown(old)}")
        log.warning("%s is no longer needed: name the table without it", option)
        table = old
    for word in words:
        if "=" not in word and not word.startswith("~"):
            raise typer.BadParameter(
                f"unexpected {shown(word)!r}: expected settings after the table, such as seed=7"
                + f"; to write to it: --output {shown(word)}" * writes
            )
    return table, words


def refuse_without_extra(extra: str, *packages: str) -> None:
    """Raise `SettingsError` if a package that a command needs isn't there; none is imported."""
    if missing := [package for package in packages if find_spec(package) is None]:
        raise SettingsError(
            f"{extra} needs the extra {extra}, of which {', '.join(missing)} is not installed; "
            f"make install-{extra}, or pip install 'titanic_ml[{extra}]'"
        )


@dataclass(frozen=True)
class Result:
    """Result of a command: text for a person, values for JSON, and the exit code."""

    text: object
    values: object
    code: int = 0


def shared(command: Callable[..., Result | None]) -> Callable[..., None]:
    """Give a command the options that all share, and print its result.

    A command that takes one of them itself is given its value too. It returns None if it has
    nothing to say.
    """
    own = get_type_hints(command, include_extras=True)
    own.pop("return")

    @wraps(command)
    def run(*, quiet: bool, verbose: bool, as_json: bool, **given: Any) -> None:
        options = {"quiet": quiet, "as_json": as_json, **given}
        with log_to_stderr(verbose, quiet):
            result = command(**{name: value for name, value in options.items() if name in own})
        if result and as_json:
            typer.echo(json.dumps(result.values))
        elif result and not quiet:
            typer.echo(result.text)
        if result and result.code:
            raise typer.Exit(result.code)

    parameters = dict(signature(command).parameters)
    for name, kind in SHARED.items():
        parameters[name] = Parameter(name, Parameter.KEYWORD_ONLY, default=False, annotation=kind)
    resolved = [p.replace(annotation=own.get(n, p.annotation)) for n, p in parameters.items()]
    shown = Signature(sorted(resolved, key=lambda parameter: parameter.kind))
    run.__signature__ = shown  # type: ignore[attr-defined]
    run.__annotations__ = own | SHARED
    return run


class _StandardError(logging.Handler):
    """Writes to what is standard error at the time: a progress bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


@contextmanager
def log_to_stderr(verbose: bool, quiet: bool) -> Iterator[None]:
    """Show the log of the package: all of it, or what warns, or nothing."""
    logger = logging.getLogger("titanic_ml")
    silent = quiet and not verbose
    handler = logging.NullHandler() if silent else _StandardError()
    words = "%(asctime)s %(name)s: %(message)s" if verbose else "WARNING: %(message)s"
    handler.setFormatter(logging.Formatter(words, "%H:%M:%S"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


@contextmanager
def interruptible(state: str) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM stop the work with a sentence on the state that this leaves.

    A library may turn the KeyboardInterrupt into another error, as OmegaConf does.
    """
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        threading.excepthook = lambda problem: None  # joblib's threads fail as their workers end
        received.append(number)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if not received and not isinstance(error, KeyboardInterrupt):
            raise
        typer.echo(f"Interrupted: {state}", err=True)
        raise typer.Exit(143 if signal.SIGTERM in received else 130) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def caused_by_interrupt(error: BaseException) -> bool:
    """Return whether a library raised an error while it was handling Ctrl-C."""
    chain: list[BaseException | None] = [error]
    while (last := chain[-1]) is not None and not isinstance(last, KeyboardInterrupt):
        chain.append(last.__context__)
    return chain[-1] is not None


@contextmanager
def output_may_be_lost() -> Iterator[None]:
    """Report a full standard output in one line; ignore a closed pipe."""
    try:
        try:
            yield
        finally:
            if sys.stdout:  # none, where it is closed from the start
                sys.stdout.flush()
    except OSError as error:
        if error.filename is not None or error.errno not in LOST:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else Python tries once more at the end
        if error.errno != errno.EPIPE:
            typer.echo(f"Error: standard output: {error.strerror}", err=True)
        raise SystemExit(1) from None


@contextmanager
def progress_bar(title: str, hidden: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Show a progress bar on standard error; yield a function of done steps, all steps and stage.

    It appears at the first call, so that what fails before the work starts shows no bar. Beside it
    stands the time that is left, by the speed so far; at the end, the time that it took.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[left]}"),
        console=Console(stderr=True),
        disable=hidden,
        speed_estimate_period=600,
    )
    task = bar.add_task(title, total=None, left="left")

    def show(done: int, total: int, stage: str) -> None:
        bar.start()
        ended = done >= total
        words = title if ended else f"{title}: {stage}"
        bar.update(
            task, completed=done, total=total, description=words, left="" if ended else "left"
        )

    try:
        yield show
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def rows_bar(title: str, hidden: bool) -> Iterator[Callable[[int, float | None], None]]:
    """Show a progress bar on standard error; yield a function of done rows and their share.

    Beside it stand the rows, how many a second, and the time left where the share is known. It
    appears at the first call that is not the last, so a small table shows none, and pays for none.
    """
    start = time.monotonic()
    bar = None

    def show(rows: int, share: float | None) -> None:
        nonlocal bar
        if bar is None:
            if hidden or share == 1.0:
                return
            bar = _rows_progress(title)
            bar.start()
        rate = rows / max(time.monotonic() - start, 1e-9)
        total = None if share is None else 1.0
        (task,) = bar.task_ids
        bar.update(task, completed=share or 0.0, total=total, rows=rows, rate=rate)

    try:
        yield show
    finally:
        if bar:
            bar.stop()


def _rows_progress(title: str) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second"),
        TimeRemainingColumn(elapsed_when_finished=True),
        console=Console(stderr=True),
        speed_estimate_period=600,
    )
    bar.add_task(title, total=None, rows=0, rate=0.0)
    return bar
