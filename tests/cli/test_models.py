"""The commands `models …`: what they print, change and exit with."""

import getpass
import json
import re
import subprocess
import sys

import pytest

from titanic_ml.registry.store import ModelStore


@pytest.fixture
def settings(store):
    return f"store.uri={store}"


@pytest.fixture
def two(store, worse):
    """The names of a store's champion and of a later, worse version."""
    return ModelStore(str(store)).champion.version, worse.name


def test_list_is_a_line_a_version_the_newest_first(run, settings, two):
    champion, worse = two
    done = run("models", "list", settings)
    header, first, second = done.out.splitlines()
    assert (done.code, done.err) == (0, "")
    words = "VERSION WHEN (UTC) ESTIMATOR LOG LOSS (INTERVAL) ALIASES DATA"
    assert " ".join(header.split()) == words
    assert re.match(rf"{worse} +\d{{4}}-\d\d-\d\dT\d\d:\d\d +majority +0.", first)
    assert " (95% 0." in first and re.search(r" latest +891 rows of \S*train.csv$", first)
    assert second.split()[0] == champion and " logistic_regression " in second
    assert re.search(r" champion +891 rows of ", second)


def test_list_for_a_program(run, settings, two):
    rows = json.loads(run("models", "list", "--json", settings).out)
    assert [row["version"] for row in rows] == [two[1], two[0]]
    assert [row["aliases"] for row in rows] == [["latest"], ["champion"]]
    assert set(rows[0]) == {"version", "time", "estimator", "log_loss", "rows", "aliases"} | {
        *("confidence", "who", "data")
    }
    loss = rows[0]["log_loss"]
    assert loss["low"] < loss["value"] < loss["high"]


def test_list_of_an_empty_store_says_so(run, tmp_path):
    done = run("models", "list", f"store.uri={tmp_path / 'none'}")
    assert done == (0, f"no models in {tmp_path / 'none'}\n", "")
    assert not (tmp_path / "none").exists()


def test_show_prints_the_manifest_for_a_program(run, settings, two):
    by_alias = json.loads(run("models", "show", "champion", "--json", settings).out)
    by_name = json.loads(run("models", "show", two[0], "--json", settings).out)
    assert by_alias == by_name
    assert by_alias["version"] == two[0] and by_alias["settings"]["seed"] == 0


def test_show_is_a_page_for_a_person(run, settings, two, store):
    page = run("models", "show", "champion", settings).out
    first, *_ = page.splitlines()
    assert first == f"version    {two[0]} (champion)"
    for words in ("logistic_regression, C ", "891 rows of ", "STRATIFIED FOLDS", "GROUPED FOLDS"):
        assert words in page
    assert f"report     {store / two[0] / 'report.html'}" in page
    assert re.search(r"^log_loss +0\.\d{3} \(.*\) +0\.\d{3} \(", page, re.MULTILINE)
    assert re.search(r"^logistic regression +0\.\d{4} +0\.\d{4} +\d+%$", page, re.MULTILINE)


def test_the_beginning_of_a_name_is_enough_if_it_is_one_versions(run, settings, two):
    champion, worse = two
    for words in (["show"], ["compare"]):
        assert run("models", *words, worse[:-1], settings).out == (
            run("models", *words, worse, settings).out
        )
    several = run("models", "show", champion[:4], settings)
    assert several.code == 1
    assert f"{champion[:4]} is the beginning of 2 versions in " in several.err
    assert champion in several.err and worse in several.err
    assert "; give more of the name" in several.err


def test_the_champion_is_compared_with_a_second_version_only(run, settings, two):
    for words in (["champion"], [two[0]], [two[0][:-1]]):
        done = run("models", "compare", *words, settings)
        assert done.code == 2 and done.out == ""
        assert f"{two[0]} is the champion; name a second version to compare with" in done.err


def test_a_higher_loss_reads_as_a_sentence(run, settings, two):
    champion, worse = two
    done = run("models", "compare", champion, worse, settings)
    assert re.search(r"the log loss of the second is higher by 0\.\d+ \(0\.", done.out)


