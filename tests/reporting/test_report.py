"""report.html and model_card.md: whole, alone, the same each time, and safe from names."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser

import pytest
from joblib import parallel_config

from titanic_ml import TitanicPipeline
from titanic_ml.reporting import report as reports
from titanic_ml.reporting.report import METRIC_WORDS
from titanic_ml.reporting.version_report import VersionReport

pytestmark = pytest.mark.usefixtures("unmeasured")  # drawing is slow; trainings draw, too
VOID = {"meta", "br", "hr", "img", "input", "link"}
EVIL = "<script>alert(1)</script> | `a`\n# b"


def facts_of(plain: dict) -> VersionReport:
    return VersionReport.from_json(json.dumps(plain).encode())


def render_report(plain: dict) -> str:
    facts = facts_of(plain)
    return reports.render_report(facts, reports.drawings(facts))


def render_model_card(plain: dict) -> str:
    return reports.render_model_card(facts_of(plain))


class Page(HTMLParser):
    """Parser of a report; fails on a tag that is not closed."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.identifiers, self.links, self.words = [], set(), [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.identifiers.append(value)
            if name.rpartition(":")[2] in ("href", "src") or name.startswith("on"):
                self.links.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def whole(trained) -> dict:
    return json.loads(next(trained.glob("2*/evaluation.json")).read_text())


@pytest.fixture
def facts(whole) -> dict:
    return copy.deepcopy(whole)


@pytest.fixture
def undrawn(monkeypatch) -> None:
    """Words alone: drawings take the most of a report's time."""
    monkeypatch.setattr(reports, "drawings", lambda facts, n_jobs=1: defaultdict(str))


@pytest.fixture(scope="module")
def report(whole) -> str:
    return render_report(whole)


def test_it_is_one_page_that_needs_no_other(report):
    page = Page(report)
    assert report.startswith("<!DOCTYPE html>") or report.lstrip().startswith("<!DOCTYPE html>")
    assert {"title", "main", "nav", "table", "svg"} <= page.tags
    assert not {"script", "link", "img", "iframe"} & page.tags
    assert page.links and all(link.startswith("#") for link in page.links)
    assert {link.removeprefix("#") for link in page.links} <= set(page.identifiers)
    assert len(page.identifiers) == len(set(page.identifiers))
    assert "url(http" not in report and "@import" not in report
    assert 'name="viewport"' in report and "color-scheme: light dark" in report
    assert len(report) < 300_000


def test_it_answers_the_questions_of_a_reader(report, whole):
    words = " ".join(" ".join(Page(report).words).split())
    estimate = "{:z.3f} ({:z.3f} to {:z.3f})".format
    for question in ("Is this a good model?", "candidates", "Where is it worst?", "Features"):
        assert question in words
    for key in ("evaluation", "grouped"):
        assert all(estimate(*v.values()) in words for v in whole[key]["estimates"].values())
    assert all(candidate["label"] in words for candidate in whole["candidates"])
    assert all(f"{s['slice']} {s['value']}" in words for s in whole["evaluation"]["slices"])
    assert whole["origin"]["version"] in words and whole["dataset"]["fingerprint"] in words
    assert whole["dataset"]["file_sha256"] in words
    assert all(column in words for column in whole["dataset"]["columns"])
    assert set(METRIC_WORDS) == set(whole["evaluation"]["estimates"])


def test_its_first_screen_has_both_estimates_and_a_drawing_before_the_long_text(report, whole):
    first = report[: report.index("<li>")]
    assert "<svg" in first
    for key in ("evaluation", "grouped"):
        for metric in ("log_loss", "roc_auc", "accuracy"):
            estimate = whole[key]["estimates"][metric]
            assert "<b>{value:.3f}</b> ({low:.3f} to {high:.3f})".format(**estimate) in first


