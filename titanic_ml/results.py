"""The results of workflows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from titanic_ml.errors import Fault
    from titanic_ml.evaluation.assessment import Assessment
    from titanic_ml.evaluation.result import Estimate, Estimates, Evaluation
    from titanic_ml.integrations.tracking import Tracked
    from titanic_ml.monitoring.drift import Drift
    from titanic_ml.monitoring.logged import Volume
    from titanic_ml.monitoring.performance import Performance
    from titanic_ml.reporting.version_report import VersionReport
    from titanic_ml.training.result import Selection

WIDEST = 120  # characters of what was seen in a column

# Imported in functions: what only a page or a comparison takes.


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingResult:
    """The version that a training saved, and whether it was promoted.

    Attributes
    ----------
    version, report
        Name of the version, and address of its report.
    estimator, parameters, threshold
        Chosen candidate, its hyper-parameters and its decision threshold.
    left_out
        Candidates that were not compared, each with the reason.
    evaluation
        Out-of-fold metrics, with those in grouped folds.
    promoted, why
        Whether the version became the champion, and the reason.
    failed
        Whether the promotion failed for another reason than the gate, such as a damaged champion.
    tracked
        Result of sending the version to MLflow; None if `tracking.uri` is not set.
    run_id
        Id of the earlier training that saved the version; None if it was trained now.
    selection, assessment
        Comparison of the candidates with the fitted model, and its assessment; None if the version
        was saved by an earlier training.
    """

    version: str
    report: str
    estimator: str
    parameters: Mapping[str, Any]
    threshold: float
    left_out: Mapping[str, str]
    evaluation: Evaluation
    promoted: bool = False
    why: str = ""
    failed: bool = False
    tracked: Tracked | None = None
    run_id: str | None = None
    selection: Selection | None = None
    assessment: Assessment | None = None

    @classmethod
    def of(
        cls, version: str, report: str, selection: Selection, assessment: Assessment
    ) -> TrainingResult:
        """Make the result of a training that has saved its version."""
        grouped = assessment.grouped.estimates if assessment.grouped else None
        return cls(
            version=version,
            report=report,
            estimator=selection.chosen.name,
            parameters=selection.parameters,
            threshold=selection.threshold,
            left_out=selection.left_out,
            evaluation=replace(assessment.evaluation, version=version, grouped=grouped),
            selection=selection,
            assessment=assessment,
        )

    @classmethod
    def repeated(
        cls, version: str, report: str, facts: VersionReport, run_id: str
    ) -> TrainingResult:
        """Make the result of an earlier training from the facts of its version."""
        return cls(
            version=version,
            report=report,
            estimator=facts.chosen.name,
            parameters=facts.chosen.parameters,
            threshold=facts.chosen.threshold,
            left_out=facts.left_out,
            evaluation=facts.out_of_fold,
            run_id=run_id,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        evaluation = self.evaluation.to_dict()
        return {
            "version": self.version,
            "report": self.report,
            "estimator": self.estimator,
            "parameters": self.parameters,
            "threshold": self.threshold,
            "left_out": self.left_out,
            "metrics": evaluation["estimates"],
            "grouped": evaluation["grouped"],
            "beats_baselines": self.evaluation.beats_baselines,
            "promoted": self.promoted,
            "why": self.why,
            "failed": self.failed,
            "tracked": self.tracked and self.tracked.to_dict(),
        }

    def __repr__(self) -> str:
        if self.selection is None:
            first = f"The training {self.run_id} was done before, and is not repeated"
            return f"{first}\n\n{self._ending()}"
        parts = [repr(self.selection), repr(self.evaluation), self._ending()]
        if not self.evaluation.beats_baselines:
            rivals = [label for label, beaten in self.evaluation.beaten.items() if not beaten]
            parts.append(
                f"WARNING: it does not clearly beat {' and '.join(rivals)}, so it should not be "
                "relied on"
            )
        return "\n\n".join(parts)

    def _ending(self) -> str:
        """Promotion and report of the version, as text."""
        words = "is the new champion" if self.promoted else "did not become the champion"
        if self.failed:
            words = "is kept, but not promoted"
        text = f"{self.version} {words}: {self.why}\nReport: {self.report}"
        if self.failed:
            text += f"\n`models promote {self.version}` tries again; --force skips the comparison"
        return text + (f"\n{self.tracked!r}" if self.tracked else "")


@dataclass(frozen=True, repr=False)
class Validation:
    """Result of validating a table.

    Attributes
    ----------
    table
        Name of the table.
    rows
        Number of rows.
    with_target
        Whether the target was checked too.
    faults
        All faults, in the order of the rows.
    """

    table: str
    rows: int
    with_target: bool
    faults: list[Fault]

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON; keys are the names of the attributes."""
        return asdict(self)

    def __repr__(self) -> str:
        target = "with" if self.with_target else "without"
        if not self.faults:
            return f"{self.table}: {self.rows} rows, {target} target, all right"
        count = len(self.faults)
        head = f"{self.table}: {self.rows} rows, {target} target, {count} fault{'s' * (count > 1)}:"
        return "\n".join([head, *(f"  {fault}" for fault in self.faults)])


