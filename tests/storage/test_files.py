from __future__ import annotations

import os
import stat

import pytest

from titanic_ml.storage.files import write_file


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("a bug"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("before", [None, b"before"])
def test_a_write_that_fails_midway_changes_nothing(tmp_path, monkeypatch, error, before):
    path = tmp_path / "file"
    if before:
        path.write_bytes(before)

    def full(handle):
        raise error

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(type(error)):
        write_file(path, b"half")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == (
        {"file": before} if before else {}
    )


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_file_has_the_permissions_of_any_other(tmp_path, mask):
    old = os.umask(mask)
    try:
        write_file(tmp_path / "table.csv", b"a,b\n")
        (tmp_path / "other").touch()
        assert os.umask(mask) == mask
    finally:
        os.umask(old)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o666 & ~mask}
