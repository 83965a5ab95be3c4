"""Tables in SQLite and PostgreSQL, through ADBC: names are quoted, never pasted into SQL."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow

from titanic_ml.errors import MissingTable, SettingsError, UnreadableTable, UnwritableTable
from titanic_ml.storage.address import PREDICTED_AT, RUN_ID, SqlAddress
from titanic_ml.storage.csv_reader import RawBatch
from titanic_ml.storage.files import filling_temporary, temporary_file
from titanic_ml.storage.secrets import cause, without_secrets
from titanic_ml.storage.sources import ROWS, ArrowSource, Batch

# Imported in functions: the driver, which is an extra, and what only SQLite takes.

WAIT = 10_000  # milliseconds that SQLite waits for another who writes
READING = {  # one moment's state, in the same order each time, and nothing but reading
    "sqlite": ["PRAGMA query_only = 1"],
    "postgresql": [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SET LOCAL synchronize_seqscans = off",
    ],
}
# A query that reads; comments may come first.
SELECTS = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(SELECT|WITH|VALUES|TABLE)\b", re.I | re.S)
LIBPQ = "[libpq] "  # in an error of the stream, which pyarrow raises
NO_TABLE = re.compile(r'no such table: |relation ".*" does not exist')  # SQLite, PostgreSQL
MARKS = {"sqlite": "?", "postgresql": "$1"}  # of the first parameter of a statement


class SqlSource(ArrowSource):
    """Table or query of a database. All reads see the same moment, and write nothing.

    SQLite's columns have no types of their own, so their values are read as texts.
    """

    def __init__(self, address: SqlAddress, connection: Any) -> None:
        self.name = address.shown
        self._address = address
        self._connection = connection
        query = address.query.rstrip("; \n")
        if query and not SELECTS.match(query):
            word = query.split()[0].upper()
            raise UnreadableTable(
                f"{address.shown}: the query is a {word}, expected a SELECT; it can only read"
            )
        given = f"({query}\n) AS given" if query else _name(address)
        self._query = query or f"SELECT * FROM {given}"
        self._rows: int | None = None
        with self._translate_errors(), connection.cursor() as cursor:
            for statement in READING[address.driver]:
                cursor.execute(statement)
            cursor.execute(f"SELECT * FROM {given} LIMIT 0")
            self.schema = _plain(cursor.fetch_record_batch().schema)
            if address.driver == "sqlite":
                texts = [f"CAST({n} AS TEXT) AS {n}" for n in map(_quoted, self.schema.names)]
                self._query = f"SELECT {', '.join(texts)} FROM {given}"
                self.schema = pyarrow.schema([(n, pyarrow.string()) for n in self.schema.names])
            if address.table:
                cursor.execute(f"SELECT COUNT(*) FROM {_name(address)}")
                self._rows = cursor.fetchone()[0]

    def batches(self, rows: int = ROWS) -> Iterator[Batch]:
        """Yield the rows, and end the transaction after the last, so that others may write."""
        yield from super().batches(rows)
        self._connection.rollback()

    def raw(self) -> Iterator[tuple[RawBatch, float | None]]:
        done = 0
        with self._translate_errors(), self._connection.cursor() as cursor:
            if self._address.driver == "sqlite":
                cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(ROWS)})
            cursor.execute(self._query)
            for data in cursor.fetch_record_batch():
                done += len(data)
                yield RawBatch(_cast(data, self.schema)), done / self._rows if self._rows else None

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for batch in super().batches():
            digest.update(pd.util.hash_pandas_object(batch.frame, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        with _translate_errors(self._address, UnreadableTable):
            yield


@contextmanager
def sql_source(address: SqlAddress) -> Iterator[SqlSource]:
    """Open a table or query of a database for reading."""
    if address.driver == "sqlite" and not Path(address.database).is_file():
        where = Path(address.database).absolute()
        raise MissingTable(f"{address.shown}: no such file (looked for {where})")
    with _connected(address, UnreadableTable) as connection:
        yield SqlSource(address, connection)


def check_sql_output(address: SqlAddress, schema: pyarrow.Schema) -> None:
    """Refuse, before the work, a database that can't be reached and a table that doesn't fit.

    Raises
    ------
    SettingsError, UnwritableTable
        The extra is missing, a query is no place to write to, or what was found.
    """
    if address.query:
        raise SettingsError(f"{address.shown}: a query can only be read; name a ?table= to write")
    if address.driver == "sqlite" and not Path(address.database).parent.is_dir():
        raise UnwritableTable(f"{address.shown}: can't be written: No such file or directory")
    if _is_new(address):
        _driver(address)
        return
    with (
        _connected(address, UnwritableTable) as connection,
        _translate_errors(address, UnwritableTable),
    ):
        _fitting(address, connection, schema)


def time_of_run(address: SqlAddress, run: str) -> str | None:
    """When the rows of a run in a table were predicted; None without any."""
    if _is_new(address):
        return None
    with (
        _connected(address, UnwritableTable) as connection,
        _translate_errors(address, UnwritableTable),
    ):
        if not {RUN_ID, PREDICTED_AT} <= set(_columns(address, connection) or ()):
            return None
        with connection.cursor() as cursor:
            mark = MARKS[address.driver]
            cursor.execute(
                f"SELECT MIN({PREDICTED_AT}) FROM {_name(address)} WHERE {RUN_ID} = {mark}", (run,)
            )
            found = cursor.fetchone()[0]
    return found if found is None or isinstance(found, str) else found.isoformat()


def identity_of(address: SqlAddress) -> tuple[Any, ...]:
    """Identify a table of PostgreSQL, since a host has several names and a schema may be left out.

    Returns
    -------
    tuple of str
        The numbers of the cluster (a replica has the same), of the database and of the table. The
        last is None if the table does not exist, and means nothing for a query.
    """
    table = _name(address) or "pg_class"
    database = "(SELECT oid::text FROM pg_database WHERE datname = current_database())"
    cluster = "(SELECT system_identifier::text FROM pg_control_system())"
    with (
        _connected(address, UnreadableTable) as connection,
        _translate_errors(address, UnreadableTable),
    ):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {cluster}, {database}, to_regclass($1)::oid::text", (table,))
            return tuple(cursor.fetchone())


def rows_of(address: SqlAddress, run: str | None) -> int:
    """Count the rows of a table, or of a run; 0 if the table doesn't exist."""
    if _is_new(address):
        return 0
    with (
        _connected(address, UnreadableTable) as connection,
        _translate_errors(address, UnreadableTable),
    ):
        columns = _columns(address, connection)
        if columns is None:
            return 0
        if run is not None and RUN_ID not in columns:
            raise UnreadableTable(f"{address.shown}: has no column {RUN_ID}, expected one")
        only = "" if run is None else f" WHERE {RUN_ID} = {MARKS[address.driver]}"
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT COUNT(*) FROM {_name(address)}{only}", None if run is None else (run,)
            )
            return int(cursor.fetchone()[0])


