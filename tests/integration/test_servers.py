"""Tests of what is remote run on the servers that the environment names, or on their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_PROGRAM = "import shutil; shutil.which = lambda *words, **more: None; "

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("unmeasured")]


def run_tests(*words: str, code: str = "", **names: str) -> str:
    """Return the output of a test run with these variables only."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("TITANIC_TEST", "PYTEST"))}
    arguments = ["-n", "0", "-p", "no:cacheprovider", *words]
    command = f"{code}import pytest; pytest.main({arguments!r})"
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=ROOT,
        env={"TITANIC_TEST_REMOTE": "1"} | ours | names,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_what_is_named_is_used_and_reported_without_its_password(own_postgres):
    test = "tests/storage/test_sql.py::test_a_wrong_password_or_role_is_reported_without_it"
    place = own_postgres()
    said = run_tests(test, TITANIC_TEST_SQL_URI=place)
    assert "1 passed" in said
    shown = place.replace(":s3cret@", ":***@")
    assert f"PostgreSQL: {shown}, named by TITANIC_TEST_SQL_URI\n" in said and "s3cret" not in said
    assert "bucket: started by the tests on this machine\n" in said
    assert "MLflow: started by the tests on this machine\n" in said
    assert "service: skipped: the tests start their own\n" in said


def test_what_is_named_and_does_not_answer_fails():
    test = "tests/storage/test_sql.py::test_a_wrong_password_or_role_is_reported_without_it"
    said = run_tests(test, TITANIC_TEST_SQL_URI="postgresql://ann:s3cret@127.0.0.1:1/postgres")
    assert "1 error" in said and "Connection refused" in said


def test_what_can_be_neither_named_nor_started_is_skipped_with_its_reason():
    test = "tests/storage/test_object_store.py::test_a_wrong_secret_is_reported_in_a_sentence"
    said = run_tests(test, code=NO_PROGRAM)
    assert "1 skipped" in said
    assert "no server of S3's protocol: name a bucket in TITANIC_TEST_S3_URI" in said


def test_without_being_asked_for_it_no_named_server_is_used():
    test = "tests/storage/test_sql.py::test_a_wrong_password_or_role_is_reported_without_it"
    away = "postgresql://ann:s3cret@127.0.0.1:1/postgres"
    said = run_tests(test, TITANIC_TEST_SQL_URI=away, TITANIC_TEST_REMOTE="")
    assert "1 passed" in said and "servers" not in said
