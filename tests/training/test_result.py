import pandas as pd

from titanic_ml.evaluation.result import OutOfFold, Stability
from titanic_ml.training.result import Selection

STABLE = Stability({"logistic_regression": 1.0}, 0.4, 0.4, 500)


def test_it_shows_the_table_and_what_was_chosen(candidates):
    chosen = candidates["logistic_regression"]
    table = pd.DataFrame(
        {
            **{"label": [chosen.label], "log_loss": [0.4], "roc_auc": [0.9], "accuracy": [0.8]},
            **{"fit_seconds": [0.1], "standard_error": [0.02], "p_value": [1.0]},
            "chosen_share": [1.0],
        },
        index=[chosen.name],
    )
    nothing = OutOfFold(pd.DataFrame(), pd.DataFrame(), {})
    shown = repr(
        Selection([chosen], chosen, {"C": 0.3}, 0.47, None, {}, table, nothing, [], STABLE)
    ).splitlines()
    assert "0.4000 ± 0.0200" in shown[1] and shown[1].endswith("<- chosen")
    assert shown[-1] == "Chosen: logistic regression with C 0.3, threshold 0.47"
    plain = Selection([chosen], chosen, {}, 0.5, None, {}, table, nothing, [], STABLE)
    assert repr(plain).endswith("Chosen: logistic regression, threshold 0.5")
