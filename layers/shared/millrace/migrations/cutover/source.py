"""The SQLite side: read only, and all of it as it was at one moment."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote as quote_url
from urllib.parse import urlsplit

from millrace.errors import CutoverRefused
from millrace.migrations.backups import path_of
from millrace.migrations.cutover.schema import Table, quote

BUSY_SECONDS = 60.0
TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"

WITHIN = "(:after IS NULL OR rowid > :after) AND (:until IS NULL OR rowid <= :until)"


class Source:
    """One read transaction: whoever writes meanwhile is not seen, and is not held up."""

    def __init__(self, connection: sqlite3.Connection):
        self._connection = connection

    def count(self, table: Table, *, after: int | None = None) -> int:
        """How many rows there are to read behind a rowid, or in all."""
        sql = f"SELECT COUNT(*) FROM {table.quoted} WHERE {WITHIN}"
        return int(self._connection.execute(sql, {"after": after, "until": None}).fetchone()[0])

    def read(
        self, table: Table, *, after: int | None = None, until: int | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Rows as they are stored, each with its rowid before it: those behind `after`, up to `until`."""
        sql = f"SELECT rowid, {table.column_list} FROM {table.quoted} WHERE {WITHIN} ORDER BY rowid"
        return self._connection.execute(sql, {"after": after, "until": until})

    def versions(self) -> set[str]:
        return {row[0] for row in self._connection.execute("SELECT version FROM schema_migrations")}

    def check_tables(self, tables: list[Table], *, without: frozenset[str]) -> None:
        """CutoverRefused when something here has no place in the target: it would be left behind unseen."""
        there = {row[0] for row in self._connection.execute(TABLES)} - without
        if strange := there ^ {table.name for table in tables}:
            raise CutoverRefused(f"only one side has these tables: {', '.join(sorted(strange))}")
        for table in tables:
            found = self._connection.execute(f"PRAGMA table_info({quote(table.name)})")
            if strange := {row[1] for row in found} ^ {column.name for column in table.columns}:
                raise CutoverRefused(f"only one side's {table.name} has: {', '.join(sorted(strange))}")


@contextmanager
def open_source(database_url: str) -> Iterator[Source]:
    parts = urlsplit(database_url)
    path = path_of(database_url) if parts.scheme == "sqlite" else None
    if path is None or not path.is_file():
        there = path or f"{parts.scheme}://"
        raise CutoverRefused(f"copy reads from sqlite:///absolute/path.db, and a file must be there: {there}")
    connection = sqlite3.connect(
        f"file:{quote_url(str(path))}?mode=ro",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        # One thread at a time reads, though not always the same.
        check_same_thread=False,
    )
    # What is not UTF-8 must be readable, to be written to the rejects.
    connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
    try:
        connection.execute("BEGIN")
        yield Source(connection)
    finally:
        connection.close()
