"""MLflow: a version as a run with its candidates, registered under our alias.

All that is sent comes out of the store, so a version can be sent at any time, and once more: what
an earlier attempt left unfinished is replaced, and what was sent stays.
"""

from __future__ import annotations

import logging
import os
import tempfile
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import requires
from importlib.metadata import version as installed_version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from titanic_ml.config.layers import flat
from titanic_ml.errors import SettingsError, TrackingError
from titanic_ml.registry.names import CHAMPION
from titanic_ml.registry.version import MANIFEST, MODEL, MODEL_CARD, REPORT
from titanic_ml.reporting.report import Report
from titanic_ml.storage.secrets import cause, check_userinfo, shown, without_secrets

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.models.signature import ModelSignature

    from titanic_ml.dataset.spec import Column
    from titanic_ml.evaluation.result import Estimates
    from titanic_ml.registry.version import Manifest, ModelVersion

# Imported in functions: MLflow with its packages, which are an extra and take seconds.

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).parents[1]
VERSION = "titanic_ml.version"  # tag of runs and registered models
FAILURES = (OSError, ImportError, ValueError)  # ImportError: of the driver of a database
AT_ONCE = 100  # parameters that one request may log
PATIENCE = 5  # seconds for the first answer of a server
# A server that is away must not hold up a training for minutes; what is set already stays so.
ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


def check_installed() -> None:
    """Raise `SettingsError` if MLflow isn't there; it is not imported."""
    if find_spec("mlflow") is None:
        raise SettingsError(
            "tracking.uri needs the extra mlflow, which is not installed; make install-all, or pip "
            "install 'titanic_ml[mlflow]', or set it to null"
        )


