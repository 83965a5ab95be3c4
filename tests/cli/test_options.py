"""Options of all commands."""

import signal

import pytest
import typer

from titanic_ml.cli.options import (
    Result,
    called,
    examples,
    interruptible,
    progress_bar,
    rows_bar,
    shared,
)


@pytest.fixture
def says(capsys):
    """Run a command of two lines with these words; return what it printed."""
    app = typer.Typer()

    @app.command()
    @shared
    def command(name: str, loud: bool = False) -> Result | None:
        """Say a name."""
        return Result(name.upper() if loud else name, {"name": name}) if name else None

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as caught:
            app(list(words))
        assert not caught.value.code
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (["ada"], "ada\n"),
        (["ada", "--loud"], "ADA\n"),
        (["ada", "--quiet"], ""),
        (["ada", "-q"], ""),
        (["ada", "--json"], '{"name": "ada"}\n'),
        (["ada", "--json", "--quiet"], '{"name": "ada"}\n'),  # a program is not silenced
        (["", "--json"], ""),
        (["ada", "--debug"], "ada\n"),
    ],
)
def test_a_result_is_for_a_person_a_program_or_neither(says, words, printed):
    assert says(*words) == printed


def test_shared_options_are_in_the_help_below_its_own(says):
    page = says("--help")
    places = [
        page.index(option) for option in ("--loud", "--quiet", "--verbose", "--json", "--debug")
    ]
    assert places == sorted(places) and "Say a name." in page


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("main.py", "python main.py"),
        ("/usr/bin/titanic-ml", "titanic-ml"),
        ("/lib/titanic_ml/__main__.py", "python -m titanic_ml"),
    ],
)
def test_the_program_is_named_as_it_was_called(monkeypatch, path, words):
    monkeypatch.setattr("sys.argv", [path, "train"])
    assert called() == words


def test_examples_are_whole_commands():
    assert examples("train", "models list").splitlines()[1:] == [
        "Examples:",
        "  titanic-ml train",
        "  titanic-ml models list",
    ]


def test_bar_reports_the_stage_and_how_long_on_standard_error(capsys):
    with progress_bar("Working", hidden=False) as progress:
        progress(0, 4, "thinking")
        progress(1, 4, "writing")
    out, err = capsys.readouterr()
    assert out == ""
    assert "Working: writing" in err and "25%" in err and err.rstrip().endswith("left")


def test_bar_that_is_full_reports_how_long_it_took(capsys):
    with progress_bar("Working", hidden=False) as progress:
        progress(0, 4, "thinking")
        progress(4, 4, "writing")
    err = capsys.readouterr().err
    assert "Working ━" in err and "100% 0:00:00" in err and "left" not in err


@pytest.mark.parametrize(("hidden", "calls"), [(True, 1), (False, 0)])
def test_no_bar_where_it_is_hidden_or_nothing_began(capsys, hidden, calls):
    with progress_bar("Working", hidden=hidden) as progress:
        for done in range(calls):
            progress(done, 4, "thinking")
    assert capsys.readouterr().err.strip() == ""


def test_bar_ends_with_an_error(capsys):
    with pytest.raises(ValueError, match="no"), progress_bar("Working", hidden=False) as progress:
        progress(1, 4, "thinking")
        raise ValueError("no")
    assert "25%" in capsys.readouterr().err


def test_rows_bar_reports_rows_and_rate_and_hides_for_a_small_table(capsys):
    with rows_bar("Predicting", hidden=False) as show:
        show(418, 1.0)
    assert capsys.readouterr().err.strip() == ""
    with rows_bar("Predicting", hidden=False) as show:
        for rows, share in ((20_000, 0.5), (40_000, 1.0)):
            show(rows, share)
    told = capsys.readouterr().err
    assert "Predicting" in told and "40,000 rows, " in told and " a second" in told
    with rows_bar("Predicting", hidden=False) as show:
        show(20_000, None)
    assert "20,000 rows, " in capsys.readouterr().err
    with rows_bar("Predicting", hidden=True) as show:
        show(20_000, 0.5)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_work_with_a_sentence(number, code, capsys):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(typer.Exit) as ended, interruptible("nothing is lost"):
        signal.raise_signal(number)
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == "Interrupted: nothing is lost\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_a_library_turns_into_an_error_is_a_signal(number, code, capsys):
    with pytest.raises(typer.Exit) as ended, interruptible("nothing is lost"):
        try:
            signal.raise_signal(number)
        finally:
            raise AttributeError("of the library's own")
    assert ended.value.exit_code == code
    assert capsys.readouterr().err == "Interrupted: nothing is lost\n"


def test_an_error_without_a_signal_is_raised():
    with pytest.raises(AttributeError), interruptible("nothing is lost"):
        raise AttributeError