@contextmanager
def sql_writer(
    address: SqlAddress, schema: pyarrow.Schema, run: str
) -> Iterator[Callable[[pyarrow.RecordBatch], None]]:
    """Yield a writer of batches to a table: all of them are committed, or none.

    They wait in a temporary file, so that the transaction is short: the rows that the run has left
    there before are deleted, these are inserted, and it is committed.
    """
    check_sql_output(address, schema)
    with temporary_file() as waiting:
        with filling_temporary():
            with pyarrow.ipc.new_stream(waiting, schema) as stream:
                yield stream.write_batch
            waiting.seek(0)  # with it, what a buffer holds is written
        with (
            _connected(address, UnwritableTable) as connection,
            _translate_errors(address, UnwritableTable),
        ):
            _insert(address, connection, pyarrow.ipc.open_stream(waiting), run)


def _insert(address: SqlAddress, connection: Any, rows: Any, run: str) -> None:
    there = _fitting(address, connection, rows.schema)
    with connection.cursor() as cursor:
        if there and address.if_exists == "replace":
            cursor.execute(f"DROP TABLE {_name(address)}")
            there = False
        elif there:
            mark = MARKS[address.driver]
            cursor.execute(f"DELETE FROM {_name(address)} WHERE {RUN_ID} = {mark}", (run,))
        if address.driver == "sqlite":
            rows = _storable(rows)
        cursor.adbc_ingest(
            address.table,
            rows,
            mode="append" if there else "create",
            db_schema_name=address.schema or None,
        )
    connection.commit()


def _fitting(address: SqlAddress, connection: Any, schema: pyarrow.Schema) -> bool:
    """Return whether the table exists; if so, it must accept rows of this schema."""
    found = _columns(address, connection)
    if found is None:
        return False
    if address.if_exists == "fail":
        raise UnwritableTable(
            f"{address.shown}: the table is there already, expected none; write elsewhere, or with "
            "if_exists=append or replace"
        )
    if address.if_exists == "append" and set(found) != set(schema.names):
        raise UnwritableTable(
            f"{address.shown}: the table has the columns {', '.join(found)}, expected "
            f"{', '.join(schema.names)}; write to another table, or with if_exists=replace"
        )
    return True


