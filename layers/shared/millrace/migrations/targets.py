"""The two kinds of database a migration is applied to, each with a lock: one runner works at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pg8000.exceptions import DatabaseError as ServerError

from millrace.bindings.database import Dialect
from millrace.bindings.postgres import Password, PostgresDatabase
from millrace.bindings.sqlite import to_text
from millrace.errors import MigrationInvalid, StatementInvalid

# A number that every runner of this product takes, and nobody else.
ADVISORY_LOCK = 7_165_293
BUSY_SECONDS = 60.0


class Target(Protocol):
    """A database being migrated."""

    dialect: Dialect

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and one runner at a time: a second one waits here."""
        ...

    def execute(self, sql: str) -> list[Any]:
        """Run one statement. StatementInvalid says what the database had against it."""
        ...

    def record(self, version: str, *, now: datetime) -> None: ...

    def close(self) -> None: ...


def open_target(database_url: str, *, user: str | None = None, password: Password = None) -> Target:
    parts = urlsplit(database_url)
    if parts.scheme == "sqlite":
        return SqliteTarget(unquote(parts.path))
    if parts.scheme in ("postgresql", "postgres"):
        database = PostgresDatabase(database_url, user=user, password=password, answer_seconds=None)
        return PostgresTarget(database)
    raise MigrationInvalid(f"the database url begins with sqlite:// or postgresql://, not {parts.scheme}://")


class SqliteTarget:
    """A file."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: str):
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        # In a transaction this PRAGMA does nothing, and rebuilding a parent table would delete its children.
        self._connection.execute("PRAGMA foreign_keys = OFF")
        self._connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
            self._check_foreign_keys()
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def execute(self, sql: str) -> list[Any]:
        try:
            return self._connection.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise StatementInvalid(str(error)) from error

    def record(self, version: str, *, now: datetime) -> None:
        self._connection.execute("INSERT INTO schema_migrations VALUES (?, ?)", (version, to_text(now)))

    def close(self) -> None:
        self._connection.close()

    def _check_foreign_keys(self) -> None:
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            tables = ", ".join(sorted({row[0] for row in broken}))
            raise StatementInvalid(f"{len(broken)} rows would point at nothing, in: {tables}")


class PostgresTarget:
    """A server."""

    dialect: Dialect = "postgres"

    def __init__(self, database: PostgresDatabase):
        self._connection = database.connect()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN")
        try:
            self.execute(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
            yield
            self.execute("COMMIT")
        except BaseException:
            self.execute("ROLLBACK")
            raise

    def execute(self, sql: str) -> list[Any]:
        try:
            return self._connection.execute_simple(sql).rows or []
        except ServerError as error:
            facts = error.args[0]
            raise StatementInvalid(f"{facts.get('C')}: {facts.get('M')}") from error

    def record(self, version: str, *, now: datetime) -> None:
        # The version is a file's number, so these texts hold nothing that would want quoting.
        self.execute(f"INSERT INTO schema_migrations VALUES ('{version}', '{now.isoformat()}')")

    def close(self) -> None:
        self._connection.close()
