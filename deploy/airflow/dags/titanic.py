"""An Airflow DAG: check the table, train, measure, promote, look for drift, predict, count rows.

Each task is one command of the program in the project's own environment, and tells what came of it
as JSON. All go by the run's logical date, or its id where it has none: what is tried again makes
neither a second version nor a second set of predictions.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param

PROJECT = Path(os.environ.get("TITANIC_PROJECT") or Path(__file__).resolve().parents[3])
PYTHON = os.environ.get("TITANIC_PYTHON") or str(PROJECT / ".venv/bin/python")
ENV = os.environ.get("TITANIC_ENV") or "local"
WAIT = float(os.environ.get("TITANIC_RETRY_SECONDS") or 60)  # before the first retry; then longer
# What a task may say of the run; as variables, so that no value is ever read as shell.
GIVEN = {
    "DATA": "{{ params.data or '' }}",
    "TABLE": "{{ params.table }}",
    "SINK": "{{ params.sink or '' }}",
    "ENV": "{{ params.env }}",
    "SEED": "{{ params.seed }}",
    "RUN": "{{ dag_run.logical_date.strftime('%Y%m%dT%H%M%S') if dag_run.logical_date "
    "else run_id }}",
}


def command(
    task_id: str, words: str, hours: float = 0.25, unless: str = "", **more: str
) -> BashOperator:
    """A task that runs a command of the program, and keeps the JSON that it prints. It fails as the
    command does, `unless` something holds of its exit code `$?`.
    """
    return BashOperator(
        task_id=task_id,
        bash_command=f'"$PYTHON" main.py {words} --json --verbose "env=$ENV" "seed=$SEED"'
        + (f" || [ {unless} ]" if unless else ""),
        env=GIVEN | {"PYTHON": PYTHON} | more,
        append_env=True,
        cwd=str(PROJECT),
        output_processor=told,
        execution_timeout=timedelta(hours=hours),
    )


def told(line: str) -> dict[str, Any]:
    """What the next tasks and people need of the last line that a command printed."""
    kept = ("version", "metrics", "estimates", "champion", "promoted", "why", "rows", "read")
    kept += ("alarm", "verdict")
    return {key: value for key, value in json.loads(line).items() if key in kept}


with DAG(
    "titanic",
    description="From a table of passengers to a champion and its predictions",
    doc_md=__doc__,
    schedule="@weekly",
    start_date=datetime(2026, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args={
        "retries": 3,
        "retry_delay": timedelta(seconds=WAIT),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
    },
    params={
        "data": Param(
            None, type=["null", "string"], description="Training table; none: data.uri of env"
        ),
        "table": Param("data/test.csv", type="string", description="Table to predict"),
        "sink": Param(
            "predictions/" if ENV == "local" else None,
            type=["null", "string"],
            description="Where predictions go; none: predictions.uri of env",
        ),
        "env": Param(ENV, type="string", description="local, remote, or one of your own"),
        "seed": Param(0, type="integer", minimum=0),
    },
    tags=["titanic_ml"],
) as dag:
    validate = command("validate", 'validate ${DATA:+"$DATA"} --target')
    train = command("train", 'train ${DATA:+"$DATA"} --run-id "$RUN" --no-promote', hours=2)
    version = "{{ ti.xcom_pull('train')['version'] }}"
    evaluate = command("evaluate", 'evaluate --model "$VERSION"', VERSION=version)
    promote = command(
        "promote", 'models promote "$VERSION" --or-keep --why "Airflow $RUN"', VERSION=version
    )
    # An alarm is told and stops nothing: who wants to, trains on other data then.
    monitor = command(
        "monitor",
        'monitor "$TABLE" --model "$MODEL"',
        unless="$? -eq 1",
        MODEL="{{ ti.xcom_pull('promote')['champion'] }}",
    )
    predict = command(
        "predict",
        'predict "$TABLE" --model "$MODEL" --run-id "$RUN" ${SINK:+--output "$SINK"}',
        hours=2,
        MODEL="{{ ti.xcom_pull('promote')['champion'] }}",
    )
    count = command(
        "count",
        'count ${SINK:+"$SINK"} --run-id "$RUN" --expect "$ROWS"',
        ROWS="{{ ti.xcom_pull('predict')['rows'] }}",
    )
    validate >> train >> evaluate >> promote >> monitor >> predict >> count
