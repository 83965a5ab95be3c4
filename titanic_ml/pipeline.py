"""The only composer: it puts the six modules in order and returns what they return."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from titanic_ml.config import build, load_settings
from titanic_ml.dataset import Dataset, Schema
from titanic_ml.errors import PromotionRefused
from titanic_ml.model_store import ModelStore
from titanic_ml.prediction import Predictor
from titanic_ml.settings import DataSettings
from titanic_ml.tables import read_table

Table = pd.DataFrame | str | Path

if TYPE_CHECKING:
    from titanic_ml.evaluation import Evaluation
    from titanic_ml.training import Progress, Selection


@dataclass(frozen=True, repr=False)
class Training:
    """What one training gave: a version in the store, the comparison of the candidates with the
    fitted model, its metrics out of fold, and whether it became the champion, and why.
    """

    version: str
    selection: Selection
    evaluation: Evaluation
    promoted: bool
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "version": self.version,
            "estimator": self.selection.chosen.name,
            "parameters": self.selection.parameters,
            "metrics": self.evaluation.to_dict()["estimates"],
            "promoted": self.promoted,
            "why": self.why,
        }

    def __repr__(self) -> str:
        outcome = "is the new champion" if self.promoted else "did not become the champion"
        measured = f"Out of fold, each row by models that had not seen it: {self.evaluation}"
        return f"{self.selection}\n\n{measured}\n\n{self.version} {outcome}: {self.why}"


class TitanicPipeline:
    """Train, evaluate and predict with one set of settings.

    Parameters
    ----------
    *overrides
        Settings that differ from the defaults, such as ``"seed=7"`` or ``"store.uri=/tmp/models"``.

    Raises `SettingsError` if a setting is unknown, missing or wrong.
    """

    def __init__(self, *overrides: str):
        self.settings = load_settings(overrides)
        self.store = ModelStore(self.settings.store.uri)

    def __repr__(self) -> str:
        s = self.settings
        return (
            f"TitanicPipeline(env={s.env!r}, dataset={s.dataset['name']!r}, data={s.data.uri!r}, "
            f"store={s.store.uri!r}, seed={s.seed})"
        )

    def train(self, data: Table | None = None, progress: Progress | None = None) -> Training:
        """Choose a model, fit it, keep it as a version and try to promote it.

        `data` is a table or its URI, by default the settings' `data.uri`; `progress` is called with
        the number of folds done and of all. Raises `DataError` if the table can't be read or has
        faults; then nothing is written.
        """
        # Training's imports are slow and prediction does without them, so they wait until here.
        from titanic_ml.estimator import Candidate
        from titanic_ml.evaluation import Evaluator
        from titanic_ml.preprocessing import build_preprocessor
        from titanic_ml.training import Trainer

        s = self.settings
        if data is not None:
            s = replace(s, data=DataSettings(_name(data)))
        dataset = self._dataset(data, s.dataset)
        candidates = [Candidate.from_dict(name, build(node)) for name, node in s.estimator.items()]
        preprocessor = build_preprocessor(build(s.dataset["features"]))
        trainer = Trainer(
            preprocessor, candidates, **asdict(s.selection), seed=s.seed, n_jobs=s.n_jobs
        )
        selection = trainer.train(dataset.X, dataset.y, progress)
        evaluator = Evaluator(**asdict(s.evaluation), seed=s.seed)
        evaluation = evaluator.evaluate(dataset.y, selection.out_of_fold)
        version = self.store.save(
            selection.model,
            selection.out_of_fold.assign(row=dataset.row_hashes, y=dataset.y),
            {
                "estimator": selection.chosen.name,
                "parameters": selection.parameters,
                "threshold": evaluation.threshold,
                "metrics": evaluation.to_dict()["estimates"],
                "candidates": selection.table.drop(columns="fit_seconds").to_dict("index"),
                "data": {
                    "uri": s.data.uri,
                    "sha256": dataset.fingerprint,
                    "rows": len(dataset),
                    "profile": dataset.profile(),
                },
                "seed": s.seed,
                "settings": asdict(s),
            },
            parent=self.store.alias("champion").version,
        )
        try:
            return Training(version, selection, evaluation, True, self.promote(version))
        except PromotionRefused as refusal:
            return Training(version, selection, evaluation, False, str(refusal))

    def evaluate(self, data: Table | None = None, model: str = "champion") -> Evaluation:
        """Measure a model version on a table with its target.

        `data` is a table or its URI, by default the settings' `data.uri`; `model` is a version or
        an alias. Raises `DataError` or `ModelError` if either is at fault.
        """
        from titanic_ml.evaluation import Evaluator

        pipeline, manifest = self.store.load(model)
        dataset = self._dataset(data, manifest["settings"]["dataset"])
        probability = Predictor(pipeline).probability(dataset.X)
        evaluator = Evaluator(**asdict(self.settings.evaluation), seed=self.settings.seed)
        seen = pd.Series(dataset.row_hashes).isin(self.store.out_of_fold(model)["row"]).sum()
        return evaluator.evaluate(dataset.y, probability, manifest["threshold"]).with_seen(
            int(seen)
        )

    def predict(
        self, data: Table, model: str = "champion", probability: bool = False
    ) -> pd.DataFrame:
        """Ids and classes, in the order of the rows.

        `data` is a table or its URI, its target not looked at; `model` a version or an alias;
        `probability` adds that column. Raises `DataError` or `ModelError` if either is at fault.
        """
        pipeline, manifest = self.store.load(model)
        settings = manifest["settings"]["dataset"]
        dataset = self._dataset(data, settings, with_target=False)
        predictor = Predictor(pipeline, manifest["threshold"])
        return predictor.predict(dataset, settings["target"], probability)

    def promote(self, model: str = "latest", force: bool = False) -> str:
        """Make a version the champion if it is not worse on the rows that both were scored on.

        Each is judged by its out-of-fold probabilities, so neither has seen the rows. Returns why.
        Raises `PromotionRefused` if it is worse by more than the margin, or no rows are shared.
        """
        alias = self.store.alias("champion")
        version, champion = self.store.resolve(model), alias.version
        if force:
            why = "forced"
        elif champion in (None, version):
            why = "the first champion" if champion is None else "it was the champion already"
        else:
            why = self._gate(version, champion)
        alias.point(version, why)
        return why

    def _gate(self, version: str, champion: str) -> str:
        from titanic_ml.evaluation import compare_out_of_fold

        tables = map(self.store.out_of_fold, (version, champion))
        rows, ours, theirs = compare_out_of_fold(*tables)
        margin = self.settings.promotion.margin
        words = f"log loss {ours:.4f} against the champion's {theirs:.4f} on {rows} rows"
        if not rows:
            raise PromotionRefused(
                f"no rows in common with {champion}; --force promotes all the same"
            )
        if ours > theirs + margin:
            raise PromotionRefused(f"{words}, worse by more than {margin:g}")
        return f"{words}, margin {margin:g}"

    def _dataset(self, data: Table | None, settings: dict, with_target: bool = True) -> Dataset:
        data = self.settings.data.uri if data is None else data
        frame = data if isinstance(data, pd.DataFrame) else read_table(str(data))
        return Dataset.from_frame(frame, Schema.from_dict(settings), _name(data), with_target)


def _name(data: Table) -> str:
    if isinstance(data, pd.DataFrame):
        return "the table"
    return {"-": "standard input"}.get(str(data), str(data))