@dataclass(frozen=True, repr=False)
class Comparison:
    """Two versions side by side.

    Attributes
    ----------
    versions
        Names of the versions.
    metrics
        Out-of-fold metrics of each version.
    rows
        Number of rows for which both have out-of-fold predictions.
    gain
        Log loss of the first minus that of the second on these rows; None if there are none.
    """

    versions: tuple[str, str]
    metrics: tuple[Estimates, Estimates]
    rows: int
    gain: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON; keys are the names of the attributes."""
        return asdict(self)

    def __repr__(self) -> str:
        from titanic_ml.evaluation.result import difference

        lines = [f"{'METRIC':<18} {self.versions[0]:<28} {self.versions[1]}"]
        ours, theirs = self.metrics
        lines += [f"{n:<18} {ours[n]!s:<28} {theirs[n]}" for n in ours if n in theirs]
        if self.gain:
            text = f"the log loss of the second is {difference(self.gain)}"
            lines += ["", f"On the {self.rows} rows that both were scored on, {text}"]
        else:
            lines += ["", "No rows were scored for both, so the two can't be compared"]
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class Predictions:
    """Result of predicting a table into another.

    Attributes
    ----------
    model
        Name of the version.
    read, rows, rejected
        Numbers of rows that were read, predicted, and rejected.
    output, rejects
        Addresses of both tables, without passwords; None for `rejects` if there is none.
    run_id
        Id of the run, if the output stores one.
    warning
        Warning of the version, such as another version of scikit-learn; empty if there is none.
    """

    model: str
    read: int
    rows: int
    rejected: int
    output: str
    rejects: str | None
    run_id: str | None
    warning: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON; keys are the names of the attributes."""
        return asdict(self)

    def __repr__(self) -> str:
        text = f"{self.rows} rows predicted by {self.model}, written to {self.output}"
        if self.run_id:
            text += f" as run {self.run_id}"
        if self.warning:
            text = f"WARNING: {self.warning}\n{text}"
        if self.rejects:
            text += f"\n{self.rejected} of {self.read} rows rejected, written to {self.rejects}"
        return text


