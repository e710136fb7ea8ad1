"""`env.DB` on PostgreSQL: a batch is one implicit transaction, sent and answered in one round trip."""

import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import gaierror
from urllib.parse import unquote, urlsplit

from pg8000.exceptions import DatabaseError as ServerError
from pg8000.exceptions import InterfaceError

from millrace.bindings.database import Dialect, Result, Statement, check_size, reads_only
from millrace.bindings.pipeline import RDS_HOSTS, Connection, ssl_context
from millrace.bindings.secrets import SecretPassword
from millrace.bindings.stopwatch import Deadline
from millrace.errors import ConstraintBroken, DatabaseUnavailable, StatementInvalid

IDLE_SECONDS = 300
CONNECT_SECONDS = 5
NO_DEADLINE = Deadline(None)
ANSWER_SECONDS = 28

SET_TENANT = "SELECT set_config('app.tenant', ?1, true)"

ROLLED_BACK_FOR_A_RIVAL = {"40P01", "40001"}
# Class 08: connection; 53: resources; 57: shut down, cancelled, timed out; 55P03: lock not had in time.
UNAVAILABLE = ("08", "53", "57", "55P03", "25006")
WRONG_PASSWORD = "28P01"  # noqa: S105  # a SQLSTATE

# What is said in the log of a line that could not be had or did not hold. The first that fits.
LINE_TROUBLES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (ConnectionRefusedError, "refused"),
    (gaierror, "unknown host"),
    (ssl.SSLCertVerificationError, "certificate"),
    (ssl.SSLError, "tls"),
)

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
        """`tls`: "off" or "verify" (the default beyond this machine). `password` may be made per login.

        `answer_seconds` is what a batch may take, with connecting and repeating it. None: without end.
        """
        parts = urlsplit(url)
        host = parts.hostname or "127.0.0.1"
        self._user = user or unquote(parts.username or "postgres")
        self._password = password if password is not None else unquote(parts.password or "") or None
        self._address = {"host": host, "port": parts.port or 5432, "database": unquote(parts.path[1:])}
        self._tls = tls or ("off" if host in ("127.0.0.1", "localhost", "::1") else "verify")
        self._for_rds = host.endswith(RDS_HOSTS)
        self._answer_seconds = answer_seconds
        self._local = threading.local()
        self._opened: list[Connection] = []

    def prepare(self, sql: str) -> Statement:
        return Statement(sql, self)

    def for_tenant(self, tenant_id: str) -> "TenantView":
        return TenantView(self, tenant_id)

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        check_size(statements)
        return self.run(statements)

    def run(self, statements: Sequence[Statement], *, hidden: int = 0) -> list[Result]:
        """A batch whose first `hidden` statements are our own: nobody is told of them."""
        deadline = Deadline(self._answer_seconds)
        try:
            return self._send(statements, hidden=hidden, deadline=deadline)
        except _Interrupted as interrupted:
            # Nobody knows whether a write was done that was not acknowledged, so it is not asked for again.
            harmless = interrupted.undone or reads_only(statements)
            if deadline.is_over or not harmless:
                raise DatabaseUnavailable(cause=interrupted.cause) from interrupted
        try:
            return self._send(statements, hidden=hidden, deadline=deadline)
        except _Interrupted as interrupted:
            raise DatabaseUnavailable(cause=interrupted.cause) from interrupted

    def close(self) -> None:
        while self._opened:
            _close(self._opened.pop())
        self._local = threading.local()

    def _send(self, statements: Sequence[Statement], *, hidden: int, deadline: Deadline) -> list[Result]:
        connection = self._connection(deadline)
        results: list[Result] = []
        started = time.perf_counter()
        try:
            connection.run_pipeline(statements, results=results, deadline=deadline)
        except ServerError as error:
            raise _meaning(error, results=results[hidden:]) from error
        except OSError as error:
            self._drop(connection)
            raise _Interrupted(_cause(error, doing="answer")) from error
        except BaseException:
            # Half an answer is still on its way: this connection can answer nobody else.
            self._drop(connection)
            raise
        duration = (time.perf_counter() - started) * 1000
        return [result.lasting(duration) for result in results[hidden:]]

    def _connection(self, deadline: Deadline) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None and connection.is_stale(idle_seconds=IDLE_SECONDS):
            self._drop(connection)
            connection = None
        if connection is None:
            connection = self._local.connection = self.connect(deadline)
            self._opened.append(connection)
        return connection

    def connect(self, deadline: Deadline = NO_DEADLINE) -> Connection:
        """A new connection that is the caller's to close."""
        password = self._password() if callable(self._password) else self._password
        try:
            return Connection(
                self._user,
                password=password,
                ssl_context=ssl_context(for_rds=self._for_rds) if self._tls == "verify" else False,
                timeout=deadline.left(most=CONNECT_SECONDS),
                answer_seconds=self._answer_seconds,
                **self._address,
            )
        except (OSError, InterfaceError, ServerError) as error:
            cause = _cause(error, doing="connect")
            if cause == WRONG_PASSWORD and isinstance(self._password, SecretPassword):
                self._password.forget()
            raise DatabaseUnavailable(cause=cause) from error

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
        return self._database.run([self._setting, *statements], hidden=1)

    def close(self) -> None:
        self._database.close()


class _Interrupted(Exception):
    """A batch came to no end that we know of, unless `undone`: then the server gave it up for a rival's."""

    def __init__(self, cause: str, *, undone: bool = False):
        super().__init__(cause)
        self.cause = cause
        self.undone = undone


def _cause(error: Exception, *, doing: str) -> str:
    """The server's own word for it, else what became of the line."""
    reason = error.__cause__ or error
    if isinstance(reason, ServerError):
        return str(reason.args[0].get("C"))
    words = (word for kind, word in LINE_TROUBLES if isinstance(reason, kind))
    return f"{doing}: {next(words, 'broken')}"


def _meaning(error: ServerError, *, results: list[Result]) -> Exception:
    """Say what the server's refusal means. The values in its words stay out of ours, and out of the trace."""
    facts = error.args[0]
    state = facts.get("C", "")
    for telling in ("D", "W", "q", "M") if state.startswith("22") else ("D", "W", "q"):
        facts.pop(telling, None)
    if state in ROLLED_BACK_FOR_A_RIVAL:
        return _Interrupted(state, undone=True)
    if state == "23502":
        return ConstraintBroken(f"{facts.get('t')}.{facts.get('c')}", statement=len(results), results=results)
    if state.startswith("23"):
        return ConstraintBroken(facts.get("n"), statement=len(results), results=results)
    if state.startswith(UNAVAILABLE):
        return DatabaseUnavailable(cause=state)
    words = facts.get("M", "a value does not fit")
    return StatementInvalid(f"{state}: {words} (statement {len(results)} of its batch)")


def _close(connection: Connection) -> None:
    # It may be broken already, which is no news.
    with suppress(OSError, InterfaceError):
        connection.close()
