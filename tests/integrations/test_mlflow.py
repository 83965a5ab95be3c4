"""MLflow's own objects, in a database that MLflow opens itself; the server is in integration/."""

import os
import warnings

import pytest

from titanic_ml.config.compose import load_settings
from titanic_ml.errors import SettingsError, TrackingError
from titanic_ml.integrations import mlflow as integration
from titanic_ml.integrations.mlflow import ENVIRONMENT, MlflowServer, example_rows
from titanic_ml.registry.store import ModelStore

pytestmark = [
    pytest.mark.system,  # importing MLflow alone takes seconds
    pytest.mark.filterwarnings("ignore"),  # MLflow's, on itself
]


@pytest.fixture(scope="module")
def server(tmp_path_factory, request):
    """A database of MLflow's with one version, the champion of `trained`."""
    pytest.importorskip("mlflow", reason="no MLflow: make install-all")
    folder = tmp_path_factory.mktemp("mlflow")
    before = os.getcwd()
    os.chdir(folder)  # where MLflow puts the files of a database without a server
    request.addfinalizer(lambda: os.chdir(before))
    return MlflowServer(f"sqlite:///{folder / 'mlflow.db'}", "titanic")


@pytest.fixture(scope="module")
def version(trained):
    return ModelStore(str(trained)).open("champion")


@pytest.fixture(scope="module")
def run(server, version):
    return server.send(version)


@pytest.fixture
def another(add_version):
    """A second version of `store`, as whole as the first."""
    return add_version()


@pytest.fixture
def client(server):
    with server._client() as client:
        yield client


def runs(client, version):
    experiment = client.get_experiment_by_name("titanic").experiment_id
    return client.search_runs([experiment], f"tags.`titanic_ml.version` = '{version.name}'")


def test_a_run_says_all_that_the_version_says(run, client, version):
    found, made = client.get_run(run), version.manifest
    tags, params, metrics = found.data.tags, found.data.params, found.data.metrics
    assert tags["titanic_ml.version"] == found.info.run_name == version.name
    assert tags["titanic_ml.data.fingerprint"] == made.data.fingerprint
    assert tags["titanic_ml.data.file_sha256"] == made.data.file_sha256
    assert version.report in tags["mlflow.note.content"]
    assert params["chosen.estimator"] == made.estimator and params["seed"] == "0"
    assert params["selection.folds"] == "2" and "store.signing_key" in params
    for prefix, estimates in (("", made.metrics), ("grouped_", made.grouped)):
        for name, e in estimates.items():
            found_ = [metrics[f"{prefix}{name}{end}"] for end in ("", "_low", "_high")]
            assert found_ == [e.value, e.low, e.high]
    (table,) = found.inputs.dataset_inputs
    assert (
        made.data.fingerprint.startswith(table.dataset.digest) and len(table.dataset.digest) == 36
    )
    assert made.data.fingerprint in table.dataset.profile and "train.csv" in table.dataset.source
    files = {f.path for f in client.list_artifacts(run)}
    assert files == {"report.html", "model_card.md", "settings.json", "figures"}
    figures = {f.path for f in client.list_artifacts(run, "figures")}
    assert {"figures/roc.svg", "figures/calibration.svg", "figures/importance.svg"} <= figures


def test_each_candidate_is_a_run_within_it(run, client, version):
    children = [r for r in runs(client, version) if r.info.run_id != run]
    assert {r.data.tags["mlflow.parentRunId"] for r in children} == {run}
    scores = {r.data.params["name"]: r.data.metrics for r in children}
    assert set(scores) == set(version.manifest.candidates)
    for name, candidate in version.manifest.candidates.items():
        assert scores[name]["log_loss"] == candidate["log_loss"]
        assert scores[name]["fit_seconds"] > 0
    logistic = next(r for r in children if r.data.params["name"] == "logistic_regression")
    assert logistic.info.run_name == "logistic regression"
    assert logistic.data.params["search.C"] == "[0.03, 0.1, 0.3, 1.0]"


def test_the_model_is_registered_with_what_it_takes_and_gives(run, client, version, server):
    import mlflow.models

    (model,) = client.search_model_versions("name = 'titanic'")
    assert model.run_id == run and model.tags["titanic_ml.version"] == version.name
    info = mlflow.models.get_model_info(model.source)
    inputs = {c.name: (c.type.name, c.required) for c in info.signature.inputs}
    assert inputs["Pclass"] == ("long", True) and inputs["Name"] == ("string", True)
    assert inputs["Age"] == ("double", False) and inputs["Cabin"] == ("string", False)
    assert [c.name for c in info.signature.outputs] == ["PassengerId", "Survived", "probability"]
    assert info.signature.inputs.input_names() == [
        n for n in version.spec.columns if n != "Survived"
    ]