def test_prune_keeps_the_newest_the_champion_and_the_one_before(run, settings, two, add_version):
    champion, worse = two
    later = [add_version().name for _ in range(3)]
    done = run("models", "prune", "--keep", 1, settings)
    assert done.out.splitlines() == [f"{name} is deleted" for name in (*later[1::-1], worse)]
    names = {row["version"] for row in json.loads(run("models", "list", "--json", settings).out)}
    assert names == {champion, later[2]}
    assert run("models", "prune", "--keep", 1, settings).out == "nothing to delete\n"
    assert run("models", "promote", later[2], settings).code == 0
    newest = add_version().name
    assert run("models", "promote", newest, settings).code == 0
    done = run("models", "prune", "--keep", 1, "--json", settings)
    assert json.loads(done.out) == {"deleted": [champion]}
    assert run("models", "rollback", settings).out == f"champion is {later[2]} again\n"
    assert run("models", "prune", "--keep", 0, settings).code == 2


@pytest.mark.parametrize("other", [["champion"], []])
def test_compare_puts_two_versions_side_by_side(run, settings, two, other):
    champion, worse = two
    done = run("models", "compare", worse, *other, settings)
    assert done.out.splitlines()[0].split() == ["METRIC", worse, champion]
    gain = re.search(r"On the 891 rows .* (?:lower|higher) by (\S+) \((\S+) to (\S+)\)$", done.out)
    assert 0 < float(gain[2]) < float(gain[1]) < float(gain[3])
    told = json.loads(run("models", "compare", worse, *other, "--json", settings).out)
    assert told["versions"] == [worse, champion] and told["rows"] == 891
    assert told["gain"]["value"] == pytest.approx(float(gain[1]), abs=5e-4)


def test_delete_removes_a_version_but_none_that_an_alias_names(
    run, settings, two, store, add_version
):
    champion, worse = two
    newest = add_version().name
    for alias, name in (("champion", champion), ("latest", newest)):
        refused = run("models", "delete", alias, settings)
        told = f"Error: {name} is the {alias}, and stays as long as it is\n"
        assert refused == (1, "", told)
    assert run("models", "delete", worse, settings) == (0, f"{worse} is deleted\n", "")
    assert sorted(path.name for path in store.iterdir()) == [champion, newest, "aliases"]
    rows = json.loads(run("models", "list", "--json", settings).out)
    assert [(row["version"], row["aliases"]) for row in rows] == [
        (newest, ["latest"]),
        (champion, ["champion"]),
    ]
    gone = run("models", "delete", worse, settings)
    assert (gone.code, gone.out) == (1, "") and f"no model {worse}" in gone.err


def test_rollback_passes_over_what_was_deleted(run, settings, two):
    champion, worse = two
    run("models", "promote", worse, "--force", settings)
    run("models", "delete", champion, settings)
    done = run("models", "rollback", settings)
    assert (done.code, done.out) == (1, "")
    assert "pointed at no other version before; nothing changed" in done.err


def test_promote_goes_through_the_gate_unless_forced(run, settings, two):
    champion, worse = two
    refused = run("models", "promote", worse, settings)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("Error: log loss") and "more than the margin" in refused.err
    assert (
        json.loads(run("models", "show", "champion", "--json", settings).out)["version"] == champion
    )
    forced = run("models", "promote", "latest", "--force", settings)
    assert forced == (0, f"champion is {worse}: forced\n", "")
    assert json.loads(run("models", "show", "champion", "--json", settings).out)["version"] == worse


def test_rollback_brings_the_previous_champion_back_once(run, settings, two):
    champion, worse = two
    run("models", "promote", worse, "--force", "--quiet", settings)
    assert json.loads(run("models", "rollback", "--json", settings).out) == {"champion": champion}
    done = run("models", "rollback", settings)
    assert (done.code, done.out) == (1, "")
    assert "no other version before" in done.err


@pytest.mark.parametrize("command", [["show"], ["promote"], ["promote", "--force"]])
def test_an_unknown_version_is_answered_with_what_there_is(run, settings, two, command):
    done = run("models", *command, "nope", settings)
    assert (done.code, done.out) == (1, "")
    assert f"expected one of champion, latest, {two[1]}, {two[0]}" in done.err


@pytest.mark.parametrize("words", [["list"], ["show", "champion"], ["promote", "champion"]])
def test_quiet_prints_nothing(run, settings, words):
    assert run("models", *words, "--quiet", settings) == (0, "", "")


