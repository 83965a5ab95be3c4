import pytest

from titanic_ml import TitanicPipeline
from titanic_ml.errors import SettingsError
from titanic_ml.evaluation.assessment import BACKGROUND


def test_all_is_measured(training):
    measured = training.assessment
    own, grouped = measured.evaluation, measured.grouped
    assert grouped.estimates["log_loss"].value > own.estimates["log_loss"].value
    assert {s.slice for s in own.slices} == {"sex", "class", "age", "port", "company"}
    for name in ("sex", "class", "port", "company", "age"):
        assert sum(s.rows for s in own.slices if s.slice == name) == 891
    assert list(own.baselines) == ["majority class", "Sex alone"]
    columns = [dependence.column for dependence in measured.dependence]
    assert columns == ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
    assert sorted(sum(measured.groups, [])) == sorted(
        {name for item in measured.importance for name in item.features}
    )
    assert len(measured.learning_curve) == 5
    assert len(measured.background) == BACKGROUND


@pytest.mark.usefixtures("unmeasured", "undrawn")
def test_a_dataset_without_groups_and_slices_does_without(tmp_path, quick, train_frame):
    words = "dataset.groups=null", "dataset.slices=null", "estimator=[majority,logistic_regression]"
    training = TitanicPipeline(f"store.uri={tmp_path / 'models'}", *quick, *words).train(
        train_frame.head(200)
    )
    assert training.assessment.grouped is None
    assert training.evaluation.slices == [] and training.evaluation.worst is None
    assert "grouped" not in repr(training)


def test_a_wrong_slice_is_the_setting_at_fault_before_anything_is_done(quick):
    with pytest.raises(SettingsError, match="dataset.slices.sex: no column Gender"):
        TitanicPipeline(*quick, "dataset.slices.sex=Gender")
