"""Predictions of a stream: each row gets its own, whatever rows come with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from unittest.mock import Mock

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from titanic_ml.errors import Fault, InvalidTable, ModelError
from titanic_ml.prediction import batches
from titanic_ml.prediction.batches import BatchPredictor
from titanic_ml.prediction.predictor import Predictor

CUT = "3 values", "12"
SPOILED = {"Age": "old", "Pclass": "4", "PassengerId": "892", "Name": None}


@pytest.fixture(scope="session")
def predictor(fitted):
    return Predictor(fitted)


@pytest.fixture(scope="session")
def expected(predictor, unlabelled, spec):
    return predictor.predict(unlabelled, spec, with_probability=True)


def spoiled(frame: pd.DataFrame, spoils: dict[int, str]) -> pd.DataFrame:
    for row, column in spoils.items():
        frame.loc[row, column] = SPOILED[column]
    return frame


@dataclass
class Given:
    frame: pd.DataFrame
    faults: Sequence[Fault] = ()
    fraction: float | None = None


def run(batch_predictor, frame, size, ragged=()):
    """Predict a frame in parts; the predictions and the rejected rows."""
    good, bad, parts = [], [], []
    for start in range(0, len(frame), size):
        inside = [Fault(row + 1, "", *CUT) for row in ragged if start <= row < start + size]
        parts.append(Given(frame.iloc[start : start + size], inside))
    batch_predictor.run(parts, good.append, bad.append)
    return good, bad


@settings(max_examples=settings.default.max_examples // 5)  # each predicts a table
@given(
    spoils=st.dictionaries(st.integers(1, 23), st.sampled_from(list(SPOILED)), max_size=12),
    ragged=st.sets(st.integers(1, 23), max_size=4),
    size=st.integers(1, 30),
)
def test_good_and_rejected_are_read_and_batches_change_no_prediction(
    spec, predictor, expected, _test_table, spoils, ragged, size
):
    frame = spoiled(_test_table.head(24).copy(), spoils)
    counted = BatchPredictor(lambda: predictor, spec, "a.csv", quarantine=True)
    good, bad = run(counted, frame, size, ragged)
    bad_rows = sorted({*spoils, *ragged})
    assert (counted.read, counted.predicted, counted.rejected) == (
        *(24, 24 - len(bad_rows), len(bad_rows)),
    )
    found = pd.concat(good, ignore_index=True)
    clean = expected.head(24).drop(index=bad_rows).reset_index(drop=True)
    pd.testing.assert_frame_equal(found, clean, check_exact=True)
    if bad:
        rejected = pd.concat(bad)
        assert rejected["rejected_row"].tolist() == [row + 1 for row in bad_rows]
        pd.testing.assert_frame_equal(
            rejected[list(frame)].reset_index(drop=True),
            frame.iloc[bad_rows].reset_index(drop=True),
        )
        for row, why in zip(bad_rows, rejected["rejected_because"]):
            cut = why == "found 3 values, expected 12"
            assert cut if row in ragged else f"column {spoils[row]}: found " in why


@pytest.mark.parametrize("size", [5, 40, 418])
def test_one_bad_row_refuses_the_table_with_all_faults(spec, predictor, test_frame, size):
    frame = spoiled(test_frame, {3: "Age", 200: "PassengerId", 410: "Pclass"})
    with pytest.raises(InvalidTable) as caught:
        run(BatchPredictor(lambda: predictor, spec, "a.csv"), frame, size)
    assert [line.partition(": ")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        *("row 4, column Age", "row 201, column PassengerId", "row 411, column Pclass"),
    ]
    assert "found 892 again, expected each value once" in str(caught.value)


def test_of_very_many_faults_the_first_are_kept_and_all_counted(
    spec, predictor, test_frame, monkeypatch
):
    monkeypatch.setattr(batches, "KEPT_FAULTS", 30)
    with pytest.raises(InvalidTable, match="a.csv has 418 faults(.*\n)+.*and 398 more") as caught:
        run(BatchPredictor(lambda: predictor, spec, "a.csv"), test_frame.assign(Age="old"), 20)
    assert len(caught.value.faults) == 30


@pytest.mark.parametrize("quarantine", [False, True])
def test_a_table_without_rows_is_refused(spec, predictor, test_frame, quarantine):
    for frame in (test_frame.head(0), pd.DataFrame()):
        with pytest.raises(InvalidTable, match="found no rows, expected at least one"):
            run(BatchPredictor(lambda: predictor, spec, "a.csv", quarantine), frame, 5)


@pytest.mark.parametrize("quarantine", [False, True])
def test_columns_at_fault_refuse_the_table(spec, predictor, test_frame, quarantine):
    with pytest.raises(InvalidTable, match="column Age: found no column of this name"):
        run(
            BatchPredictor(lambda: predictor, spec, "a", quarantine),
            test_frame.drop(columns="Age"),
            50,
        )


def test_all_rows_may_be_rejected(spec, predictor, test_frame):
    counted = BatchPredictor(lambda: predictor, spec, "a.csv", quarantine=True)
    good, bad = run(counted, test_frame.assign(Age="old"), 100)
    assert (good, counted.rejected) == ([], 418)
    reason = "column Age: found 'old', expected a number, at least 0, at most 120, or nothing"
    assert set(pd.concat(bad)["rejected_because"]) == {reason}


def test_the_model_is_loaded_once_while_the_first_rows_are_read(spec, predictor, test_frame):
    read, loads = threading.Event(), []

    def load():
        loads.append(read.wait(60))
        return predictor

    def parts():
        yield Given(test_frame.head(10))
        yield Given(test_frame.tail(20))
        read.set()
        yield Given(test_frame[10:-20])

    good = []
    BatchPredictor(load, spec, "a.csv", workers=2).run(parts(), good.append, good.append)
    assert loads == [True] and [len(found) for found in good] == [10, 20, 388]


@pytest.mark.parametrize("rows", [0, 418])
def test_a_model_that_cannot_be_loaded_is_reported_and_nothing_is_written(spec, test_frame, rows):
    def load():
        raise ModelError("broken")

    good = []
    with pytest.raises(ModelError, match="broken"):
        parts = [Given(test_frame)] if rows else []
        BatchPredictor(load, spec, "a.csv").run(parts, good.append, good.append)
    assert not good


def test_a_batch_is_predicted_in_one_thread_and_the_libraries_get_theirs_back(spec, test_frame):
    seen = []

    def predict(*args, **kwargs):
        seen.append(most())
        return test_frame[["PassengerId"]]

    def most():
        return max(library["num_threads"] for library in threadpool_info())

    with threadpool_limits(2):
        BatchPredictor(lambda: Mock(predict=predict), spec, "a.csv").run(
            [Given(test_frame)], lambda frame: None, lambda frame: None
        )
        assert (seen, most()) == ([1], 2)
