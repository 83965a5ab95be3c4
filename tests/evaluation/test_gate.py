import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from titanic_ml.evaluation.gate import compare_out_of_fold, mean_log_loss


def out_of_fold(rows, y, *repeats):
    columns = {f"repeat_{i}": column for i, column in enumerate(repeats, start=1)}
    return pd.DataFrame({"id": rows, "row": rows, "y": y, **columns})


def test_mean_log_loss_is_the_mean_of_the_repetitions():
    y, first, second = [0, 1, 1], [0.2, 0.7, 0.9], [0.4, 0.6, 0.5]
    expected = np.mean([metrics.log_loss(y, p) for p in (first, second)])
    assert mean_log_loss(out_of_fold([1, 2, 3], y, first, second)) == pytest.approx(expected)


def test_two_models_are_compared_on_the_rows_they_share():
    challenger = out_of_fold([1, 2, 3], [0, 1, 1], [0.1, 0.8, 0.01])
    champion = out_of_fold([2, 9, 1], [1, 0, 0], [0.6, 0.99, 0.3])
    found = compare_out_of_fold(challenger, champion)
    assert found.rows == 2
    assert found.ours == pytest.approx(metrics.log_loss([0, 1], [0.1, 0.8]))
    assert found.theirs == pytest.approx(metrics.log_loss([0, 1], [0.3, 0.6]))
    found = compare_out_of_fold(challenger, champion.tail(1).assign(row=77, id=77))
    assert found.rows == 0 and np.isnan([found.ours, found.theirs]).all() and found.gain is None


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({"row": [7, 8, 9]}, 3),  # cleaned otherwise: the id and the target say that it is the same
        ({"id": [7, 8, 9]}, 3),  # with new numbers in all columns
        ({"row": [7, 8, 9], "y": [1, 1, 1]}, 2),  # of another target it is another row
        ({"y": [1, 1, 1]}, 2),
        ({"row": [7, 8, 9], "id": [7, 8, 9]}, 0),
    ],
)
def test_a_row_is_known_by_its_id_and_target_or_by_all_of_its_columns(changes, rows):
    champion = out_of_fold([1, 2, 3], [0, 1, 1], [0.1, 0.8, 0.7])
    assert compare_out_of_fold(champion.assign(**changes), champion).rows == rows


def test_a_gain_is_paired_row_by_row():
    random = np.random.default_rng(0)
    y, p = random.integers(0, 2, 200), random.uniform(0.2, 0.8, 200)
    first = out_of_fold(range(200), y, p, p)
    better = out_of_fold(range(200), y, 0.9 * p + 0.1 * y)[::-1]
    found = compare_out_of_fold(first, better)
    assert found.rows == 200 and 0 < found.gain.low < found.gain.value < found.gain.high
    assert found.gain.value == pytest.approx(mean_log_loss(first) - mean_log_loss(better))
    assert found.gain.value == pytest.approx(found.ours - found.theirs)
    assert compare_out_of_fold(first, first).gain.high == 0


def test_rows_are_paired_one_to_one():
    """An easy row that a table repeats counts once."""
    champion = out_of_fold([1, 2, 3], [0, 1, 1], [0.1, 0.8, 0.7])
    easy = out_of_fold([9] * 50, [1] * 50, [0.999] * 50)
    worse = out_of_fold([1, 2, 3], [0, 1, 1], [0.3, 0.6, 0.5])
    for known in (1, 2):
        repeated = pd.concat([champion, easy.head(known)], ignore_index=True)
        found = compare_out_of_fold(pd.concat([worse, easy], ignore_index=True), repeated)
        assert found.rows == 3 + known
        assert found.gain.value > 0.1


def test_rows_with_equal_columns_are_paired_before_those_with_equal_ids():
    """Another table may have the same numbers: its rows are known by their columns."""
    first = out_of_fold([1, 2], [1, 1], [0.9, 0.2])
    second = out_of_fold([1, 2], [1, 1], [0.3, 0.8]).assign(row=[2, 1])
    found = compare_out_of_fold(first, second)
    assert found.rows == 2
    assert found.gain.value == pytest.approx(np.log([0.8 * 0.3, 0.9 * 0.2]) @ [0.5, -0.5])
