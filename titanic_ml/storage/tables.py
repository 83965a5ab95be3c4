"""Tables in and out by URI: files of several kinds and places, databases, and frames in memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import pandas as pd

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.address import SqlAddress, parse
from titanic_ml.storage.index_columns import with_index_columns
from titanic_ml.storage.secrets import shown

if TYPE_CHECKING:
    from titanic_ml.storage.sources import Source

# Imported in functions: the readers, which a table in memory does without.

log = logging.getLogger(__name__)


class ArrowTable(Protocol):
    """A table of any library that can hand it over as an Arrow stream: pyarrow, polars, DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Table: TypeAlias = (
    pd.DataFrame
    | pd.Series
    | ArrowTable
    | Mapping[str, Any]
    | Sequence[Mapping[str, Any]]
    | str
    | Path
)


COLUMNS = (list, tuple, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)


@contextmanager
def open_table(table: Table, keep_ragged: bool = False) -> Iterator[Source]:
    """Open a table as a stream of batches, which can be read more than once.

    Parameters
    ----------
    table
        A table in memory, as `as_frame` takes it, or the address of one: a name that ends in
        ``.csv``, ``.csv.gz`` or ``.parquet``, a folder or pattern of Parquet files, also under
        ``s3://`` or (one file) ``https://``; ``-``, a CSV on standard input;
        ``sqlite:///file.db?table=NAME`` or ``postgresql://user:password@host/database?query=…``.
    keep_ragged
        Whether a row of a CSV with too few or too many values is returned, with its fault; if not,
        the table is refused.

    Raises
    ------
    SettingsError
        The address is of no known kind, or an extra is missing.
    UnreadableTable
        No such file, another format or encoding, an empty file, or lines of unequal length.
    """
    from titanic_ml.storage.places import located
    from titanic_ml.storage.sources import CsvSource, FrameSource, ParquetSource

    if not isinstance(table, (str, Path)):
        yield FrameSource(as_frame(table))
        return
    address = parse(str(table))
    if isinstance(address, SqlAddress):
        from titanic_ml.storage.sql import sql_source

        with sql_source(address) as source:
            yield source
        return
    with located(address) as places:
        if address.suffix == ".parquet":
            yield ParquetSource(address.shown, places)
        else:
            yield CsvSource(places[0], address.suffix == ".csv.gz", keep_ragged)


def read_table(uri: str) -> pd.DataFrame:
    """Read a whole table. The columns of a CSV come out as text: the schema gives them their kinds.

    Raises as `open_table`, which says what the address may be.
    """
    with open_table(uri) as source:
        return source.frame()


def as_frame(table: Table) -> pd.DataFrame:
    """Return a table as a DataFrame.

    The table is an address, a table in memory, a row (dict or Series), a dict of columns, or a list
    of rows.

    Raises
    ------
    UnreadableTable
        It is none of these, or `read_table` can't read it. The content is not in the message.
    """
    if isinstance(table, pd.DataFrame):
        return with_index_columns(table)
    if isinstance(table, (str, Path)):
        return read_table(str(table))
    if isinstance(table, pd.Series):
        return table.to_frame().T.infer_objects()
    if hasattr(table, "collect") and not hasattr(table, "to_pandas"):
        raise UnreadableTable(
            f"found a lazy table ({type(table).__name__}), expected its rows; pass table.collect()"
        )
    if hasattr(table, "__arrow_c_stream__") or hasattr(table, "__arrow_c_array__"):
        from titanic_ml.storage.arrow import arrow_frame

        return arrow_frame(table, "the table")
    if isinstance(table, Mapping):
        columns = [isinstance(value, COLUMNS) for value in table.values()]
        if columns and all(columns) and len({len(value) for value in table.values()}) == 1:
            return pd.DataFrame(dict(table))
        return pd.DataFrame([dict(table)])
    if isinstance(table, (list, tuple)) and all(isinstance(row, Mapping) for row in table):
        return pd.DataFrame([dict(row) for row in table])
    raise UnreadableTable(
        f"found an object of the type {type(table).__name__}, expected a DataFrame or an Arrow "
        "table, a row as a dict, a list of such rows, or the address of a table"
    )


def name_of(table: Table) -> str:
    """Return the name of a table for messages, without the secrets of its address."""
    if not isinstance(table, (str, Path)):
        return "the table"
    return {"-": "standard input"}.get(str(table), shown(str(table)))
