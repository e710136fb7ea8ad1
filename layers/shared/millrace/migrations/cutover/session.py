"""The PostgreSQL side's wire: statements, transactions, and COPY in both directions."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Unpack
from urllib.parse import urlsplit

from pg8000.exceptions import DatabaseError as ServerError
from pg8000.exceptions import InterfaceError

from millrace.bindings.pipeline import Connection
from millrace.bindings.postgres import PostgresDatabase
from millrace.errors import CutoverFailed, CutoverRefused
from millrace.migrations.targets import Login

# Class 22: a value; 23: a constraint; 54: a row too large for an index; P0001: a trigger's own words.
REFUSES_ROWS = ("22", "23", "54", "P0001")


class RowsRefused(Exception):
    """The server will not have at least one of these rows. Its words are the reason."""


class Outlet:
    """What pg8000 writes COPY's rows to, each with its line end: the server sends one at a time."""

    def __init__(self, take: Callable[[bytes], None]):
        self.write = take


class Session:
    """One connection, with what the server's errors mean to a cutover."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def execute(self, sql: str, *values: str | int | None) -> list[Any]:
        """`values` are for $1, $2, …"""
        return self._run(sql, values=values).rows or []

    def copy_in(self, sql: str, lines: Iterable[bytes]) -> None:
        """Each is a message of its own: few and large ones are faster, many small ones take no memory."""
        self._run(sql, stream=lines)

    def copy_out(self, sql: str, take: Callable[[bytes], None]) -> None:
        self._run(sql, stream=Outlet(take))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Whatever goes wrong ends the connection, and with it the transaction."""
        self.execute("BEGIN")
        yield
        self.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of a transaction whose rows can be refused on their own."""
        self.execute("SAVEPOINT part")
        try:
            yield
        except RowsRefused:
            self.execute("ROLLBACK TO SAVEPOINT part")
            self.execute("RELEASE SAVEPOINT part")
            raise
        self.execute("RELEASE SAVEPOINT part")

    def _run(self, sql: str, *, values: Sequence[Any] = (), stream: Any = None) -> Any:
        try:
            return self._connection.execute_unnamed(sql, vals=values, oids=[0] * len(values), stream=stream)
        except ServerError as error:
            facts = error.args[0]
            state, words = facts.get("C", ""), f"{facts.get('C')}: {facts.get('M')}"
            if state.startswith(REFUSES_ROWS):
                raise RowsRefused(". ".join(filter(None, (words, facts.get("D"))))) from error
            raise CutoverFailed(f"the target says {words}") from error
        except (OSError, InterfaceError) as error:
            raise CutoverFailed(
                f"the connection to the target broke ({error}); run the command again: it goes on from there"
            ) from error


@contextmanager
def open_session(database_url: str, **login: Unpack[Login]) -> Iterator[Session]:
    if urlsplit(database_url).scheme not in ("postgresql", "postgres"):
        raise CutoverRefused("copy writes to postgresql://owner:password@host:port/name: say where")
    connection = PostgresDatabase(database_url, answer_seconds=None, **login).connect()
    try:
        session = Session(connection)
        # While only the source is read, for minutes perhaps, nothing is said here; the lock must outlast it.
        session.execute("SET idle_session_timeout = 0")
        yield session
    finally:
        with suppress(OSError, InterfaceError):
            connection.close()
