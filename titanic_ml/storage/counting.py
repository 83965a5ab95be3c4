"""How many rows there are: of a table, or of one run in it."""

from __future__ import annotations

from titanic_ml.errors import UnreadableTable
from titanic_ml.storage.address import RUN_ID, SqlAddress, parse
from titanic_ml.storage.secrets import shown
from titanic_ml.storage.tables import open_table

# Imported in functions: the databases, which are an extra.


def count_rows(uri: str, run: str | None = None) -> int:
    """Count the rows of a table; a database without the table counts as 0.

    Parameters
    ----------
    uri
        Address of the table.
    run
        Id of a run; None for all rows.

    Returns
    -------
    int
        Number of rows, of the run if one is given.

    Raises
    ------
    SettingsError, UnreadableTable
        As in `tables.open_table`, or the table has no column of the run's id.
    """
    address = parse(uri)
    if isinstance(address, SqlAddress) and not address.query:
        from titanic_ml.storage.sql import rows_of

        return rows_of(address, run)
    with open_table(uri) as source:
        if run is None:
            return sum(len(batch.frame) for batch in source.batches())
        if RUN_ID not in source.schema.names:
            raise UnreadableTable(f"{shown(uri)}: has no column {RUN_ID}, expected one")
        return sum(int((batch.frame[RUN_ID] == run).sum()) for batch in source.batches())
