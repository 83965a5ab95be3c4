"""The commands `models …`: look at model versions and choose the champion."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from titanic_ml.cli.options import (
    ConfigDir,
    OptionalVersion,
    Overrides,
    Result,
    Version,
    Why,
    examples,
    shared,
    version_or_override,
)
from titanic_ml.cli.store import model_store, open_pipeline
from titanic_ml.errors import ModelError, PromotionRefused
from titanic_ml.registry.names import CHAMPION, LATEST

if TYPE_CHECKING:
    from titanic_ml.registry.version import ModelVersion

# Imported in functions: what one command needs, so that `--help` is quick.

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Force = Annotated[bool, typer.Option("--force", help="Skip the gate; the history records it.")]
OrKeep = Annotated[
    bool, typer.Option("--or-keep", help="Exit with 0 if the champion stays, and print its name.")
]
Keep = Annotated[int, typer.Option(help="Number of newest versions to keep.", min=1)]
OlderThan = Annotated[
    float, typer.Option(help="Age in hours from which unfinished files are removed.", min=0)
]
HEADER = (
    f"{'VERSION':<28} {'WHEN (UTC)':<17} {'ESTIMATOR':<20} {'LOG LOSS (INTERVAL)':<25} "
    f"{'ALIASES':<16} DATA"
)


@app.command("list", epilog=examples("models list", "models list --json"))
@shared
def list_versions(
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """List the versions, the newest first."""
    store = model_store(overrides, config_dir)
    champion, lines = store.champion.version, [HEADER]
    rows: list[dict[str, Any]] = []
    refused: list[str] = []
    for version in store.versions():
        if isinstance(version, ModelError):
            refused.append(str(version))
            continue
        made, loss = version.manifest, version.manifest.metrics["log_loss"]
        aliases = [CHAMPION] * (made.version == champion) + [LATEST] * (not rows and not refused)
        values = f"{loss.value:.3f} ({made.confidence:.0%} {loss.low:.3f}-{loss.high:.3f})"
        line = f"{made.version:<28} {made.time[:16]:<17} {made.estimator:<20} {values:<25} "
        data = f"{made.data.rows} rows of {made.data.uri}"
        lines.append((line + f"{' '.join(aliases):<16} {data}").rstrip())
        row = {
            "version": made.version,
            "time": made.time,
            "who": made.who,
            "estimator": made.estimator,
            "log_loss": asdict(loss),
            "confidence": made.confidence,
            "rows": made.data.rows,
            "data": made.data.uri,
            "aliases": aliases,
        }
        rows.append(row)
    if not rows and not refused:
        return Result(f"no models in {store.uri}", rows)
    for reason in refused:
        typer.echo(f"Refused: {reason}", err=True)
    return Result("\n".join(lines), rows, 1 if refused else 0)


@app.command(epilog=examples("models show champion", "models show latest --json"))
@shared
def show(
    version: Version,
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Show the facts of a version; with --json, its manifest."""
    store = model_store(overrides, config_dir)
    found = store.open(version)
    named = {CHAMPION: store.champion.version, LATEST: store.latest}
    aliases = [alias for alias, name in named.items() if name == found.name]
    return Result(_page(found, aliases), found.manifest.to_dict())


