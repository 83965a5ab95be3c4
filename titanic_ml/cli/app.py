"""The command line: each command parses, makes one call, and prints.

What a command needs is imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import atexit
import functools
import gc
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from titanic_ml import __version__
from titanic_ml.cli import completion
from titanic_ml.cli import models as cli_models
from titanic_ml.cli.config import settings_page
from titanic_ml.cli.options import (
    TABLES,
    AllowMismatch,
    AsJson,
    ConfigDir,
    Model,
    OldData,
    OptionalVersion,
    Overrides,
    Quiet,
    Result,
    Table,
    called,
    caused_by_interrupt,
    examples,
    interruptible,
    output_may_be_lost,
    progress_bar,
    refuse_without_extra,
    rows_bar,
    shared,
    table_and_overrides,
    version_or_override,
)
from titanic_ml.cli.store import model_store, open_pipeline
from titanic_ml.errors import EmptyStore, SettingsError, TitanicError

# Imported in functions: what one command needs, so that `--help` and completion are quick.

UNDONE = "nothing is half written; run the same command again"
USELESS = 3  # exit code if the champion beats no baseline beyond chance


class Commands(TyperGroup):
    """Commands that print known errors as one message, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; print the message of a known error, and exit with its code."""
        try:
            return super().invoke(ctx)
        except TitanicError as error:
            if caused_by_interrupt(error):
                raise KeyboardInterrupt from None
            if ctx.meta.get("debug"):
                raise
            hint = f": {called()} train" if isinstance(error, EmptyStore) else ""
            typer.echo(f"Error: {error}{hint}", err=True)
            raise typer.Exit(error.exit_code) from error


app = typer.Typer(
    cls=Commands, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
app.add_typer(
    cli_models.app, name="models", help="List, compare and manage the versions of a model."
)


def main(args: list[str] | None = None) -> None:
    """Run the program with these arguments, by default those of the process."""
    # Importing pandas and scikit-learn creates many objects and no garbage. Collecting during the
    # imports and at exit takes a quarter of the time of a cold `predict`.
    gc.set_threshold(1_000_000, 20, 100)
    atexit.register(gc.freeze)
    with output_may_be_lost():
        try:
            app(args, prog_name="titanic-ml")
        except SystemExit as ended:
            # typer makes a silent exit of Ctrl-C, wherever in a command it came.
            if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):
                typer.echo(f"Interrupted: {UNDONE}", err=True)
            raise


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"titanic-ml {__version__}")
        raise typer.Exit()


Version = Annotated[
    bool,
    typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
]
Input = Annotated[
    str | None,
    typer.Argument(
        metavar="TABLE",
        help=f"{TABLES}; by default the setting predictions.input.",
        autocompletion=completion.settings,
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        help="Where to write, by default predictions.uri: .csv, .csv.gz, .parquet, a folder (one "
        "Parquet file a run), sqlite:///FILE?table=NAME, postgresql://…?table=NAME or - (a CSV on "
        "standard output)."
    ),
]
OnInvalid = Annotated[
    Literal["refuse", "quarantine"],
    typer.Option(help="Refuse a table with invalid rows, or write these rows to --rejects."),
]
Rejects = Annotated[
    str | None, typer.Option(help="Table for invalid rows, with their numbers and reasons.")
]
RunId = Annotated[
    str | None,
    typer.Option(
        help="Id of the run, stored in Parquet and databases; by default derived from the input."
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Add probability, version and time to a CSV.")]
Like = Annotated[
    str | None,
    typer.Option(
        help="Train with the settings of this version, on its table unless another is named.",
        autocompletion=completion.versions,
    ),
]
TrainingId = Annotated[
    str | None,
    typer.Option(
        "--run-id",
        help="Id of this training; a training that has stored a version is not repeated.",
    ),
]
Promote = Annotated[bool, typer.Option(help="Whether the version may become the champion.")]
Target = Annotated[
    bool | None,
    typer.Option(help="Whether the target must be present; by default it is checked if it is."),
]
Counted = Annotated[
    str | None,
    typer.Argument(
        metavar="TABLE",
        help=f"{TABLES}; by default the setting predictions.uri.",
        autocompletion=completion.settings,
    ),
]
Expected = Annotated[
    int | None,
    typer.Option(
        "--expect", help="Expected number of rows; with another number the exit code is 1."
    ),
]
Log = Annotated[
    str | None,
    typer.Argument(
        metavar="TABLE",
        help=f"Later rows: {TABLES}; by default the setting monitoring.log.",
        autocompletion=completion.settings,
    ),
]
OldLog = Annotated[str | None, typer.Option("--log", hidden=True)]
Since = Annotated[str | None, typer.Option(help="Ignore earlier predictions: 2026-11-01, 24h, 7d.")]
Labels = Annotated[str | None, typer.Option(help=f"Table of ids with known outcomes: {TABLES}.")]
Page = Annotated[str | None, typer.Option("--report", help="File for an HTML report.")]
Host = Annotated[
    str, typer.Option(help="Bind address; 0.0.0.0 accepts connections from other machines.")
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 chooses a free one.")]
Workers = Annotated[int, typer.Option(min=1, help="Number of worker processes.")]
All = Annotated[bool, typer.Option("--all", help="Include the values of dataset and estimator.")]
Pending = Annotated[bool, typer.Option("--pending", help="Send only what MLflow has not received.")]
RowId = Annotated[str | None, typer.Option("--id", help="Id of the row.")]
OldId = Annotated[str | None, typer.Option("--passenger-id", hidden=True)]
NewTable = Annotated[str, typer.Argument(metavar="TABLE", help=TABLES)]
TargetName = Annotated[str, typer.Option("--target", help="Column to predict.")]
Positive = Annotated[
    str | None,
    typer.Option(help="Value of the target to predict; by default the rarer of two."),
]
IdName = Annotated[
    str | None,
    typer.Option("--id", help="Column that identifies a row; by default found by its name."),
]
DatasetName = Annotated[
    str | None, typer.Option("--name", help="Name of the dataset; by default that of the file.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file of a dataset.")]
OpenIt = Annotated[bool, typer.Option("--open", help="Open it in the browser.")]
Probability = Annotated[bool, typer.Option("--probability", help="Add a column of probabilities.")]


@app.callback(epilog=examples("train", "predict data/test.csv --output submission.csv"))
def program(version: Version = False) -> None:
    """From a table to a chosen, measured and versioned model."""


@app.command(
    epilog=examples("init credit.csv --target Status", "init t.csv --target y --positive no")
)
@shared
def init(
    table: NewTable,
    target: TargetName,
    positive: Positive = None,
    id: IdName = None,
    name: DatasetName = None,
    force: Force = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Write the settings of a table of your own, to be corrected by you."""
    from titanic_ml.pipeline import TitanicPipeline

    found = TitanicPipeline.draft_dataset(
        table,
        target,
        positive=positive,
        id=id,
        name=name,
        config_dir=config_dir,
        force=force,
    )
    words = f"dataset={found.name}" + f" --config-dir {config_dir}" * bool(config_dir)
    steps = "".join(f"\n  {called()} {step} {words}" for step in ("train", "predict", "serve"))
    return Result(f"{found}\nNext:{steps}", found.to_dict())


