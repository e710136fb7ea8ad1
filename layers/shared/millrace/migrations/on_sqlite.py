"""Migrating SQLite: a file, which one runner has to itself."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from millrace.bindings.database import Dialect
from millrace.errors import DatabaseUnavailable, StatementInvalid
from millrace.migrations import dangling
from millrace.migrations.targets import Report, Schema, say_nothing
from millrace.migrations.turns import TRY_SECONDS, wait_for_turn

# For who only reads: a file of migrations may take that long.
BUSY_SECONDS = 60.0
COLUMNS = "SELECT name FROM pragma_table_info('{}')"


class SqliteTarget:
    """Its lock is that of BEGIN EXCLUSIVE: each file waits for the runner, or the writer, before it."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: str, *, for_reading: bool = False):
        there = Path(path).exists() or not for_reading
        try:
            self._connection = sqlite3.connect(
                path if there else ":memory:", timeout=BUSY_SECONDS, isolation_level=None
            )
        except sqlite3.Error as error:
            raise DatabaseUnavailable(f"{path}: {error}") from error
        self._report: Report = say_nothing

    @contextmanager
    def lock(self, report: Report) -> Iterator[None]:
        self._report = report
        yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        # In a transaction this PRAGMA does nothing, and rebuilding a parent table would delete its children.
        self.execute("PRAGMA foreign_keys = OFF")
        self.execute(f"PRAGMA busy_timeout = {int(TRY_SECONDS * 1000)}")
        wait_for_turn(self._begin, report=self._report)
        try:
            before = self._find_dangling()
            yield
            # Counted, because a table that was rebuilt may have given its rows other rowids.
            if broken := self._find_dangling() - before:
                raise StatementInvalid(", ".join(dangling.describe(broken)))
            self.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def execute(self, sql: str) -> list[Any]:
        try:
            return self._connection.execute(sql).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_ERROR:
                raise StatementInvalid(str(error)) from error
            raise DatabaseUnavailable(f"The database cannot be used at the moment: {error}.") from error
        except sqlite3.Error as error:
            raise StatementInvalid(str(error)) from error

    def columns_of(self, table: str) -> list[str]:
        return [row[0] for row in self.execute(COLUMNS.format(table))]

    def read_schema(self) -> Schema:
        from millrace.migrations.schema_sqlite import read_schema

        return read_schema(self)

    def list_unbound_roles(self) -> list[str]:
        # Differs: there are no roles.
        return []

    def list_dangling(self) -> list[str]:
        return dangling.describe(self._find_dangling())

    @contextmanager
    def scratch(self) -> Iterator["SqliteTarget"]:
        with tempfile.TemporaryDirectory(prefix="millrace-") as folder:
            target = SqliteTarget(f"{folder}/scratch.db")
            try:
                # Never committed, so that nothing waits for the disk.
                target.execute("BEGIN")
                yield target
            finally:
                target.close()

    def close(self) -> None:
        self._connection.close()

    def _begin(self) -> bool:
        try:
            self.execute("BEGIN EXCLUSIVE")
        except DatabaseUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise
        return True

    def _find_dangling(self) -> Counter[tuple[str, str]]:
        return Counter(self.execute(dangling.FIND))
