import pandas as pd
from omegaconf import OmegaConf

from titanic_ml.dataset.draft import Draft
from titanic_ml.dataset.inference import infer_column
from titanic_ml.dataset.spec import DatasetSpec

FRAME = pd.DataFrame(
    {
        "on": ["1", "2", "", "4"] * 10,
        "1": ["a, b", "${x}", "no", "no"] * 10,
        'a: "b" #c': ["2024-01-31", "2024-02-29"] * 20,
        "self": ["true", "false"] * 20,
        "y": ["good", "bad"] * 20,
    }
)


def draft(**changes):
    columns = [infer_column(name, FRAME[name]) for name in FRAME]
    columns[-1].properties["allowed"] = ["bad", "good"]
    given = {"baseline": "on", "suspects": {"on": "LEAK? really"}} | changes
    return Draft("t", "a b.csv", "40 rows", None, "y", ("bad", "why"), columns, **given)


def test_the_text_is_read_back_with_odd_names_and_words():
    whole = OmegaConf.create({"dataset": OmegaConf.create(draft().to_yaml())})
    node = OmegaConf.to_container(whole, resolve=True)["dataset"]
    spec = DatasetSpec.from_dict(node)
    assert (spec.id, spec.target, spec.positive) == ("row", "y", "bad")
    assert list(spec.columns) == ["row", *FRAME]
    assert spec.columns["1"].allowed == ("${x}", "a, b", "no")
    assert spec.columns["on"].nullable and not spec.columns["y"].nullable
    assert node["features"]["gaps"] == ["on"] and set(node["features"]["of"]) == set(FRAME)
    assert list(spec.slices) == ["1", "self"] and spec.example_row["self"] is True
    assert node["local"]["store"] == "models/t" and node["local"]["data"] == "a b.csv"


def test_comments_have_suspects_and_groups():
    text = draft(groups=["on"]).to_yaml()
    assert '"on": {kind: integer, nullable: true} # LEAK? really; 10 missing (25.0%)' in text
    assert '#   column: "on"' in text and "groups" not in OmegaConf.create(text)
