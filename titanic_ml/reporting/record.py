"""What is written down about a training: the manifest's facts, and the documents of a version."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from titanic_ml.config.settings import Settings
from titanic_ml.dataset.dataset import Dataset
from titanic_ml.evaluation.assessment import Assessment
from titanic_ml.reporting.report import render_model_card, render_report
from titanic_ml.training.result import Selection

ORIGIN = ("version", "time", "git", "libraries", "seed")  # taken from the manifest
ABOUT = ("about", "intended_use", "not_for", "ethics")  # what a dataset's YAML may say for people


@dataclass(frozen=True)
class Record:
    """The facts of a training as plain values.

    Attributes
    ----------
    manifest
        What the manifest of the version keeps.
    facts
        What `evaluation.json` keeps, and report and model card are drawn from.
    """

    manifest: dict[str, Any]
    facts: dict[str, Any]

    @classmethod
    def of(
        cls, selection: Selection, assessment: Assessment, dataset: Dataset, settings: Settings
    ) -> Record:
        """Write down what was chosen, how it did, on which data and with which settings."""
        chosen, measured, s = selection.chosen, assessment.to_dict(), settings
        profile = dataset.profile()
        columns = {
            name: {"kind": column["kind"], "about": column.get("about", ""), **profile[name]}
            for name, column in s.dataset["columns"].items()
            if name in profile
        }
        data = {"uri": s.data.uri, "sha256": dataset.fingerprint, "rows": len(dataset)}
        manifest = {
            "estimator": chosen.name,
            "parameters": selection.parameters,
            "threshold": selection.threshold,
            "metrics": measured["evaluation"]["estimates"],
            "strangers": measured["strangers"] and measured["strangers"]["estimates"],
            "candidates": selection.table.drop(columns="fit_seconds").to_dict("index"),
            "groups": assessment.groups,
            "data": {**data, "profile": profile},
            "seed": s.seed,
            "settings": asdict(s),
        }
        table = selection.table.assign(
            complexity=pd.Series({c.name: c.complexity for c in selection.candidates}),
            baseline=pd.Series({c.name: c.baseline for c in selection.candidates}),
        )
        described = {name: s.dataset[name] for name in ABOUT if name in s.dataset}
        facts = {
            "dataset": {
                **{"name": s.dataset["name"], "target": s.dataset["target"], **data, **described},
                **{"positives": int(dataset.y.sum()), "columns": columns},
            },
            "chosen": {
                **{"name": chosen.name, "label": chosen.label},
                **{"parameters": selection.parameters, "threshold": selection.threshold},
            },
            "procedure": asdict(s.selection),
            "candidates": table.reset_index(names="name").to_dict("records"),
            **measured,
        }
        return cls(manifest, facts)

    def documents(self, manifest: dict[str, Any]) -> dict[str, bytes]:
        """`evaluation.json`, `report.html` and `model_card.md` of the version so named."""
        facts = {name: manifest[name] for name in ORIGIN} | self.facts
        texts = {
            "evaluation.json": json.dumps(facts, indent=1, default=str),
            "report.html": render_report(facts),
            "model_card.md": render_model_card(facts),
        }
        return {name: text.encode() for name, text in texts.items()}
