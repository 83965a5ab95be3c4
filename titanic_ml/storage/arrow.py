"""Arrow tables as frames, of files, streams and other libraries."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pyarrow
import pyarrow.compute

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.index_columns import with_index_columns

UNNAMED = re.compile(r"__index_level_\d+__")  # how pandas stores an index without a name


def arrow_frame(table: Any, name: str) -> pd.DataFrame:
    """Return a table in memory, of any library with the Arrow interface, as a frame.

    Parameters
    ----------
    table
        An object with ``__arrow_c_stream__`` or ``__arrow_c_array__``.
    name
        Name of the table in messages.

    Raises
    ------
    UnreadableTable
        A column is nested, or has a type that pyarrow can't convert.
    """
    data = _converted(table, name)
    try:
        refuse_nested(data.schema, name)
        for place, field in enumerate(data.schema):
            if pyarrow.types.is_run_end_encoded(field.type):
                decoded = pyarrow.compute.run_end_decode(data.column(place))
                data = data.set_column(place, field.name, decoded)
        return to_frame(data)
    except (pyarrow.ArrowException, NotImplementedError, ValueError, TypeError) as error:
        raise _not_convertible(error, name) from error


def _converted(table: Any, name: str) -> pyarrow.Table:
    """Return any library's table as one of Arrow; name the column that can't be one."""
    errors = (pyarrow.ArrowException, NotImplementedError, ValueError, TypeError)
    try:
        return pyarrow.table(table)
    except errors as error:
        if "non-struct" in str(error):
            raise UnreadableTable(
                f"found a single column ({type(table).__name__}), expected a table"
            ) from error
        for column in getattr(table, "columns", ()):
            try:
                pyarrow.chunked_array(table[column])
            except errors as cause:
                raise _not_convertible(cause, f"{name}, column {column}") from cause
        raise _not_convertible(error, name) from error


def _not_convertible(error: Exception, subject: str) -> UnreadableTable:
    reason = str(error).strip().splitlines()[0]
    return UnreadableTable(
        f"{subject}: can't be converted: {reason}; cast the column to a plain type"
    )


def to_frame(data: pyarrow.RecordBatch | pyarrow.Table) -> pd.DataFrame:
    """Return the data as a frame; whole numbers stay whole beside missing values."""
    plain = [name for name in data.schema.names if not UNNAMED.fullmatch(name)]
    if len(plain) < len(data.schema.names):
        data = data.select(plain)
    return with_index_columns(data.to_pandas(integer_object_nulls=True))


def refuse_nested(schema: pyarrow.Schema, name: str) -> None:
    """Raise `UnreadableTable` if a column holds lists, structs or maps."""
    for field in schema:
        if pyarrow.types.is_nested(field.type) and not _is_encoded(field.type):
            raise UnreadableTable(
                f"{name}: column {field.name} is nested ({field.type}), expected one plain value "
                "in each row; take it apart into columns of its own"
            )


def _is_encoded(kind: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_run_end_encoded(kind))
