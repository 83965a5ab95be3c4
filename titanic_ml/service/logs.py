"""Logs of the service: one JSON object per line on standard error."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

LOGGERS = ("titanic_ml.service", "titanic_ml.monitoring", "uvicorn", "gunicorn.error")


class JsonFormatter(logging.Formatter):
    """Format a record as a JSON object: time (UTC), level, logger, message, and its `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        time = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_config(level: str) -> dict[str, Any]:
    """Return a configuration for `logging.config.dictConfig`, uvicorn and gunicorn.

    Parameters
    ----------
    level
        Lowest level that is logged, such as ``"INFO"``.
    """
    logger = {"handlers": ["stderr"], "level": level, "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonFormatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "loggers": {name: logger for name in LOGGERS},
    }