def _columns(address: SqlAddress, connection: Any) -> list[str] | None:
    """List the columns of a table; None if it doesn't exist."""
    from adbc_driver_manager import AdbcStatusCode, ProgrammingError

    try:
        found = connection.adbc_get_table_schema(
            address.table, db_schema_filter=address.schema or None
        )
    except ProgrammingError as error:
        if error.status_code != AdbcStatusCode.NOT_FOUND:
            raise
        connection.rollback()
        return None
    return list(found.names)


def _is_new(address: SqlAddress) -> bool:
    """Check for a file that doesn't exist yet, which connecting would create."""
    return address.driver == "sqlite" and not Path(address.database).exists()


def _driver(address: SqlAddress) -> Any:
    try:
        return import_module(f"adbc_driver_{address.driver}.dbapi")
    except ImportError as error:
        raise SettingsError(
            f"{address.shown}: databases need the extra sql, which is not installed; "
            "make install-all, or pip install 'titanic_ml[sql]'"
        ) from error


@contextmanager
def _connected(address: SqlAddress, kind: type[Exception]) -> Iterator[Any]:
    """Connect to a database; uncommitted changes are rolled back."""
    driver = _driver(address)
    with _translate_errors(address, kind):
        connection = driver.connect(address.database)
    with closing(connection):
        if address.driver == "sqlite":
            with _translate_errors(address, kind), connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {WAIT}")
        try:
            yield connection
        except BaseException:
            with suppress(Exception):  # of a server that is gone, or that did so itself
                connection.rollback()
            raise


@contextmanager
def _translate_errors(address: SqlAddress, kind: type[Exception]) -> Iterator[None]:
    """Translate errors of the driver into one sentence without secrets."""
    try:
        yield
    except Exception as error:
        if not (type(error).__module__.startswith("adbc_driver_manager") or LIBPQ in str(error)):
            raise
        if "canceling statement due to user request" in str(error):
            raise KeyboardInterrupt from error  # the driver's own answer to Ctrl-C
        reason = without_secrets(_sentence(str(error)), address.database)
        if kind is UnreadableTable and NO_TABLE.match(reason):
            kind = MissingTable
        schema, dot, table = address.table.partition(".")
        if kind is MissingTable and dot and not address.schema and address.driver != "sqlite":
            reason += f"; for a schema, write ?table={table}&schema={schema}"
        raise kind(f"{address.shown}: {reason}") from cause(error, address.database)


def _sentence(text: str) -> str:
    """Return the essential part of a driver's message.

    >>> _sentence("NOT_FOUND: Failed to prepare query: ERROR:  no such thing\\nLINE 1: x. SQLSTATE")
    'no such thing'
    >>> _sentence("INVALID_ARGUMENT: [SQLite] Failed to prepare query: no such table: x\\nquery: y")
    'no such table: x'
    """
    first = re.sub(r"\. SQLSTATE: \w+$", "", text.strip()).splitlines()[0]
    for start in (r".*?(ERROR|FATAL):\s+", r"[A-Z_]+: (\[\w+\] )?([Ff]ailed to [\w ]+: )?"):
        first = re.sub(f"^{start}", "", first)
    return first.strip()


def _name(address: SqlAddress) -> str:
    return ".".join(_quoted(part) for part in (address.schema, address.table) if part)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _plain(schema: pyarrow.Schema) -> pyarrow.Schema:
    """Replace types of PostgreSQL that Arrow lacks by their storage types."""
    return pyarrow.schema(
        [(field.name, getattr(field.type, "storage_type", None) or field.type) for field in schema]
    )


def _cast(data: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    columns = [getattr(column, "storage", column) for column in data.columns]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


def _storable(rows: Any) -> Any:
    """Return the rows with times, dates and decimals as texts, since SQLite lacks these types."""
    from pyarrow import compute

    def as_text(column: pyarrow.Array) -> pyarrow.Array:
        if pyarrow.types.is_timestamp(column.type) and column.type.tz:
            return compute.strftime(column, "%Y-%m-%dT%H:%M:%SZ")
        return column.cast(pyarrow.string())

    texts = {place for place, field in enumerate(rows.schema) if _is_foreign(field.type)}
    schema = pyarrow.schema(
        [(f.name, pyarrow.string() if n in texts else f.type) for n, f in enumerate(rows.schema)]
    )

    def batches() -> Iterator[pyarrow.RecordBatch]:
        for batch in rows:
            columns = [as_text(c) if n in texts else c for n, c in enumerate(batch.columns)]
            yield pyarrow.RecordBatch.from_arrays(columns, schema=schema)

    return pyarrow.RecordBatchReader.from_batches(schema, batches())


def _is_foreign(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_temporal(kind) or pyarrow.types.is_decimal(kind)
