import json

from titanic_ml.results import Steps


def test_steps_count_on_over_the_stages():
    calls = []
    steps = Steps(lambda done, total: calls.append((done, total)), total=5)
    for done in range(3):
        steps(done, 2)
    for done in range(4):
        steps(done, 3)
    assert calls == [(0, 5), (1, 5), (2, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    Steps(None, 3)(1, 3)  # nobody looks


def test_a_training_says_what_it_found(training):
    values = training.to_dict()
    json.dumps(values)
    assert values["threshold"] == training.selection.threshold
    assert values["grouped"]["log_loss"]["value"] > 0
    shown = repr(training)
    assert "In grouped folds, each row by models that had not seen its group: log_loss" in shown
    assert f"{training.version} is the new champion" in shown
    assert training.evaluation is training.assessment.evaluation