@dataclass(frozen=True)
class MlflowServer:
    """Tracking server, or a database that MLflow opens itself.

    Attributes
    ----------
    uri
        Such as ``https://mlflow.example.org`` or ``sqlite:///mlflow.db``.
    name
        Name of the experiment and of the registered model.

    Raises
    ------
    SettingsError
        The address could be misread.
    TrackingError
        Raised by every method if the server can't be reached, or refuses the request.
    """

    uri: str
    name: str

    def __post_init__(self) -> None:
        check_userinfo(self.uri)

    def send(self, version: ModelVersion) -> str:
        """Send a version, unless it was sent before; return the id of its run."""
        with self._client() as client:
            experiment = _experiment(client, self.name)
            half: list[Run] = []
            for run in _runs(client, experiment, f"tags.`{VERSION}` = '{version.name}'"):
                if run.info.status == "FINISHED" and "mlflow.parentRunId" not in run.data.tags:
                    return str(run.info.run_id)
                half.append(run)
            if half:
                log.info("%s: half sent before, and sent anew", version.name)
            self._take_back(client, version.name, half)
            return self._send(client, experiment, version)

    def sent(self) -> set[str]:
        """Return the names of the versions that were sent completely."""
        with self._client() as client:
            runs = _runs(client, _experiment(client, self.name), "attributes.status = 'FINISHED'")
            return {
                run.data.tags[VERSION]
                for run in runs
                if VERSION in run.data.tags and "mlflow.parentRunId" not in run.data.tags
            }

    def champion(self) -> str | None:
        """Return the version that the registered model's alias points at."""
        with self._client() as client:
            found = client.search_registered_models(f"name = '{self.name}'")
            number = found[0].aliases.get(CHAMPION) if found else None
            registered = _registered(client, self.name) if number else {}
            return next((name for name, n in registered.items() if n == str(number)), None)

    def set_champion(self, version: ModelVersion) -> None:
        """Point the alias of the registered model at a version that was sent."""
        with self._client() as client:
            number = _registered(client, self.name)[version.name]
            client.set_registered_model_alias(self.name, CHAMPION, number)
            log.info("%s: is %s version %s, the %s", version.name, self.name, number, CHAMPION)

    def _send(self, client: MlflowClient, experiment: str, version: ModelVersion) -> str:
        made, report = version.manifest, Report.of(version)
        ended = round(datetime.fromisoformat(made.time).timestamp() * 1000)
        tags = {
            VERSION: made.version,
            "mlflow.user": made.who,
            "mlflow.source.name": "titanic_ml",
            "mlflow.source.git.commit": made.git or "none",
            "mlflow.note.content": f"{report.verdict.headline}\n\nReport: {version.report}",
            "titanic_ml.parent": made.parent or "none",
            "titanic_ml.data.fingerprint": made.data.fingerprint,
            "titanic_ml.data.file_sha256": made.data.file_sha256 or "none",
        }
        run = client.create_run(experiment, ended, tags, run_name=made.version).info.run_id
        rest = {key: v for key, v in made.settings.items() if key not in ("dataset", "estimator")}
        chosen = {"estimator": made.estimator, "threshold": made.threshold, **made.parameters}
        _log_params(client, run, flat({"chosen": chosen, **rest}))
        metrics = _metrics(made.metrics) | _metrics(made.grouped or {}, "grouped_")
        _log_metrics(client, run, metrics, ended)
        client.log_inputs(run, [_input(made)])
        with tempfile.TemporaryDirectory(prefix="ml-mlflow-") as folder:
            _write_documents(Path(folder), version, report)
            client.log_artifacts(run, folder)
        for candidate in report.facts.candidates:
            scores = made.candidates[candidate.name] | {"fit_seconds": candidate.fit_seconds}
            label = str(scores.pop("label"))
            child = client.create_run(
                experiment,
                ended,
                {VERSION: made.version, "mlflow.parentRunId": run, "mlflow.user": made.who},
                run_name=label,
            ).info.run_id
            node = made.settings["estimator"][candidate.name]
            _log_params(client, child, {"name": candidate.name, **flat(node)})
            _log_metrics(client, child, {k: float(v) for k, v in scores.items()}, ended)
            client.set_terminated(child, end_time=ended)
        self._register(client, experiment, run, version)
        client.set_terminated(run, end_time=ended)  # last: an unfinished run is sent again
        log.info("%s: sent to %s as run %s", made.version, shown(self.uri), run)
        return str(run)

    def _register(
        self, client: MlflowClient, experiment: str, run: str, version: ModelVersion
    ) -> None:
        """Log the model with its signature, and register it."""
        from mlflow.entities import LoggedModelOutput
        from mlflow.exceptions import MlflowException, RestException

        made, tags = version.manifest, {VERSION: version.name}
        model = client.create_logged_model(experiment, self.name, run, tags, model_type="sklearn")
        with tempfile.TemporaryDirectory(prefix="ml-mlflow-") as folder:
            _write_model(Path(folder), version, run, model)
            client.log_model_artifacts(model.model_id, str(Path(folder) / "model"))
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(run, [LoggedModelOutput(model.model_id, step=0)])
        try:
            client.create_registered_model(self.name, description=made.settings["dataset"]["about"])
        except (RestException, MlflowException) as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        client.create_model_version(
            self.name, model.artifact_location, run, tags, model_id=model.model_id
        )

    def _take_back(self, client: MlflowClient, version: str, runs: list[Run]) -> None:
        """Remove what an attempt left that was cut off."""
        for run in runs:
            client.delete_run(run.info.run_id)
        if number := _registered(client, self.name).get(version):
            client.delete_model_version(self.name, number)

    @contextmanager
    def _client(self) -> Iterator[MlflowClient]:
        """Open a client of this server, and translate its errors."""
        check_installed()
        with _environment():
            self._check_answers()
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from requests import RequestException
            from sqlalchemy.exc import SQLAlchemyError

            try:
                with _quiet():
                    yield MlflowClient(self.uri, registry_uri=self.uri)
            except (*FAILURES, MlflowException, RequestException, SQLAlchemyError) as error:
                raise self._failed(error) from cause(error, self.uri)

    def _check_answers(self) -> None:
        """Check that a server answers, before anything slow is done."""
        parts = urlsplit(self.uri)
        if parts.scheme not in ("http", "https"):
            return
        host, path = parts.netloc.rpartition("@")[2], f"{parts.path.rstrip('/')}/health"
        page = parts._replace(netloc=host, path=path).geturl()
        try:
            urllib.request.urlopen(page, timeout=PATIENCE).close()
        except urllib.error.HTTPError:
            pass  # it answers; it may want a password, and a proxy may know no such page
        except (OSError, ValueError) as error:
            raise self._failed(error) from cause(error, self.uri)

    def _failed(self, error: Exception) -> TrackingError:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        reason = without_secrets(reason, self.uri)
        return TrackingError(f"{shown(self.uri)} (tracking.uri): {reason[:300]}")


def example_rows(version: ModelVersion) -> list[dict[str, Any]]:
    """Two made-up rows of the version's table: of middle values, and with all missing that may be.

    They are made from the profile of the training table, so no row of it is shown.
    """
    spec, profile = version.spec, version.manifest.data.profile
    names = [name for name in spec.columns if name != spec.target]
    middle = {name: _middle(spec.columns[name], profile.get(name, {})) for name in names}
    sparse = {name: None if spec.columns[name].nullable else middle[name] for name in names}
    for number, row in enumerate((middle, sparse), start=1):
        row[spec.id] = number if spec.columns[spec.id].numeric else str(number)
    return [middle, sparse]


def _middle(column: Column, profile: Mapping[str, Any]) -> Any:
    """Return a typical value of a column."""
    if column.example:
        return column.example
    if profile.get("commonest"):
        return next(iter(profile["commonest"]))
    value = (profile.get("quantiles") or [0.0] * 5)[2]
    return int(value) if column.kind == "integer" else value


def _experiment(client: MlflowClient, name: str) -> str:
    """Find or create an experiment, and return its id."""
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def _runs(client: MlflowClient, experiment: str, condition: str) -> list[Run]:
    """Return the runs that meet a condition: of versions, and of their candidates."""
    found: list[Run] = []
    token = None
    while True:
        page = client.search_runs([experiment], condition, page_token=token, max_results=1000)
        found += page
        if not (token := page.token):
            return found


