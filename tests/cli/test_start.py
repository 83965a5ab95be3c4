"""The first step of the program: whenever Ctrl-C comes, it is a sentence."""

from __future__ import annotations

import pytest

from titanic_ml.cli import app, start
from titanic_ml.errors import SettingsError


def test_an_interrupt_anywhere_is_a_sentence(monkeypatch, capsys):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "main", interrupted)
    with pytest.raises(SystemExit) as caught:
        start.main()
    assert caught.value.code == 130
    told = capsys.readouterr().err
    assert told == "Interrupted: nothing is half written; run the same command again\n"


@pytest.mark.parametrize("masked", [False, True])
def test_a_command_that_is_interrupted_says_so(run, store, monkeypatch, masked):
    def interrupted(*words: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            if masked:  # Hydra raises its own error, which is translated to SettingsError
                raise SettingsError("malformed") from None

    monkeypatch.setattr("titanic_ml.pipeline.TitanicPipeline.evaluate", interrupted)
    done = run("evaluate", f"store.uri={store}")
    assert (done.code, done.out) == (130, "")
    assert done.err == "Interrupted: nothing is half written; run the same command again\n"
