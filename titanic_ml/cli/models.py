"""The commands `models …`: look at model versions and choose the champion."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titanic_ml.cli.options import (
    OptionalVersion,
    Overrides,
    Result,
    Version,
    examples,
    shared,
    version_or_override,
)
from titanic_ml.cli.store import model_store

if TYPE_CHECKING:
    from titanic_ml.registry.version import ModelVersion

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Force = Annotated[bool, typer.Option("--force", help="Skip the gate; the history says so.")]


@app.command("list", epilog=examples("models list", "models list --json"))
@shared
def list_versions(
    overrides: Overrides = None,
) -> Result:
    """List the versions, the newest first."""
    store = model_store(overrides)
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
    """Show what a version says of itself; its whole manifest with --json."""
    store = model_store(overrides)
    found = store.open(version)
    aliases = [
        alias.path.stem for alias in (store.champion, store.latest) if alias.version == found.name
    ]
    return Result(_page(found, aliases), found.manifest.to_dict())


@app.command(epilog=examples("models compare latest champion"))
@shared
def compare(
    version: Version,
    other: OptionalVersion = "champion",
    overrides: Overrides = None,
) -> Result:
    """Put two versions side by side, on the rows that both were scored on too."""
    from titanic_ml.pipeline import TitanicPipeline

    other, words = version_or_override(other, overrides)
    comparison = TitanicPipeline(*words).compare(version, other)
    return Result(comparison, comparison.to_dict())


@app.command(epilog=examples("models delete 20261125T144142.200Z-df70f6"))
@shared
def delete(
    version: Version,
    overrides: Overrides = None,
) -> Result:
    """Remove a version for good, unless it is the champion."""
    deleted = model_store(overrides).delete(version)
    return Result(f"{deleted} is deleted", {"deleted": deleted})


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
    champion = model_store(overrides).rollback()
    return Result(f"champion is {champion} again", {"champion": champion})


def _page(version: ModelVersion, aliases: list[str]) -> str:
    """What a person wants to know of a version."""
    made = version.manifest
    chosen = ", ".join([made.estimator, *(f"{key} {v}" for key, v in made.parameters.items())])
    facts = {
        "version": " ".join([made.version, *(f"({alias})" for alias in aliases)]),
        "made": f"{made.time} by {made.git or 'code of no commit'}, after {made.parent or 'none'}",
        "estimator": f"{chosen}, threshold {made.threshold:g}",
        "data": f"{made.data.rows} rows of {made.data.uri}, SHA-256 {made.data.sha256[:12]}…",
        "libraries": ", ".join(f"{name} {v}" for name, v in made.libraries.items()),
        "report": version.report,
    }
    lines = [f"{name:<10} {words}" for name, words in facts.items()]
    level, grouped = f"{made.confidence:.0%}", made.grouped or {}
    lines += ["", f"{'METRIC (' + level + ')':<18} {'STRATIFIED FOLDS':<24} GROUPED FOLDS".rstrip()]
    for name, estimate in made.metrics.items():
        lines.append(f"{name:<18} {estimate!s:<24} {grouped.get(name, '')}".rstrip())
    lines += ["", f"{'CANDIDATE':<22} LOG LOSS"]
    lines += [f"{c['label']:<22} {c['log_loss']:.4f}" for c in made.candidates.values()]
    return "\n".join(lines)
