"""What the commands share."""

import json

import pytest

from titanic_ml.cli.options import examples, progress_bar, show_result


@pytest.mark.parametrize(
    ("quiet", "as_json", "printed"),
    [(False, False, "text\n"), (True, False, ""), (False, True, '{"a": 1}\n')],
)
def test_an_answer_is_for_a_person_a_program_or_nobody(capsys, quiet, as_json, printed):
    show_result("text", {"a": 1}, quiet, as_json)
    assert capsys.readouterr() == (printed, "")


def test_an_answer_for_a_program_is_not_silenced(capsys):
    show_result("text", [1.5], quiet=True, as_json=True)
    assert json.loads(capsys.readouterr().out) == [1.5]


def test_examples_are_whole_commands():
    assert examples("train", "models list").splitlines()[1:] == [
        "Examples:",
        "  titanic-ml train",
        "  titanic-ml models list",
    ]


def test_bar_counts_on_standard_error(capsys):
    with progress_bar("Working", hidden=False) as progress:
        progress(0, 4)
        progress(4, 4)
    out, err = capsys.readouterr()
    assert out == ""
    assert "Working" in err and "4/4" in err


@pytest.mark.parametrize(("hidden", "calls"), [(True, 1), (False, 0)])
def test_no_bar_where_it_is_hidden_or_nothing_began(capsys, hidden, calls):
    with progress_bar("Working", hidden=hidden) as progress:
        for done in range(calls):
            progress(done, 4)
    assert capsys.readouterr().err.strip() == ""


def test_bar_ends_with_an_error(capsys):
    with pytest.raises(ValueError, match="no"), progress_bar("Working", hidden=False) as progress:
        progress(1, 4)
        raise ValueError("no")
    assert "1/4" in capsys.readouterr().err
