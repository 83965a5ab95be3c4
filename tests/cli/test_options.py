"""What the commands share."""

import signal
import sys
import time

import pytest
import typer

from titanic_ml.cli import options
from titanic_ml.cli.options import (
    Interrupted,
    Result,
    Terminated,
    called,
    examples,
    progress_bar,
    rows_bar,
    shared,
    stoppable,
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
def test_a_result_is_for_a_person_a_program_or_nobody(says, words, printed):
    assert says(*words) == printed


def test_shared_options_stand_in_the_help_below_its_own(says):
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


def test_bar_tells_the_stage_and_how_long_on_standard_error(capsys):
    with progress_bar("Working", hidden=False) as progress:
        progress(0, 4, "thinking")
        progress(1, 4, "writing")
    out, err = capsys.readouterr()
    assert out == ""
    assert "Working: writing" in err and "25%" in err and err.rstrip().endswith("left")


def test_bar_that_is_full_tells_how_long_it_took(capsys):
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


def test_rows_bar_tells_rows_and_rate_and_hides_for_a_small_table(capsys):
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


class _StoppedAtItsEnd:
    """An object in whose end a signal comes: Python passes no exception on from there."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


def _swallow(number: int) -> None:
    """As C does that asks for an attribute and takes any exception for a no."""
    try:
        signal.raise_signal(number)
    except BaseException:
        pass


@pytest.mark.parametrize("lose", [_StoppedAtItsEnd, _swallow])
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGTERM, Terminated), (signal.SIGINT, Interrupted)]
)
def test_a_signal_whose_exception_is_lost_stops_the_work_nevertheless(lose, number, kind, capfd):
    end = time.monotonic() + 20
    with pytest.raises(kind), stoppable():
        lose(number)
        while time.monotonic() < end:
            pass
    assert capfd.readouterr() == ("", "")


def test_a_lost_signal_is_not_sent_again_once_the_work_has_ended(monkeypatch):
    monkeypatch.setattr(options, "AGAIN", 0.01)
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    hook = sys.unraisablehook
    try:
        with stoppable():
            _swallow(signal.SIGTERM)
        time.sleep(0.1)
        assert not came and sys.unraisablehook is hook
    finally:
        signal.signal(signal.SIGTERM, before)
