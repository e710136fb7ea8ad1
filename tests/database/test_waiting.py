"""How long is waited for PostgreSQL: one limit for all of a batch, and what it ends is not done."""

import resource
import socket
import time
from fcntl import F_DUPFD, fcntl

import pytest

from millrace.bindings import database as face
from millrace.bindings import postgres
from millrace.bindings.pipeline import Connection
from millrace.bindings.postgres import PostgresDatabase
from millrace.bindings.stopwatch import Deadline
from millrace.errors import DatabaseUnavailable, StatementInvalid
from tests.database.wire import Wire

PATIENCE_SECONDS = 30


@pytest.fixture
def server(postgres_databases):
    with postgres_databases.fresh() as database:
        yield database


@pytest.fixture
def watcher(server):
    """Another one who looks on, as the owner."""
    return server.open(role=None)


@pytest.fixture
def opened(server):
    """Opens the server's database, or what is at another url, with a limit of its own."""
    databases = []

    def open_database(seconds, url=server.url):
        databases.append(PostgresDatabase(url, answer_seconds=seconds))
        return databases[-1]

    yield open_database
    for db in databases:
        db.close()


@pytest.fixture
def wire(server):
    line = Wire(server.url)
    yield line
    line.close()


def wait_until(met):
    """Far longer than it takes, so that only what never comes fails."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while not met():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def is_gone(watcher, backend):
    alive = watcher.prepare("SELECT COUNT(*) AS n FROM pg_stat_activity WHERE pid = ?1").bind(backend)
    return alive.first("n") == 0


def test_a_server_that_accepts_and_then_says_nothing_is_unavailable(opened):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        db = opened(0.2, url=f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none")

        with pytest.raises(DatabaseUnavailable) as refused:
            db.prepare("SELECT 1").run()

    assert refused.value.cause == "connect: timeout"


@pytest.mark.parametrize(("seconds", "most"), [(2, 2), (28, postgres.CONNECT_SECONDS)])
def test_connecting_takes_no_longer_than_the_batch_may(monkeypatch, opened, seconds, most):
    given = []

    def refuse(_user, *, timeout, **_options):
        given.append(timeout)
        raise ConnectionRefusedError

    monkeypatch.setattr(postgres, "Connection", refuse)

    with pytest.raises(DatabaseUnavailable):
        opened(seconds).prepare("SELECT 1").run()

    assert 0 < given[0] <= most


def test_an_answer_that_never_comes_is_not_asked_for_again(opened, wire):
    db = opened(0.3, url=wire.url)
    db.prepare("SELECT 1").run()
    wire.mute()

    with pytest.raises(DatabaseUnavailable) as refused:
        db.prepare("SELECT 1").run()

    # The second line carried the wish to give it up.
    assert (refused.value.cause, wire.connections) == ("answer: timeout", 2)
    assert db.prepare("SELECT 7 AS seven").first("seven") == 7


def test_a_batch_that_takes_too_long_as_a_whole_is_given_up_by_the_server_too(opened, watcher):
    db = opened(1)
    watcher.prepare("CREATE TABLE written (id TEXT)").run()
    backend = db.prepare("SELECT pg_backend_pid() AS pid").first("pid")
    write = db.prepare("INSERT INTO written VALUES ('a')")

    with pytest.raises(DatabaseUnavailable) as refused:
        db.batch([write, *[db.prepare("SELECT pg_sleep(0.7)::text")] * 3])
    db.close()
    wait_until(lambda: is_gone(watcher, backend))

    assert refused.value.cause == "57014"
    assert watcher.prepare("SELECT COUNT(*) AS n FROM written").first("n") == 0


def test_a_message_that_time_cut_in_two_is_read_whole_when_it_is_asked_for_again():
    ours, theirs = socket.socketpair()
    connection = Connection.__new__(Connection)
    connection._usock, connection._received = ours, bytearray()
    with ours, theirs:
        theirs.sendall(b"C\0\0\0\x0dSELE")
        with pytest.raises(TimeoutError):
            connection._receive(Deadline(0.05))

        theirs.sendall(b"CT 1\0Z")

        assert connection._receive(Deadline(PATIENCE_SECONDS)) == (b"C", b"SELECT 1\0")
        assert connection._received == b"Z"


def test_after_a_batch_was_given_up_the_next_has_a_line_of_its_own(opened, wire):
    db = opened(0.3, url=wire.url)

    with pytest.raises(DatabaseUnavailable):
        db.prepare("SELECT pg_sleep(60)::text").run()

    assert db.prepare("SELECT 7 AS seven").first("seven") == 7


def test_the_server_gives_a_statement_up_by_itself_when_we_are_gone(opened):
    limit = opened(4).prepare("SELECT current_setting('statement_timeout') AS said")

    assert limit.first("said") == "4s"


# macOS cannot be told.
if hasattr(socket, "TCP_USER_TIMEOUT"):

    def test_a_line_that_acknowledges_nothing_is_soon_broken(opened):
        db = opened(4)
        db.prepare("SELECT 1").run()

        line = db._local.connection._usock
        assert 0 < line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) < 4_000


def test_the_last_words_of_a_server_that_ends_the_session_are_the_cause(opened, wire):
    db = opened(10, url=wire.url)

    with pytest.raises(DatabaseUnavailable) as refused:
        db.prepare("SELECT pg_terminate_backend(pg_backend_pid())").run()

    assert (refused.value.cause, wire.connections) == ("57P01", 2)


def test_a_connection_with_a_large_number_is_looked_at_like_any_other(opened):
    db = opened(10)
    db.prepare("SELECT 1").run()
    line = db._local.connection
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2_048, hard), hard))
    try:
        small = line._usock
        line._usock = socket.socket(fileno=fcntl(small.fileno(), F_DUPFD, 1_024))
        stale = line.is_stale(idle_seconds=60)
        line._usock.close()
        line._usock = small
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert not stale


def test_a_connection_left_in_a_transaction_answers_nobody_else(opened, watcher, monkeypatch):
    monkeypatch.setattr(face, "TRANSACTION_WORDS", frozenset())
    db = opened(10)
    watcher.prepare("CREATE TABLE written (id TEXT)").run()

    with pytest.raises(StatementInvalid, match="left a transaction open"):
        db.prepare("BEGIN -- which is otherwise refused").run()
    db.prepare("INSERT INTO written VALUES ('a')").run()

    assert watcher.prepare("SELECT COUNT(*) AS n FROM written").first("n") == 1
