import json
from dataclasses import replace

from titanic_ml.evaluation.result import Estimate
from titanic_ml.results import Comparison, Steps, TrainingResult


def test_steps_count_on_over_the_stages():
    calls = []
    steps = Steps(lambda *work: calls.append(work), {"think": 6, "write": 3})
    for done in range(3):
        steps.of("think")(done, 2)
    for done in range(3):
        steps.of("write")(done, 2)
    think, write = [(done, 9, "think") for done in (0, 3, 6)], [(d, 9, "write") for d in (6, 7, 9)]
    assert calls == think + write
    Steps(None, {"think": 3}).of("think")(1, 3)  # unused


def test_a_training_says_what_it_found(training):
    values = training.to_dict()
    json.dumps(values)
    assert values["threshold"] == training.selection.threshold
    assert values["grouped"]["log_loss"]["value"] > 0
    shown = repr(training)
    assert "In grouped folds, where no group is split between training and test: log_loss" in shown
    assert f"{training.version} is the new champion" in shown
    assert training.evaluation.estimates is training.assessment.evaluation.estimates
    assert training.evaluation.grouped is training.assessment.grouped.estimates


def test_a_model_that_beats_no_baseline_is_said_loudly(training):
    assert training.to_dict()["beats_baselines"] is True and "WARNING" not in repr(training)
    gains = training.evaluation.gains
    chance = {"log_loss": Estimate(0.1, -0.01, 0.2)}
    gains = {**gains, "Sex alone": {**gains["Sex alone"], **chance}}
    evaluation = replace(training.evaluation, gains=gains)
    poor = replace(training, evaluation=evaluation)
    assert poor.to_dict()["beats_baselines"] is False
    last = repr(poor).splitlines()[-1]
    assert last == "WARNING: it does not clearly beat Sex alone, so it should not be relied on"


def test_what_was_left_out_is_reported(training):
    selection = replace(training.selection, left_out={"svc": "svc can't learn from 9 rows"})
    result = TrainingResult.of("version", "report", selection, training.assessment)
    assert result.to_dict()["left_out"] == {"svc": "svc can't learn from 9 rows"}
    assert "Left out: svc. svc can't learn from 9 rows" in repr(result)


def test_two_versions_without_a_row_in_common_are_not_compared():
    same = {"log_loss": Estimate(0.4, 0.3, 0.5)}
    told = repr(Comparison(("a", "b"), (same, same), 0, None))
    assert told.splitlines()[1].split() == ["log_loss", *2 * ["0.400", "(0.300", "to", "0.500)"]]
    assert told.endswith("No rows were scored for both, so the two can't be compared")
