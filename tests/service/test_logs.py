"""Log records as JSON objects."""

from __future__ import annotations

import json
import logging
import logging.config
import sys

import pytest

from titanic_ml.service.logs import LOGGERS, JsonFormatter, log_config


@pytest.fixture
def record() -> logging.LogRecord:
    return logging.LogRecord("a.b", logging.WARNING, "a.py", 1, 'said "%s"\n', ("é",), None)


def test_a_record_is_one_line_of_json(record):
    record.created, record.fields = 0.25, {"status": 200}
    line = JsonFormatter().format(record)
    assert "\n" not in line and json.loads(line) == {
        "time": "1970-01-01T00:00:00.250+00:00",
        "level": "WARNING",
        "logger": "a.b",
        "message": 'said "é"\n',
        "status": 200,
    }


def test_a_traceback_is_a_field(record):
    try:
        raise ValueError("wrong")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert json.loads(JsonFormatter().format(record))["traceback"].endswith("ValueError: wrong")


def test_each_logger_writes_at_its_level_to_standard_error(capsys):
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(log.handlers[:], log.level, log.propagate) for log in loggers]
    try:
        logging.config.dictConfig(log_config("WARNING"))
        for log in loggers:
            log.info("not logged")
            log.warning("logged")
    finally:
        for log, (handlers, level, propagate) in zip(loggers, before, strict=True):
            log.handlers[:], log.level, log.propagate = handlers, level, propagate
            log.setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["logger"], line["message"]) for line in lines] == [(n, "logged") for n in LOGGERS]