@app.command(epilog=examples("models history", "models history --json"))
@shared
def history(
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """List all changes of the champion with time, user and reason, the oldest first."""
    store = model_store(overrides, config_dir)
    entries = store.champion.history()
    lines = [f"{'':>4} {'WHEN (UTC)':<20} {'WHO':<12} {'ACTION':<9} {'VERSION':<28} WHY"]
    lines += [
        f"{e.number:>4} {e.time[:19]:<20} {e.who:<12} {e.action:<9} {e.version:<28} {e.why}"
        for e in entries
    ]
    text = "\n".join(lines) if entries else f"no champion yet in {store.uri}"
    return Result(text, [entry.to_dict() for entry in entries])


@app.command(epilog=examples("models compare latest champion", "models compare 20261128T16"))
@shared
def compare(
    version: Version,
    other: OptionalVersion = "",
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Compare two versions by their metrics and by the rows that both were scored on."""
    other, words = version_or_override(other, overrides, default="")
    pipeline = open_pipeline(words, config_dir)
    named, champion = pipeline.store.resolve(version), pipeline.store.champion.version
    if not other and named == champion:
        raise typer.BadParameter(f"{named} is the champion; name a second version to compare with")
    comparison = pipeline.models.compare(version, other or CHAMPION)
    return Result(comparison, comparison.to_dict())


@app.command(epilog=examples("models delete 20261125T144142.200Z-df70f6"))
@shared
def delete(
    version: Version,
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Remove a version for good; the champion and the latest version are refused."""
    deleted = model_store(overrides, config_dir).delete(version)
    return Result(f"{deleted} is deleted", {"deleted": deleted})


@app.command(epilog=examples("models prune --keep 10"))
@shared
def prune(
    keep: Keep,
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Remove all versions except the newest, the champion and its predecessor."""
    deleted = model_store(overrides, config_dir).prune(keep)
    lines = [f"{name} is deleted" for name in deleted] or ["nothing to delete"]
    return Result("\n".join(lines), {"deleted": deleted})


@app.command(
    epilog=examples("models promote latest", 'models promote latest --force --why "new table"')
)
@shared
def promote(
    version: Version,
    overrides: Overrides = None,
    force: Force = False,
    or_keep: OrKeep = False,
    why: Why = "",
    config_dir: ConfigDir = None,
) -> Result:
    """Make a version the champion, if it is not worse on the rows that both were scored on."""
    pipeline = open_pipeline(overrides, config_dir)
    name = pipeline.store.resolve(version)
    try:
        reason, champion = pipeline.models.promote(name, force, why), name
    except PromotionRefused as refused:
        if not or_keep:
            raise
        reason, champion = str(refused), pipeline.store.resolve(CHAMPION)
    values = {"champion": champion, "promoted": champion == name, "why": reason}
    stays = "" if champion == name else f", and {name} is not"
    return Result(f"champion is {champion}{stays}: {reason}", values)


@app.command(epilog=examples("models rollback", 'models rollback --why "complaints"'))
@shared
def rollback(
    overrides: Overrides = None,
    why: Why = "",
    config_dir: ConfigDir = None,
) -> Result:
    """Make the previous champion the champion again."""
    champion = open_pipeline(overrides, config_dir).models.rollback(why)
    return Result(f"champion is {champion} again", {"champion": champion})


@app.command(epilog=examples("models verify", "models verify --older-than 1"))
@shared
def verify(
    overrides: Overrides = None,
    older_than: OlderThan = 24.0,
    config_dir: ConfigDir = None,
) -> Result:
    """Check every file of every version and the history; remove files of killed writers."""
    found = model_store(overrides, config_dir).verify(timedelta(hours=older_than))
    return Result(found, found.to_dict(), 1 if found.faults else 0)


@app.command(epilog=examples("models sign store.signing_key=…"))
@shared
def sign(
    overrides: Overrides = None,
    config_dir: ConfigDir = None,
) -> Result:
    """Sign the versions of a store: unsigned ones, or all after a change of the key."""
    signed = model_store(overrides, config_dir).sign()
    text = "\n".join(f"{name} is signed" for name in signed)
    return Result(text or "all versions are signed", {"signed": signed})


def _page(version: ModelVersion, aliases: list[str]) -> str:
    """Return the summary of a version as text."""
    made = version.manifest
    chosen = ", ".join([made.estimator, *(f"{key} {v}" for key, v in made.parameters.items())])
    facts = {
        "version": " ".join([made.version, *(f"({alias})" for alias in aliases)]),
        "made": f"{made.time} by {made.who}, after {made.parent or 'none'}",
        "code": made.git or "of no commit",
        "estimator": f"{chosen}, threshold {made.threshold:g}",
        "data": f"{made.data.rows} rows of {made.data.uri}",
        "rows": f"fingerprint {made.data.fingerprint}",
        "file": f"SHA-256 {made.data.file_sha256}" if made.data.file_sha256 else "not one file",
        "libraries": ", ".join(f"{name} {v}" for name, v in made.libraries.items()),
        "report": version.report,
    }
    lines = [f"{name:<10} {words}" for name, words in facts.items()]
    level, grouped = f"{made.confidence:.0%}", made.grouped or {}
    lines += ["", f"{'METRIC (' + level + ')':<18} {'STRATIFIED FOLDS':<24} GROUPED FOLDS".rstrip()]
    for name, estimate in made.metrics.items():
        lines.append(f"{name:<18} {estimate!s:<24} {grouped.get(name, '')}".rstrip())
    lines += ["", f"{'CANDIDATE':<22} {'LOG LOSS':<9} {'GROUPED':<9} CHOSEN IN"]
    for c in made.candidates.values():
        unseen = c.get("grouped_log_loss")
        words = "" if unseen is None else f"{unseen:.4f}"
        lines.append(f"{c['label']:<22} {c['log_loss']:<9.4f} {words:<9} {c['chosen_share']:.0%}")
    return "\n".join(lines)