def test_the_history_says_who_when_and_why(run, settings, two):
    champion, worse = two
    run("models", "promote", worse, "--force", "--why", "a trial", settings)
    run("models", "rollback", "--why", "it was worse", settings)
    page = run("models", "history", settings).out.splitlines()
    user = getpass.getuser()
    assert page[0].split() == ["WHEN", "(UTC)", "WHO", "ACTION", "VERSION", "WHY"]
    patterns = [
        rf" +1 \S+ +{user} +promote +{champion} +the first champion",
        rf" +2 \S+ +{user} +force +{worse} +forced: a trial",
        rf" +3 \S+ +{user} +rollback +{champion} +it was worse",
    ]
    for line, pattern in zip(page[1:], patterns, strict=True):
        assert re.fullmatch(pattern, line)
    rows = json.loads(run("models", "history", "--json", settings).out)
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) == {"number", "version", "time", "who", "why", "action", "back"}


def test_without_a_champion_there_is_no_history(run, tmp_path):
    done = run("models", "history", f"store.uri={tmp_path}")
    assert done == (0, f"no champion yet in {tmp_path}\n", "")


def test_verify_reads_all_and_sweeps_what_is_old(run, settings, two, store):
    champion, worse = two
    (store / "20260101T000000.000Z-abcdef").mkdir()
    assert run("models", "verify", settings) == (
        *(0, "2 versions read: all as they were saved\n", ""),
    )
    done = run("models", "verify", "--older-than", "0", settings)
    assert done.code == 0 and "20260101T000000.000Z-abcdef: left by a killed writer" in done.out
    (store / worse / "model.joblib").write_bytes(b"")
    done = run("models", "verify", "--json", settings)
    told = json.loads(done.out)
    assert done.code == 1 and (told["versions"], told["swept"]) == (2, [])
    assert f"{worse}/model.joblib: not the file that was saved" in told["faults"][0]


def test_a_damaged_version_is_reported_and_the_others_are_listed(run, settings, two, store):
    champion, worse = two
    (store / worse / "manifest.json").write_text("{}")
    done = run("models", "list", settings)
    assert done.code == 1 and champion in done.out and worse not in done.out
    assert done.err.startswith("Refused: ") and f"{worse}/manifest.json: damaged" in done.err
    rows = json.loads(run("models", "list", "--json", settings).out)
    assert [row["version"] for row in rows] == [champion]


def test_sign_signs_a_store_and_then_no_other_key_opens_it(run, settings, two):
    key = "store.signing_key=a key"
    assert "it is not signed" in run("models", "show", "champion", settings, key).err
    done = run("models", "sign", settings, key)
    assert done.out.splitlines() == [f"{name} is signed" for name in two]
    assert "a key" not in done.out
    assert run("models", "show", "champion", settings, key).code == 0
    done = run("models", "sign", settings, key)
    assert done.out == "all versions are signed\n"
    done = run("models", "show", "champion", settings, "store.signing_key=another")
    assert done.code == 1 and "its signature is not by store.signing_key" in done.err
    assert "store.signing_key is null, expected a key" in run("models", "sign", settings).err


def test_list_needs_neither_pandas_nor_scikit_learn(store):
    """An operator's look at the store is quick."""
    code = (
        "import sys\n"
        "from titanic_ml.cli.app import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'pandas', 'sklearn', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    words = [sys.executable, "-c", code, "models", "list", f"store.uri={store}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "logistic_regression" in done.stdout and done.stdout.endswith("[]\n")


def test_with_or_keep_a_refusal_is_no_error_and_says_who_stays(run, settings, two):
    champion, worse = two
    assert run("models", "promote", worse, settings).code == 1
    done = run("models", "promote", worse, "--or-keep", settings)
    assert done.code == 0 and done.out.startswith(
        f"champion is {champion}, and {worse} is not: log"
    )
    told = json.loads(run("models", "promote", worse, "--or-keep", "--json", settings).out)
    assert (told["champion"], told["promoted"]) == (champion, False)
    assert run("models", "promote", "nope", "--or-keep", settings).code == 1
    told = json.loads(run("models", "promote", champion, "--or-keep", "--json", settings).out)
    assert (told["champion"], told["promoted"]) == (champion, True)
