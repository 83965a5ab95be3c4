"""Shell completion of versions, aliases and settings.

A shell asks while someone types, so nothing here prints or fails: where the answer isn't known, it
is empty.
"""

from __future__ import annotations

from collections.abc import Iterator

import typer

from titanic_ml.cli.store import model_store
from titanic_ml.errors import TitanicError
from titanic_ml.registry.names import CHAMPION, LATEST

# Imported in functions: what completes settings; completion runs at each key press.


def versions(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """List the aliases and versions that the typed words name, each with a description."""
    try:
        store = model_store([word for word in _typed(ctx) if word.startswith("store.uri=")])
        champion = store.champion.version
        known = [v.manifest for v in store.versions() if not isinstance(v, TitanicError)]
        names = [made.version for made in known]
        found = [(CHAMPION, champion)] if champion in names else []
        found += [(LATEST, name) for name in names[:1]]
        found += [(made.version, made.estimator) for made in known]
    except TitanicError:
        return []
    return [(name, about) for name, about in found if name.startswith(incomplete)]


def settings(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return names of settings with an equals sign, or the values of a group."""
    from titanic_ml.config.layers import groups
    from titanic_ml.config.settings import known_keys

    before = [word.removesuffix("=") for word in _typed(ctx)]
    if before and before[-1] in groups():  # the sign was a word of its own, see `_typed`
        return [name for name in groups()[before[-1]] if name.startswith(incomplete)]
    names = [f"{name}=" for name in {*known_keys(), *groups()}]
    if "=" in incomplete:
        key = incomplete.partition("=")[0]
        names = [f"{key}={name}" for name in groups().get(key, [])]
    return sorted(name for name in names if name.startswith(incomplete))


def version_or_setting(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """Complete a version or a setting, where a version is optional."""
    yield from (name for name, _ in versions(ctx, incomplete))
    yield from settings(ctx, incomplete)


def _typed(ctx: typer.Context) -> list[str]:
    """Return the typed words that may be settings, except the one being typed."""
    positional = [p.name for p in ctx.command.params if p.param_type_name == "argument"]
    values = [ctx.params.get(name) for name in positional if name]
    words = [value for value in values if isinstance(value, str)]
    words += [*(ctx.params.get("overrides") or ()), *ctx.args]
    # bash takes an equals sign for a word of its own
    return "\n".join(words).replace("\n=", "=").replace("=\n", "=").split("\n")
