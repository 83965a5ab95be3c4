"""The commands train, evaluate and predict: what they print, write and exit with."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import typer

import titanic_ml
from titanic_ml.cli.options import called
from titanic_ml.errors import UnreadableTable
from titanic_ml.evaluation.result import Estimate
from titanic_ml.registry.signatures import sealed
from titanic_ml.registry.store import ModelStore
from titanic_ml.storage.tables import read_table

ROOT = Path(__file__).parents[2]
TRAIN, TEST = (ROOT / "data" / f"{name}.csv" for name in ("train", "test"))
MAIN = [sys.executable, str(ROOT / "main.py")]
IDS = [str(number) for number in range(892, 1310)]


def start(*words: object, **options) -> subprocess.Popen:
    """Start the program in a process of its own."""
    pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
    return subprocess.Popen([*MAIN, *map(str, words)], **{**pipes, **options})


def finish(*words: object, given: bytes = b"", **options) -> tuple[int, bytes, bytes]:
    process = start(*words, **options)
    out, err = process.communicate(given)
    return process.returncode, out, err


def columns(text: str) -> dict[str, list[str]]:
    return pd.read_csv(io.StringIO(text), dtype="str").to_dict("list")


@pytest.mark.usefixtures("unmeasured", "undrawn")
def test_train_takes_a_table_and_prints_the_comparison_the_score_and_the_version(
    run, quick, tmp_path
):
    settings, table = f"store.uri={tmp_path / 'models'}", tmp_path / "mine.csv"
    pd.read_csv(TRAIN).iloc[:700].to_csv(table, index=False)
    done = run("train", table, settings, *quick)
    (version,) = (path.name for path in (tmp_path / "models").glob("2*"))
    assert done.code == 0
    for words in ("logistic regression", "<- chosen", "log_loss", f"{version} is the new champion"):
        assert words in done.out
    assert "Training" in done.err and "100%" in done.err
    shown = json.loads(run("models", "show", version, "--json", settings).out)
    assert shown["data"]["rows"] == 700
    assert shown["data"]["uri"] == shown["settings"]["data"]["uri"] == str(table)


@pytest.fixture
def trains(training, monkeypatch) -> list:
    """`train` returns at once what this list holds, at first the training of `trained`."""
    held = [training]
    monkeypatch.setattr(titanic_ml.TitanicPipeline, "train", lambda *_, **__: held[0])
    return held


def test_train_that_is_refused_the_crown_is_done_all_the_same(run, trains):
    trains[0] = replace(trains[0], promoted=False, why="log loss 2 against 1")
    done = run("train")
    assert done.code == 0
    assert "did not become the champion: log loss 2 against 1" in done.out


@pytest.mark.parametrize(("promoted", "code"), [(True, 3), (False, 0)])
@pytest.mark.parametrize("flags", [[], ["--json"], ["--quiet"]])
def test_a_champion_that_beats_no_baseline_has_an_exit_code(run, trains, flags, promoted, code):
    evaluation = trains[0].evaluation
    gains = {"majority class": {"log_loss": Estimate(0.0, -0.1, 0.1)}}
    trains[0] = replace(trains[0], evaluation=replace(evaluation, gains=gains), promoted=promoted)
    done = run("train", *flags)
    assert (done.code, done.err) == (code, "")
    assert ("WARNING: it does not clearly beat majority class" in done.out) == (not flags)


def test_a_version_that_is_kept_but_could_not_be_promoted_exits_with_1(run, trains):
    trains[0] = replace(trains[0], promoted=False, failed=True, why="the champion is damaged")
    done = run("train")
    assert (done.code, done.err) == (1, "")
    assert f"{trains[0].version} is kept, but not promoted: the champion is damaged" in done.out
    told = run("train", "--json")
    assert told.code == 1 and json.loads(told.out)["failed"] is True


def test_train_like_a_version_takes_its_settings(run, store, trains, monkeypatch):
    asked = []
    like = titanic_ml.TitanicPipeline.like
    monkeypatch.setattr(
        titanic_ml.TitanicPipeline, "like", lambda *words: asked.append(like(*words)) or asked[0]
    )
    assert run("train", "--like", "champion", "seed=9", f"store.uri={store}", "-q").code == 0
    assert asked[0].settings.selection.repeats == 1 and asked[0].settings.seed == 9
    refused = run("train", "--like", "nope", f"store.uri={store}")
    assert refused.code == 1 and "no model nope" in refused.err


def test_a_mismatch_may_be_allowed_and_the_answer_warns(run, store, tmp_path):
    path = next(store.glob("2*/manifest.json"))
    values = json.loads(path.read_text())
    values["libraries"]["scikit-learn"] = "0.24.1"
    del values["digest"], values["signature"]
    path.write_bytes(sealed(values, None))
    out = tmp_path / "out.csv"
    for words in (
        ["predict", TEST, "--output", out],
        ["evaluate", TRAIN],
        ["explain", TEST, "--id", 892],
    ):
        refused = run(*words, f"store.uri={store}")
        assert refused.code == 1 and "or allow the mismatch (--allow-mismatch)" in refused.err
        done = run(*words, f"store.uri={store}", "--allow-mismatch")
        assert done.code == 0 and "WARNING: " in done.out, done.err
        assert "was made with scikit-learn 0.24.1, but here is" in done.out
        told = json.loads(run(*words, f"store.uri={store}", "--allow-mismatch", "--json").out)
        assert "0.24.1" in told["warning"]


def test_predictions_go_where_the_settings_say(run, store, tmp_path):
    words = f"store.uri={store}", f"predictions.uri={tmp_path / 'out.csv'}"
    assert run("predict", TEST, *words).code == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 418


def test_predict_alone_reads_and_writes_the_tables_of_the_settings(
    run, store, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "test.csv").write_bytes(Path(TEST).read_bytes())
    done = run("predict", f"store.uri={store}")
    assert done.out.endswith("written to submission.csv\n")
    assert len(pd.read_csv(tmp_path / "submission.csv")) == 418


@pytest.mark.parametrize(
    ("command", "option"),
    [(["evaluate"], "--data"), (["explain", "--id", 892], "--data"), (["monitor"], "--log")],
)
def test_a_table_is_positional_and_the_old_option_works_with_a_note(run, store, command, option):
    table = TRAIN if command == ["evaluate"] else TEST
    new = run(command[0], table, *command[1:], f"store.uri={store}")
    old = run(*command, option, table, f"store.uri={store}")
    assert (old.code, old.out) == (new.code, new.out) and new.err == ""
    assert old.err == f"WARNING: {option} is no longer needed: name the table without it\n"
    assert run(*command, option, table, f"store.uri={store}", "--quiet").err == ""
    assert option not in run(*command[:1], "--help").out


def test_the_report_of_a_bucket_is_opened_as_a_copy(run, store, bucket, monkeypatch):
    opened = []
    monkeypatch.setattr(typer, "launch", opened.append)
    uri = bucket("models")
    ModelStore(uri).objects.write_all(
        {str(p.relative_to(store)): p.read_bytes() for p in store.rglob("*") if p.is_file()}
    )
    done = run("report", f"store.uri={uri}", "--open")
    assert done.code == 0 and done.out.startswith(f"{uri}/2")
    assert Path(opened[0]).read_text().startswith("<!")


def test_evaluate_prints_metrics_and_warns_of_rows_seen(run, store):
    done = run("evaluate", TRAIN, f"store.uri={store}")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("891 rows, 342 with Survived 1, threshold 0.5, with 95% ")
    assert "intervals:\n  WARNING: the model was" in done.out


def test_explain_reports_which_facts_moved_the_answer(run, store, quick):
    done = run("explain", "--id", 5, f"store.uri={store}", *quick)
    assert done.code == 0
    assert done.out.startswith("PassengerId 5: probability of Survived 0.")
    assert re.search(r"^  -0\.\d{3}  sex male, title Mr", done.out, re.MULTILINE)
    told = json.loads(run("explain", TEST, "--id", 892, "--json", f"store.uri={store}").out)
    moved = sum(row["contribution"] for row in told["contributions"])
    assert told["base"] + moved == pytest.approx(told["probability"], abs=1e-9)


def test_init_writes_a_dataset_and_prints_the_next_commands(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.read_csv(TRAIN)[["PassengerId", "Survived", "Sex", "Fare"]]
    table.to_csv("fares.csv", index=False)
    done = run("init", "fares.csv", "--target", "Survived", "--positive", "1")
    assert done.code == 0 and done.out.splitlines()[-3:] == [
        f"  {called()} {command} dataset=fares" for command in ("train", "predict", "serve")
    ]
    assert "Sex          category  male 577, female 314" in done.out
    assert run("validate", "dataset=fares").code == 0
    again = run("init", "fares.csv", "--target", "Survived")
    assert again.code == 2 and "fares.yaml exists; --force replaces it" in again.err
    done = run("init", "fares.csv", "--target", "Sex", "--force", "--json")
    assert json.loads(done.out)["positive"].startswith("Sex female is predicted: 314 of 891")


def test_explain_needs_an_id(run, store, quick):
    done = run("explain", f"store.uri={store}", *quick)
    assert done.code == 2 and "missing --id" in done.err


def test_explain_names_the_table_that_lacks_the_row(run, store, quick):
    done = run("explain", "--passenger-id", "x", f"store.uri={store}", *quick)
    assert (done.code, done.out) == (1, "")
    assert "train.csv has no PassengerId x; name one of its rows" in done.err


def test_evaluate_without_a_table_is_what_the_training_measured(run, store, training):
    done = run("evaluate", f"store.uri={store}")
    assert done == (0, f"{training.evaluation}\n", "")
    assert done.out.startswith("Out-of-fold metrics: 891 rows, ")
    assert "WARNING" not in done.out and "\nIn grouped folds, where no group" in done.out
    told = json.loads(run("evaluate", "--json", f"store.uri={store}").out)
    assert told["out_of_fold"] and told["version"] == training.version
    assert told["grouped"]["log_loss"]["value"] > told["estimates"]["log_loss"]["value"]


def test_monitor_names_what_has_moved_and_exits_with_1(run, store, tmp_path):
    where, later = f"store.uri={store}", tmp_path / "later.csv"
    assert run("monitor", TEST, where).code == 0
    table = pd.read_csv(TRAIN)
    table.assign(Fare=table["Fare"] * 1.9).drop(columns="Survived").to_csv(later, index=False)
    page = tmp_path / "drift.html"
    done = run("monitor", later, "--labels", TRAIN, "--report", page, where)
    assert (done.code, done.err) == (1, "")
    assert "drift in 891 rows: Fare: median 14.5 before, 27.5 now" in done.out
    assert "rows whose outcome is known" in done.out
    assert page.read_text().startswith("<!DOCTYPE html>")
    told = json.loads(run("monitor", later, "--json", where).out)
    assert told["alarm"] and "Fare" in told["drift"]["drifted"] and told["performance"] is None
    refused = run("monitor", later, "--report", tmp_path / "no/drift.html", where)
    assert refused.code == 1 and "can't be written: No such file" in refused.err


@pytest.mark.parametrize(
    "log", ["served/", "sqlite:///log.db?table=served", "sqlite:///other.db?table=served"]
)
def test_monitor_says_that_there_are_no_answers_yet(run, store, tmp_path, monkeypatch, log):
    monkeypatch.chdir(tmp_path)
    sqlite3.connect("other.db").close()  # a database without the table
    Path("other.db").write_bytes(b"")
    where = f"store.uri={store}", f"monitoring.log={log}"
    done = run("monitor", *where)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {log}: no predictions yet; a service writes them there")
    named = run("monitor", log, *where)
    assert named.code == 1 and "no such" in named.err  # a table that the user named is missing


def test_monitor_says_what_it_lacks(run, store, tmp_path):
    where = f"store.uri={store}"
    nothing = run("monitor", where, "monitoring.log=null")
    assert nothing.code == 2 and "name a table, or set monitoring.log" in nothing.err
    wrong = run("monitor", TEST, "--since", "soon", where)
    assert wrong.code == 2 and "expected a time such as" in wrong.err
    later = run("monitor", TEST, "--since", "7d", where)
    assert later.code == 1 and "has no column predicted_at" in later.err
    strange = run("monitor", TEST, "--labels", TEST, where)
    assert strange.code == 1 and "column Survived: found no column of this name" in strange.err


def test_report_says_where_it_is_and_opens_it(run, store, monkeypatch, training):
    opened = []
    monkeypatch.setattr("typer.launch", opened.append)
    path = store / training.version / "report.html"
    for words in ([], ["champion"], [training.version]):
        assert run("report", *words, f"store.uri={store}") == (0, f"{path}\n", "")
    assert path.exists() and not opened
    told = json.loads(run("report", "latest", "--open", "--json", f"store.uri={store}").out)
    assert told == {"version": training.version, "report": str(path)} and opened == [str(path)]


def test_predict_writes_what_kaggle_takes(run, store, tmp_path):
    output = tmp_path / "submission.csv"
    done = run("predict", TEST, "--output", output, f"store.uri={store}")
    version = next(path.name for path in store.iterdir() if path.is_dir())
    assert (done.code, done.err) == (0, "")
    assert done.out == f"418 rows predicted by {version}, written to {output}\n"
    lines = output.read_bytes().decode("ascii").split("\n")
    assert lines[0] == "PassengerId,Survived"
    assert [line.partition(",")[0] for line in lines[1:-1]] == IDS
    assert {line.partition(",")[2] for line in lines[1:-1]} == {"0", "1"}
    assert lines[-1] == ""


def test_predict_keeps_the_order_of_the_input(run, store, tmp_path):
    table = pd.read_csv(TEST).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "input.csv", index=False)
    done = run("predict", tmp_path / "input.csv", "--output", "-", f"store.uri={store}")
    assert columns(done.out)["PassengerId"] == [str(number) for number in table["PassengerId"]]


@pytest.mark.parametrize("suffix", [".csv.gz", ".parquet"])
def test_predict_reads_and_writes_other_kinds_of_tables(run, store, tmp_path, suffix):
    table = pd.read_csv(TEST)
    given, output = tmp_path / f"input{suffix}", tmp_path / f"output{suffix}"
    table.to_parquet(given) if suffix == ".parquet" else table.to_csv(given, index=False)
    expected = columns(run("predict", TEST, "--output", "-", f"store.uri={store}").out)
    assert run("predict", given, "--output", output, f"store.uri={store}").code == 0
    answer = pd.read_parquet(output) if suffix == ".parquet" else pd.read_csv(output)
    assert answer[list(expected)].astype("str").to_dict("list") == expected


def test_predict_adds_the_probability_on_request(run, store):
    done = run("predict", TEST, "--output", "-", "--probability", f"store.uri={store}")
    answer = pd.read_csv(io.StringIO(done.out))
    assert list(answer) == ["PassengerId", "Survived", "probability"]
    assert ((answer["probability"] >= 0.5) == answer["Survived"]).all()


def test_predict_sets_bad_rows_aside_and_counts_them(run, store, tmp_path):
    table = pd.read_csv(TEST).astype(object)
    table.loc[[3, 7], "Age"] = "old"
    table.to_csv(tmp_path / "in.csv", index=False)
    with open(tmp_path / "in.csv", "a") as file:
        file.write("1310,3\n")
    words = ["predict", tmp_path / "in.csv", "--output", tmp_path / "out.csv"]
    words += [f"store.uri={store}", "--on-invalid", "quarantine", "--rejects"]
    done = run(*words, tmp_path / "bad.csv")
    assert done.code == 0
    assert done.out.startswith("416 rows predicted by ")
    assert done.out.endswith(f"3 of 419 rows rejected, written to {tmp_path}/bad.csv\n")
    bad = pd.read_csv(tmp_path / "bad.csv")
    assert bad["rejected_row"].tolist() == [4, 8, 419]
    assert bad["rejected_because"][2] == (
        "found 2 values, expected 11 as in the header, in the line '1310,3'"
    )
    values = json.loads(run(*words, tmp_path / "bad.parquet", "--json").out)
    assert (values["read"], values["rows"], values["rejected"]) == (419, 416, 3)
    assert len(pd.read_csv(tmp_path / "out.csv")) == 416


def test_quarantine_needs_a_place_for_rejects_and_that_quarantine(run, store, tmp_path):
    words = ["predict", TEST, "--output", tmp_path / "out.csv", f"store.uri={store}"]
    for more in (["--on-invalid", "quarantine"], ["--rejects", tmp_path / "bad.csv"]):
        done = run(*words, *more)
        assert done.code == 2
        assert "go together" in done.err
    assert not list(tmp_path.iterdir())


def test_predict_writes_the_run_that_is_named(run, store, tmp_path):
    output = f"sqlite:///{tmp_path}/out.db?table=predictions"
    words = ["predict", TEST, "--output", output, f"store.uri={store}", "--run-id", "daily-1"]
    for _ in range(2):
        done = run(*words)
        assert done.out.endswith(f"written to {output} as run daily-1\n")
    assert read_table(output)["run_id"].value_counts().to_dict() == {"daily-1": 418}


def test_predict_takes_a_version_by_name(run, store, worse):
    settings = f"store.uri={store}"
    answers = [
        columns(run("predict", TEST, "--output", "-", "--model", model, settings).out)["Survived"]
        for model in ("champion", "latest")
    ]
    assert "1" in answers[0] and set(answers[1]) == {"0"}


@pytest.mark.parametrize(
    ("command", "keys"),
    [
        (
            ["train"],
            {"version", "report", "estimator", "parameters", "threshold", "metrics", "grouped"}
            | {"promoted", "why", "beats_baselines", "left_out", "failed", "tracked"},
        ),
        (
            ["evaluate"],
            {"rows", "positives", "threshold", "estimates", "confusion", "seen"}
            | {"baselines", "gains", "slices", "curves", "confidence", "version"}
            | {"out_of_fold", "grouped", "warning", "nested_confusion"}
            | {"calibration_p", "worst_p", "target", "answers"},
        ),
        (
            ["predict", TEST, "--output", "out.csv"],
            {"read", "rows", "rejected", "output", "rejects", "model", "run_id", "warning"},
        ),
    ],
)
def test_for_a_program_the_answer_is_json_and_nothing_else(
    run, store, quick, trains, tmp_path, monkeypatch, command, keys
):
    monkeypatch.chdir(tmp_path)
    done = run(*command, "--json", f"store.uri={store}", *quick)
    assert done.code == 0
    assert set(json.loads(done.out)) == keys


@pytest.mark.parametrize(
    "command", [["train"], ["evaluate"], ["predict", TEST, "--output", "out.csv"]]
)
def test_quiet_prints_nothing(run, store, quick, trains, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    for flag in ("--quiet", "-q"):
        assert run(*command, flag, f"store.uri={store}", *quick) == (0, "", "")


def test_quiet_still_prints_errors(run, store):
    done = run("evaluate", "--quiet", "none.csv", f"store.uri={store}")
    assert done.code == 1
    assert done.err.startswith("Error: none.csv: no such file")


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"titanic-ml {titanic_ml.__version__}\n", "")


COMMANDS = [
    *([], ["train"], ["evaluate"], ["explain"], ["predict"], ["report"]),
    *(["models", name] for name in ("list", "show", "compare", "promote", "rollback", "delete")),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples(run, command):
    done = run(*command, "--help")
    assert (done.code, done.err) == (0, "")
    assert re.search(rf"Examples:\n +titanic-ml {' '.join(command)}", done.out)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_examples_name_only_what_there_is(run, command):
    """Every command and option in an example stands in the help of its command."""
    for line in re.findall(r"^ +titanic-ml (.+)$", run(*command, "--help").out, re.MULTILINE):
        words = line.split()
        name = words[:2] if words[0] == "models" else words[:1]
        page = run(*name, "--help")
        assert page.code == 0
        for option in (word for word in words if word.startswith("--")):
            assert option in page.out


@pytest.mark.parametrize("words", [[], ["models"]])
def test_without_a_command_the_help_is_shown(run, words):
    done = run(*words)
    assert done.code == 2
    assert "Usage: " in done.out + done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nope"], "No such command 'nope'"),
        (["train", "--nope"], "No such option"),
        (["predict", "predictions.input=null"], "no input: name a table, or set predictions.input"),
        (
            ["predict", "a.csv", "predictions.uri=null"],
            "no output: name one (--output), or set predictions.uri",
        ),
        (["predict", "a.csv", "b.csv"], "unexpected 'b.csv': expected settings after the table"),
        (["predict", "a.csv", "b.csv"], "; to write to it: --output b.csv"),
        (["train", "a.csv", "b.csv"], "unexpected 'b.csv': expected settings after the table"),
        (["train", "a.csv", "--data", "b.csv"], "two tables, a.csv and --data b.csv"),
        (["monitor", "a.csv", "--log", "b.csv"], "two tables, a.csv and --log b.csv"),
        (["predict", "a.csv", "--output", "-", "--json"], "both want standard output; choose one"),
        (["train", "seeds=7"], "unknown setting seeds; did you mean seed?"),
        (["evaluate", "seed=x"], "seed: Value 'x'"),
        (["predict", "a.csv", "--output", "-", "env=nope"], "unknown env nope"),
        (["models", "list", "n_jobs=0"], "n_jobs is 0, expected"),
        (["models", "list", "store.uri="], "store.uri is empty, expected the address of a store"),
        (["models", "list", "store.uri=${nope}"], "Interpolation key 'nope' not found"),
        (["predict", "a.csv", "--output", "a.xlsx"], "a.xlsx: unknown kind of table, expected a"),
    ],
)
def test_usage_errors_exit_with_2(run, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [["evaluate"], ["predict", TEST, "--output", "out.csv"], ["models", "show", "champion"]],
)
def test_a_store_without_a_model_exits_with_1_and_says_how_to_train(
    run, tmp_path, monkeypatch, words
):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"Error: the store {tmp_path / 'models'} (store.uri) holds no model; train one first: "
        f"{called()} train\n"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.system
@pytest.mark.parametrize(("words", "shown"), [([], True), (["--quiet"], False)])
def test_a_version_that_mlflow_did_not_receive_is_a_warning(
    run, store, worse, tmp_path, words, shown
):
    pytest.importorskip("mlflow")
    places = [f"store.uri={store}", "tracking.uri=http://127.0.0.1:1", f"scratch={tmp_path}"]
    done = run("models", "promote", worse.name, "--force", *words, *places)
    warned = done.err.startswith(
        f"WARNING: Not sent yet: {worse.name}. http://127.0.0.1:1 (trackin"
    )
    assert done.code == 0 and warned == shown and bool(done.err) == shown
    done = run("track", "--pending", *places)
    assert done.code == 1 and "Connection refused; `track --pending` sends it when" in done.out
    assert run("track", f"store.uri={store}").err.startswith("Error: tracking.uri is null: name")


def test_verbose_reports_what_is_done_and_silence_is_the_default(run, store, tmp_path):
    output = tmp_path / "out.csv"
    words = "predict", TEST, "--output", output, f"store.uri={store}"
    assert run(*words).err == ""
    told = run(*words, "--verbose").err.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d titanic_ml[.\w]*: ", line) for line in told)
    for what in ("settings of env=local", "read model.joblib", "418 rows read", "418 rows written"):
        assert sum(what in line for line in told) == 1
    assert run(*words).err == ""


def test_debug_shows_where_an_error_comes_from(store):
    from titanic_ml.cli.app import main

    with pytest.raises(UnreadableTable):
        main(["evaluate", "--debug", "none.csv", f"store.uri={store}"])


@pytest.mark.system
def test_a_process_reads_standard_input_and_writes_standard_output(store):
    words = "predict", "-", "--output", "-", f"store.uri={store}"
    code, out, err = finish(*words, given=TEST.read_bytes())
    assert (code, err) == (0, b"")
    assert columns(out.decode())["PassengerId"] == IDS


@pytest.mark.system
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "words", [["models", "show", "champion"], ["predict", TEST, "--output", "-"], ["--help"]]
)
def test_a_full_output_is_said_in_a_line(store, words):
    settings = [] if words == ["--help"] else [f"store.uri={store}"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*MAIN, *map(str, words), *settings], stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr) == (
        1,
        b"Error: standard output: No space left on device\n",
    )


@pytest.mark.system
def test_nothing_is_said_where_the_reader_has_gone(store):
    with start("models", "show", "champion", f"store.uri={store}") as process:
        process.stdout.close()  # as `| head` does, before anything is written
        assert (process.stderr.read(), process.wait()) == (b"", 1)


@pytest.mark.system
def test_a_process_prints_a_traceback_only_with_debug(store):
    words = "evaluate", "none.csv", f"store.uri={store}"
    code, out, err = finish(*words)
    assert (code, out) == (1, b"")
    assert err.startswith(b"Error: none.csv: no such file") and err.count(b"\n") == 1
    code, out, err = finish(*words, "--debug")
    assert (code, out) == (1, b"")
    assert b"Traceback" in err and b"MissingTable: none.csv: no such file" in err


@pytest.mark.system
def test_the_installed_program_is_the_same(tmp_path):
    code = f"import sys; sys.argv[0] = 'titanic-ml'; {ENTRY}"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == finish("--help")[:2]


ENTRY = "from importlib.metadata import entry_points as e; [*e(name='titanic-ml')][-1].load()()"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_shown_for_the_shell(run, monkeypatch, shell):
    monkeypatch.setattr("shellingham.detect_shell", lambda: (shell, f"/bin/{shell}"))
    done = run("--show-completion")
    assert (done.code, done.err) == (0, "")
    assert "_TITANIC_ML_COMPLETE=complete_" + shell in done.out


def test_completion_completes_commands():
    variables = {
        "_TITANIC_ML_COMPLETE": "complete_bash",
        "COMP_WORDS": "titanic-ml ",
        "COMP_CWORD": "1",
    }
    code, out, err = finish(env={**os.environ, **variables})
    assert (code, err) == (0, b"")
    assert out.decode().split() == [
        *("init", "validate", "train", "evaluate", "explain", "config"),
        *("report", "track", "predict", "count", "monitor", "serve", "models"),
    ]


def gone(group: int, seconds: float = 120.0) -> bool:
    """Whether all processes of a group end within this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.posix