def test_features_stand_under_the_names_that_people_read(report, whole):
    words = " ".join(Page(report).words)
    assert "ticket survival (men)" in words and "log fare per person" in words
    assert not [name for name in whole["dataset"]["labels"] if "_" in name and name in words]


def test_it_has_every_drawing(whole, report):
    drawn = reports.drawings(facts_of(whole))
    assert set(drawn) == {
        *("comparison", "roc", "precision_recall", "calibration", "importance"),
        *("standing", "learning_curve", "slices", "dependence"),
    }
    assert all(svg in report and len(svg) < 60_000 for svg in drawn.values())


@pytest.mark.system
@pytest.mark.parametrize("how", ["loky", "threading"])
def test_drawings_are_the_same_in_one_process_and_in_many_or_in_threads(whole, how):
    facts = facts_of(whole)
    with parallel_config(how):
        assert reports.drawings(facts, 2) == reports.drawings(facts)


def test_the_card_has_the_sections_of_mitchell(whole):
    titles = re.findall(r"^## (.*)$", render_model_card(whole), re.MULTILINE)
    assert titles == [
        *("Model Details", "Intended Use", "Factors", "Metrics", "Evaluation Data"),
        *("Training Data", "Quantitative Analyses", "Ethical Considerations"),
        "Caveats and Recommendations",
    ]


def tables(markdown: str) -> list[list[str]]:
    """The lines of each table."""
    blocks = re.findall(r"(?:^\|.*\n)+", markdown + "\n", re.MULTILINE)
    return [block.splitlines() for block in blocks]


def cells(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line))


def test_same_facts_same_bytes(whole, report):
    assert render_report(json.loads(json.dumps(whole))) == report
    assert render_model_card(whole) == render_model_card(json.loads(json.dumps(whole)))


@pytest.fixture
def evil(facts) -> dict:
    """A version report in which every name tries to inject markup."""
    facts["dataset"] |= {"name": EVIL, "target": EVIL, "uri": EVIL, "not_for": [EVIL]}
    facts["dataset"]["columns"][EVIL] = {**facts["dataset"]["columns"].pop("Sex"), "about": EVIL}
    facts["chosen"]["label"] = EVIL
    facts["chosen"]["parameters"] = {EVIL: EVIL}
    facts["candidates"][0]["label"] = EVIL
    for measured in (facts["evaluation"]["baselines"], facts["evaluation"]["gains"]):
        measured[EVIL] = measured.pop("Sex alone")
    facts["evaluation"]["slices"][0] |= {"slice": EVIL, "value": EVIL}
    facts["importance"][0]["features"] = [EVIL, "$x^{2"]
    facts["dependence"][0]["column"] = EVIL
    facts["dependence"][0]["points"][0]["value"] = EVIL
    return facts


def test_names_never_become_markup(evil):
    report = render_report(evil)
    page = Page(report)
    assert "script" not in page.tags
    assert "alert(1)" in " ".join(page.words)
    assert "<script" not in report


def test_names_never_break_the_tables_of_the_card(evil, whole):
    card = render_model_card(evil)
    plain = tables(render_model_card(whole))
    found = tables(card)
    assert [len(table) for table in found] == [len(table) for table in plain]
    for table in found:
        assert len({cells(line) for line in table}) == 1
    titles = re.findall(r"^## ", card, re.MULTILINE)
    assert len(titles) == 9


@pytest.mark.parametrize("key", ["grouped", "dependence", "slices", "git", "baselines"])
def test_what_was_not_measured_is_left_out(facts, key, undrawn):
    facts["grouped"] = None if key == "grouped" else facts["grouped"]
    facts["dependence"] = [] if key == "dependence" else facts["dependence"]
    facts["origin"]["git"] = None if key == "git" else facts["origin"]["git"]
    if key == "slices":
        facts["evaluation"]["slices"] = []
    if key == "baselines":
        facts["evaluation"] |= {"baselines": {}, "gains": {}}
    page = Page(render_report(facts))
    assert len(page.identifiers) == len(set(page.identifiers))
    assert {link.removeprefix("#") for link in page.links} <= set(page.identifiers)
    assert "None" not in " ".join(page.words)
    assert "None" not in render_model_card(facts)


