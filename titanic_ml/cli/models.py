"""The commands `models …`: look at model versions and choose the champion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from titanic_ml.cli.options import AsJson, Debug, Overrides, Quiet, examples, show_answer

if TYPE_CHECKING:
    from titanic_ml.registry.store import ModelStore

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Version = Annotated[str, typer.Argument(help="A version or an alias: champion, latest.")]
Force = Annotated[bool, typer.Option("--force", help="Skip the gate; the history says so.")]


@app.command("list", epilog=examples("models list", "models list --json"))
def list_versions(
    overrides: Overrides = None, quiet: Quiet = False, as_json: AsJson = False, debug: Debug = False
) -> None:
    """List the versions, the newest first."""
    store = _store(overrides)
    rows = store.summaries()
    lines = [f"{'VERSION':<28} {'ESTIMATOR':<20} {'LOG LOSS (INTERVAL)':<25} {'ROWS':>6}  ALIASES"]
    for row in rows:
        value, low, high = row["log_loss"]
        level = f"{100 * row['confidence']:g}%"
        loss = f"{value:.3f} ({level} {low:.3f}-{high:.3f})"
        line = f"{row['version']:<28} {row['estimator']:<20} {loss:<25} {row['rows']:>6}  "
        lines.append((line + " ".join(row["aliases"])).rstrip())
    show_answer("\n".join(lines) if rows else f"no models in {store.uri}", rows, quiet, as_json)


@app.command(epilog=examples("models show champion", "models show latest --json"))
def show(
    version: Version,
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Show the manifest of a version."""
    manifest = _store(overrides).manifest(version)
    show_answer(json.dumps(manifest, indent=2, ensure_ascii=False), manifest, quiet, as_json)


@app.command(epilog=examples("models promote latest", "models promote latest --force"))
def promote(
    version: Version,
    overrides: Overrides = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a version the champion, if it is not worse on the rows that both were scored on."""
    from titanic_ml.pipeline import TitanicPipeline

    pipeline = TitanicPipeline(*overrides or ())
    why = pipeline.promote(version, force)
    champion = pipeline.store.alias("champion").version
    values = {"champion": champion, "why": why}
    show_answer(f"champion is {champion}: {why}", values, quiet, as_json)


@app.command(epilog=examples("models rollback"))
def rollback(
    overrides: Overrides = None, quiet: Quiet = False, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Make the previous champion the champion again."""
    champion = _store(overrides).alias("champion").rollback()
    show_answer(f"champion is {champion} again", {"champion": champion}, quiet, as_json)


def _store(overrides: list[str] | None) -> ModelStore:
    from titanic_ml.config.compose import load_settings
    from titanic_ml.registry.store import ModelStore

    return ModelStore(load_settings(overrides or ()).store.uri)
