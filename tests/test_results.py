import io
import json

import pandas as pd

from titanic_ml.results import Steps
from titanic_ml.storage.tables import parquet


def test_steps_count_on_over_the_stages():
    calls = []
    steps = Steps(lambda done, total: calls.append((done, total)), total=5)
    for done in range(3):
        steps(done, 2)
    for done in range(4):
        steps(done, 3)
    assert calls == [(0, 5), (1, 5), (2, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    Steps(None, 3)(1, 3)  # nobody looks


def test_a_table_comes_back_from_its_bytes():
    table = pd.DataFrame({"a": [1.5, None], "b": ["x", None]})
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(parquet(table))), table)


def test_a_training_says_what_it_found(quick, tmp_path):
    from titanic_ml import TitanicPipeline

    training = TitanicPipeline(f"store.uri={tmp_path}", *quick).train()
    values = training.to_dict()
    json.dumps(values)
    assert values["threshold"] == training.selection.threshold
    assert values["strangers"]["log_loss"][0] > 0
    shown = repr(training)
    assert "For strangers, whose whole group no model had seen: log_loss" in shown
    assert f"{training.version} is the new champion" in shown
    assert training.evaluation is training.assessment.evaluation