def test_features_without_number_are_cut(facts, undrawn):
    many = [
        {"features": [f"feature no {i}"], "loss": loss(1 / (i + 1), 0.0, 1.0)} for i in range(50)
    ]
    facts["importance"] = many
    told = render_report(facts)
    assert "feature no 5; and 44 more" in told
    assert "feature no 19" in told and "feature no 20" not in told
    assert "The last 30 are left out." in told and "left out" not in render_report(few(facts))


def loss(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def few(facts: dict) -> dict:
    return {**facts, "importance": facts["importance"][:3]}


def test_features_of_a_group_stand_below_the_line(facts, undrawn):
    names = (["a", "b"], ["a"], ["c"], ["b"])
    facts["importance"] = [{"features": n, "loss": loss(0.1, -0.0001, 0.2)} for n in names]
    told = render_report(facts)
    rows = re.findall(r'<tr( class="part")?><th scope="row">(a \+ b|[abc])</th><td>0.100', told)
    assert rows == [("", "a + b"), ("", "c"), (' class="part"', "a"), ("", "b")]
    assert "each feature of a group alone" in told and "-0.000" not in told
    facts["importance"] = [{"features": ["c"], "loss": loss(0.1, 0.0, 0.2)}]
    told = render_report(facts)
    assert 'class="part"' not in told and "each feature of a group" not in told


def test_it_says_what_positive_means_before_it_uses_the_word(report, whole):
    words = " ".join(" ".join(Page(report).words).split())
    meaning = "Survived is 1; such rows are called positive"
    assert words.index(meaning) == words.index("positive") - len(meaning) + len("positive")
    card = render_model_card(whole)
    assert "(Survived 1)" in card and "Positive is a row with Survived 1" in card
    assert " of class 1" not in card.replace(
        "worst slice is class 1", ""
    )  # a slice is called class


def test_a_version_reports_facts_verdict_and_figures(trained, quick):
    pipeline = TitanicPipeline(f"store.uri={trained}", *quick)
    report = pipeline.report("latest")
    assert report.version == pipeline.store.resolve("champion") == report.facts.origin.version
    assert repr(report) == f"{report.version}: {report.verdict.headline}"
    assert report.figures == reports.drawings(report.facts)


def test_the_confidence_of_the_intervals_is_said(facts, undrawn):
    facts["evaluation"]["confidence"] = facts["grouped"]["confidence"] = 0.5
    for text in (render_report(facts), render_model_card(facts)):
        assert "50% interval" in text and "95%" not in text


@pytest.mark.parametrize("key", ["slices", "dependence"])
def test_what_was_not_measured_is_not_drawn(facts, key):
    (facts["evaluation"] if key == "slices" else facts)[key] = []
    assert key not in reports.drawings(facts_of(facts))


def test_what_was_left_out_is_reported(facts, undrawn):
    facts["left_out"] = {EVIL: "it can't learn from 9 rows"}
    page = Page(render_report(facts))
    assert "it can't learn from 9 rows" in " ".join(page.words) and "script" not in page.tags


@pytest.mark.system
@pytest.mark.parametrize("home", ["/dev/null/none", None])
def test_without_a_home_drawing_says_nothing(tmp_path, trained, home):
    """A container's user often has none; Matplotlib's cache is then somewhere else."""
    code = (
        "import sys; from titanic_ml import TitanicPipeline;"
        "sys.exit(len(TitanicPipeline(sys.argv[1]).report().figures) < 5)"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "MPLCONFIGDIR")}
    environment |= {"HOME": home} if home else {}
    words = [sys.executable, "-c", code, f"store.uri={trained}"]
    done = subprocess.run(
        words, env=environment | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
