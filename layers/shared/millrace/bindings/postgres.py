"""`env.DB` on PostgreSQL: a batch is one implicit transaction, sent and answered in one round trip."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

from pg8000.exceptions import DatabaseError as ServerError
from pg8000.exceptions import InterfaceError

from millrace.bindings.database import Dialect, Result, Statement, check_size, reads_only
from millrace.bindings.pipeline import Connection, ssl_context
from millrace.errors import ConstraintBroken, DatabaseUnavailable, StatementInvalid

IDLE_SECONDS = 300
CONNECT_SECONDS = 5
ANSWER_SECONDS = 28

SET_TENANT = "SELECT set_config('app.tenant', ?1, true)"

ROLLED_BACK_FOR_A_RIVAL = {"40P01", "40001"}
# Class 08: connection; 53: resources; 57: shut down, cancelled, timed out; 55P03: lock not had in time.
UNAVAILABLE = ("08", "53", "57", "55P03", "25006")

Password = str | None | Callable[[], str]


class PostgresDatabase:
    """One server and login. Each thread has a connection of its own, kept while it is good."""

    dialect: Dialect = "postgres"

    def __init__(
        self,
        url: str,
        *,
        user: str | None = None,
        password: Password = None,
        tls: str | None = None,
        answer_seconds: float | None = ANSWER_SECONDS,
    ):
        """`tls`: "off" or "verify" (the default beyond this machine). `password` may be made per login."""
        parts = urlsplit(url)
        host = parts.hostname or "127.0.0.1"
        self._user = user or unquote(parts.username or "postgres")
        self._password = password if password is not None else unquote(parts.password or "") or None
        self._address = {"host": host, "port": parts.port or 5432, "database": parts.path.lstrip("/")}
        self._tls = tls or ("off" if host in ("127.0.0.1", "localhost", "::1") else "verify")
        self._answer_seconds = answer_seconds
        self._local = threading.local()
        self._opened: list[Connection] = []

    def prepare(self, sql: str) -> Statement:
        return Statement(sql, self)

    def for_tenant(self, tenant_id: str) -> "TenantView":
        return TenantView(self, tenant_id)

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        check_size(statements)
        try:
            return self._send(statements)
        except _RolledBack:
            return self._repeat(statements)
        except _NotAcknowledged as lost:
            # Nobody knows whether a write was done, so only a read may be asked again.
            if not reads_only(statements):
                raise DatabaseUnavailable from lost
            return self._repeat(statements)

    def close(self) -> None:
        while self._opened:
            _close(self._opened.pop())
        self._local = threading.local()

    def _repeat(self, statements: Sequence[Statement]) -> list[Result]:
        try:
            return self._send(statements)
        except (_RolledBack, _NotAcknowledged) as error:
            raise DatabaseUnavailable from error

    def _send(self, statements: Sequence[Statement]) -> list[Result]:
        connection = self._connection()
        results: list[Result] = []
        started = time.perf_counter()
        try:
            connection.run_pipeline(statements, results=results)
        except ServerError as error:
            raise _meaning(error, results=results) from error
        except (OSError, InterfaceError) as error:
            self._drop(connection)
            raise _NotAcknowledged from error
        except BaseException:
            # Half an answer is still on its way: this connection can answer nobody else.
            self._drop(connection)
            raise
        connection.last_used = time.monotonic()
        duration = (connection.last_used - started) * 1000
        return [result.lasting(duration) for result in results]

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.is_stale(idle_seconds=IDLE_SECONDS):
            self._drop(connection)
            connection = None
        if connection is None:
            connection = self._local.connection = self.connect()
            self._opened.append(connection)
        return connection

    def connect(self) -> Connection:
        """A new connection that is the caller's to close."""
        password = self._password() if callable(self._password) else self._password
        try:
            return Connection(
                self._user,
                password=password,
                ssl_context=ssl_context() if self._tls == "verify" else False,
                timeout=CONNECT_SECONDS,
                answer_seconds=self._answer_seconds,
                **self._address,
            )
        except (OSError, InterfaceError, ServerError) as error:
            raise DatabaseUnavailable from error

    def _drop(self, connection: Connection) -> None:
        self._local.connection = None
        if connection in self._opened:
            self._opened.remove(connection)
        _close(connection)


class TenantView:
    """The same database seen as one tenant: row-level security applies to everything in the batch."""

    dialect: Dialect = "postgres"

    def __init__(self, database: PostgresDatabase, tenant_id: str):
        self._database = database
        self._setting = database.prepare(SET_TENANT).bind(tenant_id)

    def prepare(self, sql: str) -> Statement:
        return Statement(sql, self)

    def for_tenant(self, tenant_id: str) -> "TenantView":
        return TenantView(self._database, tenant_id)

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        check_size(statements)
        try:
            return self._database.batch([self._setting, *statements])[1:]
        except ConstraintBroken as error:
            raise ConstraintBroken(
                error.constraint, statement=error.statement - 1, results=error.results[1:]
            ) from error

    def close(self) -> None:
        self._database.close()


class _RolledBack(Exception):
    """The server undid the batch in favour of a rival: a deadlock, or a serialization failure."""


class _NotAcknowledged(Exception):
    """The connection broke after the batch was sent and before its answer was whole."""


def _meaning(error: ServerError, *, results: list[Result]) -> Exception:
    """Say what the server's refusal means. The values in its words stay out of ours, and out of the trace."""
    facts = error.args[0]
    state = facts.get("C", "")
    for telling in ("D", "W", "q", "M") if state.startswith("22") else ("D", "W", "q"):
        facts.pop(telling, None)
    if state in ROLLED_BACK_FOR_A_RIVAL:
        return _RolledBack()
    if state == "23502":
        return ConstraintBroken(f"{facts.get('t')}.{facts.get('c')}", statement=len(results), results=results)
    if state.startswith("23"):
        return ConstraintBroken(facts.get("n"), statement=len(results), results=results)
    if state.startswith(UNAVAILABLE):
        return DatabaseUnavailable()
    words = facts.get("M", "a value does not fit")
    return StatementInvalid(f"{state}: {words} (statement {len(results)} of its batch)")


def _close(connection: Connection) -> None:
    # It may be broken already, which is no news.
    with suppress(OSError, InterfaceError):
        connection.close()