def test_what_was_sent_is_not_sent_again(run, client, version, server):
    before = len(runs(client, version))
    assert server.send(version) == run
    assert len(runs(client, version)) == before


@pytest.mark.usefixtures("unmeasured")
def test_what_was_cut_off_is_sent_again(server, store, another, client, monkeypatch):
    """Whichever was its last step: no half run, and no model twice, is left."""
    cuts = ("log_inputs", "log_artifacts", "create_model_version", "set_terminated")
    for step in cuts:
        with monkeypatch.context() as patched:
            patched.setattr(f"mlflow.MlflowClient.{step}", _fail)
            with pytest.raises(TrackingError, match="mlflow.db .tracking.uri.: cut off"):
                server.send(another)
    run = server.send(another)
    found = runs(client, another)
    assert len(found) == 1 + len(another.manifest.candidates)
    assert {r.info.status for r in found} == {"FINISHED"}
    registered = [
        m
        for m in client.search_model_versions("name = 'titanic'")
        if m.tags["titanic_ml.version"] == another.name
    ]
    assert [m.run_id for m in registered] == [run]


def _fail(*words, **more):
    raise OSError("cut off")


def test_the_alias_follows(run, server, client, version, another):
    assert server.champion() is None and version.name in server.sent()
    server.set_champion(version)
    assert server.champion() == version.name
    number = client.get_model_version_by_alias("titanic", "champion").version
    assert client.get_model_version("titanic", number).tags["titanic_ml.version"] == version.name
    server.send(another)
    server.set_champion(another)
    number = client.get_model_version_by_alias("titanic", "champion").version
    assert client.get_model_version("titanic", number).tags["titanic_ml.version"] == another.name


def test_the_example_is_a_passenger_that_no_one_was(version, pipeline):
    middle, sparse = example_rows(version)
    assert middle["Age"] == 28 and middle["Pclass"] == 3 and middle["PassengerId"] == 1
    assert sparse["Age"] is sparse["Cabin"] is sparse["Embarked"] is None and sparse["Sex"]
    assert len(pipeline.predict([middle, sparse])) == 2


def test_variables_and_warnings_are_as_before(server, version, run, monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    filters = list(warnings.filters)
    with server._client():
        assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"
    assert not set(ENVIRONMENT) & set(os.environ) - {"MLFLOW_HTTP_REQUEST_TIMEOUT"}
    assert warnings.filters == filters


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("http://ann:secret@127.0.0.1:9", "http://...@127.0.0.1:9 .tracking.uri.: .*refused"),
        (f"sqlite:///{__file__}/mlflow.db", "test_mlflow.py/mlflow.db .tracking.uri.: "),
        ("nonsense://x", "nonsense://x .tracking.uri.: "),
    ],
)
def test_a_server_that_cannot_be_reached_is_reported(uri, words, version):
    with pytest.raises(TrackingError, match=words) as caught:
        MlflowServer(uri, "titanic").send(version)
    assert "secret" not in str(caught.value)


def test_without_mlflow_the_extra_is_named(monkeypatch, pipeline, quick, store):
    monkeypatch.setattr(integration, "find_spec", lambda name: None)
    tracked = type(pipeline)(f"store.uri={store}", *quick, "tracking.uri=sqlite:///mlflow.db")
    with pytest.raises(SettingsError, match=r"pip install 'titanic_ml\[mlflow\]'"):
        tracked.train()
    with pytest.raises(SettingsError, match="tracking.uri is null: name an MLflow server"):
        pipeline.models.track()


def test_settings_name_the_server(monkeypatch):
    assert load_settings().tracking.uri is None and load_settings().tracking.name == "titanic"
    for name in ("DATA_URI", "STORE_URI", "PREDICTIONS_URI", "SIGNING_KEY"):
        monkeypatch.setenv(f"TITANIC_{name}", "x")
    monkeypatch.delenv("TITANIC_TRACKING_URI", raising=False)
    assert load_settings(["env=remote"]).tracking.uri is None
    monkeypatch.setenv("TITANIC_TRACKING_URI", "http://host:5000")
    assert load_settings(["env=remote"]).tracking.uri == "http://host:5000"
