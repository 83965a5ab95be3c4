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


@pytest.mark.posix
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


@pytest.mark.posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o777])
def test_a_file_that_is_there_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "table.csv"
    path.touch()
    path.chmod(mode)
    write_file(path, b"a,b\n")
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes()) == (mode, b"a,b\n")


@pytest.mark.parametrize("there", [True, False])
def test_a_link_keeps_its_target(tmp_path, there):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "a.csv", tmp_path / "link.csv"
    if there:
        target.write_bytes(b"before")
    link.symlink_to(target)
    write_file(link, b"after")
    assert link.is_symlink() and target.read_bytes() == b"after"
    assert len(list(tmp_path.rglob("*"))) == 3
