"""The commands `models …`: look at model versions and choose the champion."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titanic_ml.cli.options import Overrides, Result, examples, shared

if TYPE_CHECKING:
    from titanic_ml.registry.store import ModelStore

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Version = Annotated[str, typer.Argument(help="A version or an alias: champion, latest.")]
Force = Annotated[bool, typer.Option("--force", help="Skip the gate; the history says so.")]


@app.command("list", epilog=examples("models list", "models list --json"))
@shared
def list_versions(
    overrides: Overrides = None,
) -> Result:
    """List the versions, the newest first."""
    store = _store(overrides)
    aliases = {alias: store.alias(alias).version for alias in ("champion", "latest")}
    lines = [f"{'VERSION':<28} {'ESTIMATOR':<20} {'LOG LOSS (INTERVAL)':<25} {'ROWS':>6}  ALIASES"]
    rows = []
    for version in store.versions():
        made, loss = version.manifest, version.manifest.metrics["log_loss"]
        names = [alias for alias, target in aliases.items() if target == version.name]
        values = f"{loss.value:.3f} ({made.confidence:.0%} {loss.low:.3f}-{loss.high:.3f})"
        line = f"{made.version:<28} {made.estimator:<20} {values:<25} {made.data.rows:>6}  "
        lines.append((line + " ".join(names)).rstrip())
        row: dict[str, Any] = {
            "version": made.version,
            "time": made.time,
            "estimator": made.estimator,
        }
        row |= {"log_loss": asdict(loss), "confidence": made.confidence, "rows": made.data.rows}
        rows.append(row | {"aliases": names})
    return Result("\n".join(lines) if rows else f"no models in {store.uri}", rows)


@app.command(epilog=examples("models show champion", "models show latest --json"))
@shared
def show(
    version: Version,
    overrides: Overrides = None,
) -> Result:
    """Show the manifest of a version."""
    manifest = _store(overrides).open(version).manifest.to_dict()
    return Result(json.dumps(manifest, indent=2, ensure_ascii=False), manifest)


@app.command(epilog=examples("models promote latest", "models promote latest --force"))
@shared
def promote(
    version: Version,
    overrides: Overrides = None,
    force: Force = False,
) -> Result:
    """Make a version the champion, if it is not worse on the rows that both were scored on."""
    from titanic_ml.pipeline import TitanicPipeline

    pipeline = TitanicPipeline(*overrides or ())
    why = pipeline.promote(version, force)
    champion = pipeline.store.champion.version
    values = {"champion": champion, "why": why}
    return Result(f"champion is {champion}: {why}", values)


@app.command(epilog=examples("models rollback"))
@shared
def rollback(
    overrides: Overrides = None,
) -> Result:
    """Make the previous champion the champion again."""
    champion = _store(overrides).champion.rollback()
    return Result(f"champion is {champion} again", {"champion": champion})


def _store(overrides: list[str] | None) -> ModelStore:
    from titanic_ml.config.compose import load_settings
    from titanic_ml.registry.store import ModelStore

    return ModelStore(load_settings(overrides or ()).store.uri)