def _registered(client: MlflowClient, name: str) -> dict[str, str]:
    """Return the number of each registered version, by its name in our store."""
    found: dict[str, str] = {}
    token = None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found |= {m.tags[VERSION]: str(m.version) for m in page if VERSION in m.tags}
        if not (token := page.token):
            return found


def _log_params(client: MlflowClient, run: str, values: Mapping[str, Any]) -> None:
    from mlflow.entities import Param

    params = [Param(key, str(value)) for key, value in values.items()]
    for start in range(0, len(params), AT_ONCE):
        client.log_batch(run, params=params[start : start + AT_ONCE])


def _log_metrics(client: MlflowClient, run: str, values: Mapping[str, float], time: int) -> None:
    from mlflow.entities import Metric

    client.log_batch(run, metrics=[Metric(key, value, time, 0) for key, value in values.items()])


def _metrics(estimates: Estimates, prefix: str = "") -> dict[str, float]:
    """Return the metrics and the ends of their intervals by name."""
    found: dict[str, float] = {}
    for name, e in estimates.items():
        named = {"": e.value, "_low": e.low, "_high": e.high}
        found |= {f"{prefix}{name}{end}": value for end, value in named.items()}
    return found


def _input(made: Manifest) -> Any:
    """Describe the training table as the input of a run."""
    import json

    from mlflow.entities import Dataset, DatasetInput, InputTag

    table, name = made.data, made.settings["dataset"]["name"]
    profile = {"rows": table.rows, "fingerprint": table.fingerprint, "columns": table.profile}
    dataset = Dataset(
        name=name,
        digest=table.fingerprint[:36],  # there is room for no more
        source_type="uri",
        source=json.dumps({"uri": table.uri}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _write_documents(folder: Path, version: ModelVersion, report: Report) -> None:
    """Write report, model card, figures and settings as files of a run."""
    import json

    settings = json.dumps(version.manifest.settings, indent=1, default=str)
    (folder / "settings.json").write_text(settings, encoding="utf-8")
    for file in (REPORT, MODEL_CARD):
        (folder / file).write_bytes(version.read(file))
    (folder / "figures").mkdir()
    for name, drawing in report.figures.items():
        (folder / "figures" / f"{name}.svg").write_text(drawing, encoding="utf-8")


def _write_model(folder: Path, version: ModelVersion, run: str, model: Any) -> None:
    """Write the model in MLflow's format: files of the version, code, and requirements."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import Model

    data = folder / "data"
    (data / version.name).mkdir(parents=True)
    (data / version.name / MODEL).write_bytes(version.read(MODEL))
    (data / version.name / MANIFEST).write_bytes(version.manifest.to_bytes())
    about = Model(model.artifact_location, run, model_uuid=model.model_id, model_id=model.model_id)
    mlflow.pyfunc.save_model(
        str(folder / "model"),
        loader_module="titanic_ml.integrations.mlflow_model",
        data_path=str(data),
        code_paths=[str(PACKAGE)],
        mlflow_model=about,
        signature=_signature(version),
        input_example=pd.DataFrame(example_rows(version)),
        pip_requirements=_requirements(),
        metadata={VERSION: version.name, "threshold": version.threshold},
    )


def _signature(version: ModelVersion) -> ModelSignature:
    """Return the model's signature. A number that may be missing is a double, as NaN is."""
    from mlflow.models.signature import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    spec = version.spec
    inputs: dict[str, ColSpec | TensorSpec] = {}
    for name, column in spec.columns.items():
        whole = column.kind == "integer" and not column.nullable
        number = column.numeric and column.kind != "date"
        kind = "long" if whole else "double" if number else "string"
        inputs[name] = ColSpec(kind, name, required=not column.nullable)
    inputs.pop(spec.target)
    kinds = {"integer": "long", "number": "double", "bool": "boolean"}
    target = ColSpec(kinds.get(spec.answer_kind, "string"), spec.target)
    probability = ColSpec("double", "probability")
    outputs = [inputs[spec.id], target, probability]
    return ModelSignature(Schema([*inputs.values()]), Schema(outputs))


def _requirements() -> list[str]:
    """Return the requirements of the model's code, in the installed versions."""
    needed = [line for line in requires("titanic_ml") or [] if "extra ==" not in line]
    names = [line.split(">")[0].split("(")[0].strip() for line in needed]
    return [f"{name}=={installed_version(name)}" for name in [*names, "mlflow"]]


@contextmanager
def _environment() -> Iterator[None]:
    """Variables that MLflow reads, where the user has set none; and not its warnings on itself."""
    missing = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in missing:
            os.environ.pop(name, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what MLflow and its migrations would say on standard error."""
    with ExitStack() as stack:
        for name in ("mlflow", "alembic"):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield
