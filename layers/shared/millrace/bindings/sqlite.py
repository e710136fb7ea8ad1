"""`env.DB` on SQLite: the embedded database of a laptop and of the tests."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from millrace.bindings.database import (
    Dialect,
    Meta,
    Result,
    Statement,
    check_size,
    placeholders,
    reads_only,
    to_json,
)
from millrace.errors import (
    ConstraintBroken,
    DatabaseError,
    DatabaseUnavailable,
    StatementInvalid,
    ValueUnreadable,
)

BUSY_SECONDS = 5.0
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"

# One writer at a time in this process, per file: waiting here is fair, waiting inside SQLite is polling.
_writers: dict[str, threading.Lock] = {}
_writers_guard = threading.Lock()


def read_time(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())


def read_date(text: bytes) -> date:
    return date.fromisoformat(text.decode())


def convert(kind: str, *, read: Callable[[bytes], Any]) -> None:
    """Read columns of this kind so. Differs: PostgreSQL would not have taken what cannot be read."""

    def read_strictly(text: bytes) -> Any:
        try:
            return read(text)
        except ValueError:
            # Not "from" the error, which quotes the value.
            raise ValueUnreadable(f"a column of type {kind} holds what is none") from None

    sqlite3.register_converter(kind, read_strictly)


# Columns are declared with PostgreSQL's type names; these make them mean the same here.
convert("TIMESTAMPTZ", read=read_time)
convert("DATE", read=read_date)
convert("BOOLEAN", read=lambda text: text != b"0")
convert("JSONB", read=json.loads)


class SqliteDatabase:
    """One file. Each thread has a connection of its own."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: str | Path, *, busy_seconds: float = BUSY_SECONDS):
        self.path = str(path)
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        with _writers_guard:
            self._writer = _writers.setdefault(str(Path(self.path).resolve()), threading.Lock())

    def prepare(self, sql: str) -> Statement:
        return Statement(sql, self)

    def for_tenant(self, tenant_id: str) -> "SqliteDatabase":  # noqa: ARG002 - the face's
        """Differs: SQLite has no row-level security, so the stores' own conditions are the only wall here."""
        return self

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        check_size(statements)
        if reads_only(statements):
            return self._run(statements, begin="BEGIN")
        if not self._writer.acquire(timeout=self._busy_seconds):
            raise DatabaseUnavailable(cause="busy")
        try:
            return self._run(statements, begin="BEGIN IMMEDIATE")
        finally:
            self._writer.release()

    def close(self) -> None:
        while self._opened:
            self._opened.pop().close()
        self._local = threading.local()

    def _run(self, statements: Sequence[Statement], *, begin: str) -> list[Result]:
        connection = self._connection()
        results: list[Result] = []
        with self._meaning(results):
            connection.execute(begin)
            try:
                for statement in statements:
                    results.append(_execute(connection, statement))
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return results

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._open()
            self._opened.append(connection)
        return connection

    def _open(self) -> sqlite3.Connection:
        with self._meaning([]):
            connection = sqlite3.connect(
                self.path,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
            )
            for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
                connection.execute(f"PRAGMA {pragma}")
        # Differs: SQLite's own name for it is json_object.
        connection.create_function("jsonb_build_object", -1, _build_object, deterministic=True)
        return connection

    @contextmanager
    def _meaning(self, results: list[Result]) -> Iterator[None]:
        """Say what an error of sqlite3 means to the caller."""
        try:
            yield
        except sqlite3.IntegrityError as error:
            name = constraint_name(str(error), find_index=self._find_index)
            raise ConstraintBroken(name, statement=len(results), results=results) from error
        except sqlite3.OperationalError as error:
            raise _operational(error) from error
        except (sqlite3.Error, OverflowError) as error:
            raise StatementInvalid(f"{type(error).__name__}: {error}") from error

    def _find_index(self, table: str, columns: list[str]) -> str | None:
        """The unique index on just these columns, which SQLite does not name in its error."""
        connection = self._connection()
        for _, name, unique, origin, _ in connection.execute(f"PRAGMA index_list({table})").fetchall():
            indexed = [row[2] for row in connection.execute(f"PRAGMA index_info({name})")]
            if unique and indexed == columns and origin == "c":
                return str(name)
        return None


def _execute(connection: sqlite3.Connection, statement: Statement) -> Result:
    started = time.perf_counter()
    read = placeholders(statement.sql)
    # By name, because Python 3.12 warns of numbers given in a sequence.
    values = {str(number): to_sqlite(value) for number, value in enumerate(statement.values, start=1)}
    changed_before = connection.total_changes
    cursor = connection.execute(read.numbered, values)
    columns = tuple(column[0].partition(" [")[0] for column in cursor.description or ())
    tuples = cursor.fetchall()
    # changes() stays at what the last writing statement did, also after one that wrote nothing.
    wrote = connection.total_changes > changed_before
    changes = connection.execute("SELECT changes()").fetchone()[0] if wrote else 0
    return Result(columns, tuples, Meta(changes, (time.perf_counter() - started) * 1000))


def to_sqlite(value: Any) -> Any:
    """Times as text of one width, so that text order is time order."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return to_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return to_json(value) if isinstance(value, (dict, list)) else value


def to_text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(TIME_FORMAT).rjust(len("2025-12-17T10:00:00.000000Z"), "0")


def constraint_name(message: str, *, find_index: Callable[[str, list[str]], str | None]) -> str | None:
    """The name PostgreSQL would give, from what SQLite says. None for a foreign key: SQLite names none."""
    what, _, rest = message.partition(" constraint failed: ")
    if what == "CHECK":
        return rest
    if what == "NOT NULL":
        return rest
    if what != "UNIQUE":
        return None
    if rest.startswith("index '"):
        return rest[len("index '") : -1]
    table = rest.partition(".")[0]
    columns = [column.partition(".")[2] for column in rest.split(", ")]
    return find_index(table, columns) or f"{table}_pkey"


def _operational(error: sqlite3.OperationalError) -> DatabaseError | DatabaseUnavailable:
    """Busy, locked, full or unreadable is the database's trouble; anything else is our SQL."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_ERROR:
        return StatementInvalid(str(error))
    return DatabaseUnavailable(cause=error.sqlite_errorname)


def _build_object(*pairs: Any) -> str:
    return to_json(dict(zip(pairs[::2], pairs[1::2], strict=True)))