@dataclass(frozen=True, repr=False)
class Monitoring:
    """Drift and performance of later rows, compared with the training rows of a version.

    Attributes
    ----------
    version
        Name of the version.
    table
        Name of the table of later rows.
    since
        Time of the earliest prediction that counts, in ISO 8601; None for all.
    invalid
        Number of rows with faults.
    known
        Number of rows that the version was trained on. They are left out of the drift of the
        probability and of the performance.
    drift
        Drift of each column and of the probability.
    performance
        Metrics on the rows with an outcome; None if there are none.
    volume
        Number of predictions by time; empty if the table is no log.
    """

    version: str
    table: str
    since: str | None
    invalid: int
    known: int
    drift: Drift
    performance: Performance | None
    volume: Sequence[Volume] = ()

    @property
    def alarm(self) -> bool:
        """Whether a column has drifted, or the version has become worse."""
        return bool(self.drift.drifted) or bool(self.performance and self.performance.worse)

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        performance = self.performance and self.performance.to_dict()
        own = {
            n: getattr(self, n) for n in ("version", "table", "since", "invalid", "known", "alarm")
        }
        drift = {"verdict": self.drift.verdict, "drift": self.drift.to_dict()}
        volume = [asdict(one) for one in self.volume]
        return {**own, **drift, "performance": performance, "volume": volume}

    def to_html(self) -> str:
        """Return a report as one HTML file."""
        from titanic_ml.reporting.drift import render_drift

        return render_drift(vars(self), self.drift, self.performance)

    def __repr__(self) -> str:
        lines = [f"{self.table} against {self.version}: {self.drift.verdict}"]
        if self.invalid:
            lines.append(f"rows with a fault: {self.invalid} (`validate` names them)")
        if self.known:
            lines.append(
                f"rows it was trained on: {self.known}; their probability is not looked at"
            )
        if self.performance:
            lines.append(self.performance.verdict)
        if self.drift.columns:
            lines += [
                "",
                f"{'COLUMN':<14} {'PSI':>7} {'P':>8}  {'MISSING':<12} LARGEST CHANGE",
            ]
        for c in self.drift.columns:
            missing = f"{c.missing_before:.0%} → {c.missing_now:.0%}"
            mark = "  DRIFT" if c.drifted else ""
            lines.append(f"{c.name:<14} {c.psi:>7.3f} {c.p:>8.2g}  {missing:<12} {c.words}{mark}")
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class NewDataset:
    """The dataset that was drafted for a table.

    Attributes
    ----------
    name, path
        Name of the dataset, and its file.
    table
        Address of the table.
    seen, rows
        Number of rows that were looked at, and of all rows.
    positive
        The value that is predicted.
    columns
        Kind of each column, and what was seen in it.
    warnings
        Questions that need an answer before the training: suspected leaks.
    """

    name: str
    path: str
    table: str
    seen: int
    rows: int
    positive: str
    columns: Mapping[str, tuple[str, str]]
    warnings: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """Return values for JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        sample = f", a sample of {self.seen:,}" * (self.seen < self.rows)
        widths = [max(map(len, names)) for names in (self.columns, self._kinds)]
        lines = [f"{self.rows:,} rows of {self.table}{sample}; {self.positive}", ""]
        lines += [
            f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {summary[:WIDEST]}"
            for name, (kind, summary) in self.columns.items()
        ]
        lines += ["", *self.warnings] if self.warnings else []
        return "\n".join(
            [*lines, "", f"Written to {self.path}; read it, and correct what is wrong."]
        )

    @property
    def _kinds(self) -> list[str]:
        return [kind for kind, _ in self.columns.values()]


Progress = Callable[[int, int, str], None]  # the work done, all of it, what is being done


class Steps:
    """Progress of work over several stages.

    Parameters
    ----------
    show
        Called with the work done, all of it, and the name of the stage.
    stages
        Share of the work of each stage, by name, in order.
    """

    def __init__(self, show: Progress | None, stages: Mapping[str, int]):
        self.show = show
        self.stages = stages

    def of(self, stage: str) -> Callable[[int, int], None]:
        """Report the number of steps of a stage that are done."""
        names = list(self.stages)
        before = sum(self.stages[name] for name in names[: names.index(stage)])
        total = sum(self.stages.values())

        def report(done: int, steps: int) -> None:
            if self.show:
                self.show(before + self.stages[stage] * done // steps, total, stage)

        return report