@app.command(epilog=examples("validate", "validate new.csv --no-target --json"))
@shared
def validate(
    table: Table = None,
    overrides: Overrides = None,
    target: Target = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Check a table as train and predict do, and report all its faults."""
    table, words = table_and_overrides(table, overrides)
    found = open_pipeline(words, config_dir).validate(table, target)
    return Result(found, found.to_dict(), 1 if found.faults else 0)


@app.command(
    epilog=examples(
        "train",
        "train mine.csv seed=7 n_jobs=1",
        "train estimator=[svc,random_forest] selection=thorough",
    )
)
@shared
def train(
    table: Table = None,
    overrides: Overrides = None,
    data: OldData = None,
    like: Like = None,
    run_id: TrainingId = None,
    promote: Promote = True,
    config_dir: ConfigDir = None,
    quiet: Quiet = False,
) -> Result:
    """Compare the candidates, fit the selected one, store it and try to promote it."""
    table, words = table_and_overrides(table, overrides, "--data", data)
    pipeline = open_pipeline(words, config_dir)
    if like:
        pipeline = pipeline.like(like)
    with interruptible("no version was made; the same command goes on from here"):
        with progress_bar("Training", hidden=quiet) as progress:
            training = pipeline.train(table, progress, promote=promote, run_id=run_id)
    useless = training.promoted and not training.evaluation.beats_baselines
    return Result(training, training.to_dict(), training.failed or useless * USELESS)


@app.command(epilog=examples("evaluate", "evaluate labelled.csv", "evaluate --model latest --json"))
@shared
def evaluate(
    table: Table = None,
    overrides: Overrides = None,
    model: Model = "champion",
    data: OldData = None,
    allow_mismatch: AllowMismatch = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Measure a version on a table; without one, print the metrics of its training."""
    table, words = table_and_overrides(table, overrides, "--data", data)
    evaluation = open_pipeline(words, config_dir, allow_mismatch).evaluate(table, model)
    return Result(evaluation, evaluation.to_dict())


@app.command(epilog=examples("explain --id 5", "explain data/test.csv --id 904"))
@shared
def explain(
    table: Table = None,
    overrides: Overrides = None,
    id: RowId = None,
    passenger_id: OldId = None,
    model: Model = "champion",
    data: OldData = None,
    allow_mismatch: AllowMismatch = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Show how much each group of features adds to one prediction."""
    table, words = table_and_overrides(table, overrides, "--data", data)
    id = passenger_id if id is None else id
    if id is None:
        raise typer.BadParameter("missing --id, the id of a row")
    pipeline = open_pipeline(words, config_dir, allow_mismatch)
    explanation = pipeline.explain(id, table, model)
    return Result(explanation, explanation.to_dict())


@app.command(epilog=examples("config", "config env=remote", "config seed=7 --json"))
@shared
def config(
    overrides: Overrides = None,
    everything: All = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Print the settings, and where each comes from: default, file, environment or override."""
    from titanic_ml.config.compose import described

    settings = described(overrides or (), config_dir)
    return Result(settings_page(settings, everything), [asdict(one) for one in settings])


@app.command(epilog=examples("report", "report latest --open"))
@shared
def report(
    version: OptionalVersion = "champion",
    overrides: Overrides = None,
    open_it: OpenIt = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Print where the report of a version is."""
    version, words = version_or_override(version, overrides)
    found = model_store(words, config_dir).open(version)
    if open_it:
        typer.launch(found.local_report())
    return Result(found.report, {"version": found.name, "report": found.report})


@app.command(epilog=examples("track --pending", "track champion tracking.uri=sqlite:///mlflow.db"))
@shared
def track(
    version: OptionalVersion = "champion",
    overrides: Overrides = None,
    pending: Pending = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Send MLflow a version and the champion, or everything it has not received."""
    version, words = version_or_override(version, overrides)
    tracked = open_pipeline(words, config_dir).models.track(None if pending else version)
    return Result(tracked, tracked.to_dict(), 1 if tracked.why else 0)


@app.command(
    epilog=examples(
        "predict",
        "predict data/test.csv --output submission.csv",
        "predict - --output - --probability < data/test.csv",
        "predict data/test.csv --output 'sqlite:///predictions.db?table=predictions'",
        "predict new.csv --output out.parquet --on-invalid quarantine --rejects bad.csv",
    )
)
@shared
def predict(
    table: Input = None,
    output: Output = None,
    overrides: Overrides = None,
    model: Model = "champion",
    probability: Probability = False,
    full: Full = False,
    on_invalid: OnInvalid = "refuse",
    rejects: Rejects = None,
    run_id: RunId = None,
    allow_mismatch: AllowMismatch = False,
    config_dir: ConfigDir = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> Result | None:
    """Predict each row of a table in order; write all predictions or none."""
    table, words = table_and_overrides(table, overrides, writes=True)
    if as_json and "-" in (output, rejects):
        raise typer.BadParameter("--json and --output - both want standard output; choose one")
    if (on_invalid == "quarantine") != (rejects is not None):
        raise typer.BadParameter("--on-invalid quarantine and --rejects TABLE go together")
    with interruptible(UNDONE), rows_bar("Predicting", hidden=quiet) as progress:
        from titanic_ml.pipeline import TitanicPipeline

        pipeline = TitanicPipeline(*words, config_dir=config_dir, allow_mismatch=allow_mismatch)
        predictions = pipeline.predict_into(
            output,
            table,
            model,
            full=full,
            probability=probability,
            rejects=rejects,
            run_id=run_id,
            progress=progress,
        )
    return None if "-" in (output, rejects) else Result(predictions, predictions.to_dict())


@app.command(epilog=examples("count out.parquet", "count --run-id nightly --expect 418 env=remote"))
@shared
def count(
    table: Counted = None,
    overrides: Overrides = None,
    run_id: RunId = None,
    expect: Expected = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Count the rows of a table, or of one run of predictions in it."""
    table, words = table_and_overrides(table, overrides)
    from titanic_ml.config.compose import load_settings
    from titanic_ml.storage.counting import count_rows

    table = table or load_settings(words, config_dir).predictions.uri
    if table is None:
        raise SettingsError("no table: name one, or set predictions.uri to the address of one")
    rows = count_rows(table, run_id)
    text = f"{rows} rows" + (f" of run {run_id}" if run_id else "")
    if wrong := expect is not None and rows != expect:
        text += f", expected {expect}"
    return Result(text, {"rows": rows, "run_id": run_id, "expected": expect}, 1 if wrong else 0)


@app.command(epilog=examples("monitor", "monitor new.csv --since 7d", "monitor --labels late.csv"))
@shared
def monitor(
    table: Log = None,
    overrides: Overrides = None,
    log: OldLog = None,
    since: Since = None,
    labels: Labels = None,
    page: Page = None,
    model: Model = "champion",
    allow_mismatch: AllowMismatch = False,
    config_dir: ConfigDir = None,
) -> Result:
    """Compare later rows with the training rows; exit code 1 if they have drifted."""
    table, words = table_and_overrides(table, overrides, "--log", log)
    pipeline = open_pipeline(words, config_dir, allow_mismatch)
    found = pipeline.monitor(table, model, since=since, labels=labels, page=page)
    return Result(found, found.to_dict(), 1 if found.alarm else 0)


@app.command(epilog=examples("serve", "serve --host 0.0.0.0 --port 80 --workers 4 env=remote"))
@shared
def serve(
    overrides: Overrides = None,
    model: Model = "champion",
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    allow_mismatch: AllowMismatch = False,
    config_dir: ConfigDir = None,
    quiet: Quiet = False,
) -> Result | None:
    """Serve predictions over HTTP; a new champion is loaded without a restart."""
    refuse_without_extra("serve", "fastapi", "fastapi_offline", "prometheus_client", "uvicorn")
    from titanic_ml.service.server import run

    opened = functools.partial(open_pipeline, overrides, config_dir, allow_mismatch)
    run(opened, model, host, port, workers, quiet)
    return None
