"""How the settings are shown to a person."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from titanic_ml.config.compose import Setting

LONG = ("dataset", "estimator")  # settings of a hundred values


def settings_page(settings: Sequence[Setting], everything: bool = False) -> str:
    """Format one line for each setting: name, value and source.

    Unless all settings are requested, `dataset` and each estimator show only single values that
    differ from the defaults.
    """
    rows = [
        (one.name, _value(one.value), f"{one.source}: {one.where}")
        for one in settings
        if everything
        or one.name.partition(".")[0] not in LONG
        or (one.source != "default" and one.where not in LONG)
    ]
    if not everything:
        names = dict.fromkeys(
            one.name.split(".")[1] for one in settings if one.name.startswith("estimator.")
        )
        rows.append(("estimator", ", ".join(names), "--all shows each value"))
        dataset = next(one for one in settings if one.name == "dataset.name")
        rows.append(("dataset", _value(dataset.value), "--all shows each value"))
    rows.sort(key=lambda row: row[0])
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [("SETTING", "VALUE", "FROM"), *rows]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:<{min(widths[1], 40)}}  {source}"
        for name, value, source in lines
    )


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