@pytest.mark.parametrize(
    ("n_jobs", "send", "number", "code"),
    [
        (2, "killpg", "SIGINT", 130),  # Ctrl-C: a terminal sends it to the workers too
        pytest.param(1, "killpg", "SIGINT", 130, marks=pytest.mark.system),
        pytest.param(2, "kill", "SIGTERM", 143, marks=pytest.mark.system),
        pytest.param(2, "kill", "SIGKILL", -9, marks=pytest.mark.system),
    ],
)
def test_a_training_that_is_stopped_leaves_no_version_and_no_process(
    run, tmp_path, quick, n_jobs, send, number, code
):
    store = tmp_path / "models"
    words = "train", f"store.uri={store}", *quick, "selection.repeats=25", f"n_jobs={n_jobs}"
    # A process that is killed would leave half a file of its coverage behind.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_") or code > 0}
    options = {
        "start_new_session": True,
        "env": {**environment, "FORCE_COLOR": "1"},
        # Where the tests themselves run in the background, Ctrl-C is ignored, and so by children.
        "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    }
    with start(*words, **options) as process:
        try:
            shown = b""
            while b"comparing candidates" not in shown:  # the work has started
                shown += (part := process.stderr.read1())
                assert part, shown
            time.sleep(2)
            getattr(os, send)(process.pid, getattr(signal, number))
            shown += process.communicate(timeout=180)[1]
            assert gone(process.pid)
        finally:
            if not gone(process.pid, 0.1):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == code
    if code != -9:
        assert b"Interrupted: no version was made; the same command goes on from here" in shown
    if number == "SIGTERM":  # workers that get Ctrl-C while they start may say so at length
        assert b"Traceback" not in shown
    assert not list(tmp_path.glob("models/*"))
    assert run("models", "list", "--json", f"store.uri={store}") == (0, "[]\n", "")


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "titanic_ml", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, f"titanic-ml {titanic_ml.__version__}\n")


