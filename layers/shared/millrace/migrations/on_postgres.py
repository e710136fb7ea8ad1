"""Migrating PostgreSQL: a server, where one runner at a time holds an advisory lock."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Unpack

from pg8000.exceptions import DatabaseError as ServerError
from pg8000.exceptions import InterfaceError

from millrace.bindings.database import Dialect
from millrace.bindings.postgres import PostgresDatabase
from millrace.errors import DatabaseUnavailable, StatementInvalid
from millrace.migrations import dangling
from millrace.migrations.targets import Login, Report, Schema, Target
from millrace.migrations.turns import TRY_SECONDS, wait_for_turn

# A number that every runner of this product takes, and nobody else.
ADVISORY_LOCK = 7_165_293
SCRATCH = "millrace_scratch"
# Also of a table that this login may not read: that is refused then, and not taken for a new database.
COLUMNS = """
SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relnamespace = current_schema()::regnamespace AND relname = '{}' AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""


class PostgresTarget:
    dialect: Dialect = "postgres"

    def __init__(self, database_url: str, **login: Unpack[Login]):
        self._connection = PostgresDatabase(database_url, answer_seconds=None, **login).connect()

    @contextmanager
    def lock(self, report: Report) -> Iterator[None]:
        # Asked for again and again, and outside a transaction: who waits inside a statement has a snapshot,
        # which a CREATE INDEX CONCURRENTLY of the runner at work would wait for in turn.
        wait_for_turn(self._take_lock, report=report)
        try:
            yield
        finally:
            # A connection that is broken has let go of the lock already.
            with suppress(DatabaseUnavailable):
                self.execute(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.execute("BEGIN")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            with suppress(DatabaseUnavailable):
                self.execute("ROLLBACK")
            raise

    def execute(self, sql: str) -> list[Any]:
        try:
            return self._connection.execute_simple(sql).rows or []
        except ServerError as error:
            facts = error.args[0]
            raise StatementInvalid(f"{facts.get('C')}: {facts.get('M')}") from error
        except (OSError, InterfaceError) as error:
            raise DatabaseUnavailable("The connection to the database broke.") from error

    def columns_of(self, table: str) -> list[str]:
        return [row[0] for row in self.execute(COLUMNS.format(table))]

    def read_schema(self) -> Schema:
        from millrace.migrations.schema_postgres import read_schema

        return read_schema(self)

    def list_unbound_roles(self) -> list[str]:
        from millrace.migrations.schema_postgres import list_unbound_roles

        return list_unbound_roles(self)

    def list_dangling(self) -> list[str]:
        """Where this login may read all rows: as their owner does."""
        keys = self.execute(dangling.FOREIGN_KEYS)
        counted = {(table, parent): self.execute(count)[0][0] for table, parent, count in keys}
        return dangling.describe(+Counter(counted))

    @contextmanager
    def scratch(self) -> Iterator[Target]:
        """A schema in a transaction that is rolled back: it asks for no right but to create a schema."""
        self.execute("BEGIN")
        try:
            self.execute(f"CREATE SCHEMA {SCRATCH}")
            self.execute(f"SET LOCAL search_path TO {SCRATCH}")
            yield self
        finally:
            with suppress(DatabaseUnavailable):
                self.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(OSError, InterfaceError):
            self._connection.close()

    def _take_lock(self) -> bool:
        if self.execute(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})")[0][0]:
            return True
        self.execute(f"SELECT pg_sleep({TRY_SECONDS})")
        return False
