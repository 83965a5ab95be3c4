"""One row, or several independent rows."""

from __future__ import annotations

import pytest

from titanic_ml.errors import (
    InvalidTable,
    ModelNotFound,
)


def test_rows_of_one_call_get_the_predictions_of_single_rows(pipeline, passengers):
    rows = passengers.drop(columns="Survived").astype(object).head(4).to_dict("records")
    alone = [pipeline.predict_one(row) for row in rows]
    assert pipeline.online.predict_rows(rows) == alone == pipeline.online.predict_each(rows)
    good, bad = pipeline.online.predict_each([rows[0], rows[1] | {"Pclass": 7}])
    assert good == alone[0] and "found 7, expected a whole number" in str(bad)
    with pytest.raises(InvalidTable, match="row 2, column Pclass"):
        pipeline.online.predict_rows([rows[0], rows[1] | {"Pclass": 7}])


def test_one_passenger_gets_what_the_table_says(pipeline, add_version, passengers):
    champion = pipeline.store.champion.version
    row = passengers.drop(columns="Survived").astype(object).iloc[0].to_dict()
    answer = pipeline.predict_one(row)
    table = pipeline.predict(row, probability=True)
    assert answer == table.iloc[0].to_dict() | {"model_version": champion}
    assert answer == pipeline.predict_one(row | {"Survived": "not looked at"})
    other = add_version(threshold=0.0).name
    assert pipeline.predict_one(row)["Survived"] == 0
    assert pipeline.online.warm("latest") == other
    assert pipeline.predict_one(row) == answer | {"Survived": 1, "model_version": other}
    with pytest.raises(
        InvalidTable, match="row 1, column Pclass: found 7, expected a whole number"
    ):
        pipeline.predict_one(row | {"Pclass": 7})
    with pytest.raises(ModelNotFound):
        pipeline.online.warm("nope")
    assert pipeline.predict_one(row)["model_version"] == other