def test_validate_reports_all_faults_and_exits_with_one(run, tmp_path):
    assert run("validate", TEST) == (0, f"{TEST}: 418 rows, without target, all right\n", "")
    assert run("validate", "--quiet", f"data.uri={TEST}").out == ""
    assert run("validate", TEST, "--target").code == 1
    lines = Path(TEST).read_text().splitlines()
    table = tmp_path / "bad.csv"
    bad = [line.replace("male", "man") for line in lines[1:51]]
    table.write_text("\n".join([lines[0], *bad, "x,y", ""]))
    done = run("validate", table)
    assert (done.code, done.err) == (1, "")
    told = done.out.splitlines()
    assert (
        told[0].startswith(f"{table}: 51 rows, without target, ") and len(told) > 40
    )  # all of them
    assert told[-1].startswith("  row 51: found 2 values, expected 11 as in the header")
    values = json.loads(run("validate", table, "--json").out)
    assert len(values["faults"]) == len(told) - 1
    assert values["faults"][0] == {
        "row": 1,
        "column": "Sex",
        "found": "'man'",
        "expected": "a word, one of male, female",
    }
    assert run("validate", tmp_path / "none.csv").err.startswith("Error: ")


def test_count_is_of_a_table_or_a_run_and_may_be_expected(run, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = [f"store.uri={store}", "predictions.uri=out.parquet"]
    run("predict", TEST, "--run-id", "r", *places)
    assert run("count", *places) == (0, "418 rows\n", "")
    assert run("count", "out.parquet", "--run-id", "r", "--expect", 418).code == 0
    done = run("count", *places, "--run-id", "other", "--expect", 418)
    assert (done.code, done.out) == (1, "0 rows of run other, expected 418\n")
    told = json.loads(run("count", "out.parquet", "--json").out)
    assert told == {"rows": 418, "run_id": None, "expected": None}


def test_train_with_an_id_is_done_once(run, tmp_path, quick, computed):
    words = ["train", "--run-id", "nightly", "--no-promote", "--json", f"store.uri={tmp_path}"]
    first, second = (json.loads(run(*words, *quick).out) for _ in range(2))
    assert first == second and not first["promoted"]
