"""What goes over the wire to PostgreSQL: how often, and what happens when the wire breaks."""

import socket

import pytest

from millrace.bindings.postgres import IDLE_SECONDS, PostgresDatabase
from millrace.bindings.sqlite import SqliteDatabase
from millrace.errors import ConstraintBroken, DatabaseUnavailable
from tests.database.wire import Wire
from tests.factories import accept_job, add_house, add_lead, claim_job, complete_job


@pytest.fixture
def postgres_url(postgres_databases):
    with postgres_databases.fresh() as database:
        yield database.url


@pytest.fixture
def wire(postgres_url):
    line = Wire(postgres_url)
    yield line
    line.close()


@pytest.fixture
def wired(wire):
    db = PostgresDatabase(wire.url)
    db.prepare("SELECT 1").run()
    wire.round_trips = 0
    yield db
    db.close()


def test_a_single_statement_is_one_round_trip(wire, wired):
    wired.prepare("SELECT ?1 AS a").bind("x").first()

    assert wire.round_trips == 1


def test_a_batch_is_one_round_trip_however_many_statements_it_has(wire, wired):
    wired.batch([wired.prepare("SELECT ?1 AS a").bind(number) for number in range(100)])

    assert wire.round_trips == 1


def test_a_batch_for_a_tenant_is_one_round_trip(wire, wired):
    tenant = wired.for_tenant("tenant_a")

    seen = tenant.prepare("SELECT current_setting('app.tenant', true) AS tenant").first("tenant")

    assert (seen, wire.round_trips) == ("tenant_a", 1)


def test_a_refused_batch_is_one_round_trip(wire, wired):
    insert = wired.prepare("INSERT INTO tenants (id, name, created_at) VALUES ('t', 't', NULL)")

    with pytest.raises(ConstraintBroken):
        wired.batch([wired.prepare("SELECT 1"), insert])

    assert wire.round_trips == 1


def test_creating_claiming_and_completing_a_job_are_one_round_trip_each(wire, wired):
    add_house(wired)
    lead = add_lead(wired)
    wire.round_trips = 0

    accept_job(wired, lead)
    after_create = wire.round_trips
    job = claim_job(wired)
    after_claim = wire.round_trips
    complete_job(wired, job)

    assert (after_create, after_claim, wire.round_trips) == (1, 2, 3)


def test_the_tenant_is_forgotten_when_its_batch_is_over(wired):
    wired.for_tenant("tenant_a").prepare("SELECT 1").run()

    assert not wired.prepare("SELECT current_setting('app.tenant', true) AS tenant").first("tenant")


def test_a_connection_that_the_server_ended_is_replaced_before_a_write_is_lost(wire, wired, postgres_url):
    backend = wired.prepare("SELECT pg_backend_pid() AS pid").first("pid")
    other = PostgresDatabase(postgres_url)
    other.prepare("SELECT pg_terminate_backend(?1::int)").bind(backend).run()
    wait_until_readable(wired)

    add_house(wired)

    assert wire.connections == 2
    other.close()


def wait_until_readable(db):
    """The server's goodbye needs a moment to arrive."""
    db._local.connection._usock.settimeout(5)
    assert db._local.connection._usock.recv(1, socket.MSG_PEEK)


def test_a_connection_idle_for_long_is_replaced(wire, wired):
    wired._local.connection.last_used -= IDLE_SECONDS + 1

    wired.prepare("SELECT 1").run()

    assert wire.connections == 2


def test_a_read_whose_answer_was_lost_is_asked_again_once(wire, wired):
    wire.cut_next_answer = True

    assert wired.prepare("SELECT 7 AS seven").first("seven") == 7
    assert wire.connections == 2


def test_a_write_whose_answer_was_lost_is_never_repeated(wire, wired, postgres_url):
    wire.cut_next_answer = True

    with pytest.raises(DatabaseUnavailable):
        add_house(wired)

    other = PostgresDatabase(postgres_url)
    assert other.prepare("SELECT COUNT(*) AS n FROM tenants").first("n") == 1
    other.close()


def test_a_server_that_cannot_be_reached_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    db = PostgresDatabase(f"postgresql://nobody@127.0.0.1:{port}/nothing")

    with pytest.raises(DatabaseUnavailable):
        db.prepare("SELECT 1").run()


def test_large_messages_are_sent_without_waiting_for_acknowledgements(wired):
    wired.prepare("SELECT 1").run()

    assert wired._local.connection._usock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_an_interrupted_answer_is_never_given_to_the_next_question(wire, wired, monkeypatch):
    connection = wired._local.connection

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(connection.message_types, b"N", interrupt)
    with pytest.raises(KeyboardInterrupt):
        wired.prepare("DO $$ BEGIN RAISE WARNING 'interrupt here'; END $$").run()

    assert wired.prepare("SELECT 7 AS seven").first("seven") == 7
    assert wire.connections == 2


def test_sqlite_busy_beyond_its_patience_is_unavailable(tmp_path):
    first, second = (SqliteDatabase(tmp_path / "busy.db", busy_seconds=0.05) for _ in range(2))
    first.prepare("CREATE TABLE t (id TEXT)").run()
    first._connection().execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseUnavailable):
        second.prepare("INSERT INTO t VALUES ('a')").run()

    first._connection().execute("ROLLBACK")
    second.prepare("INSERT INTO t VALUES ('a')").run()
    first.close()
    second.close()


def test_sqlite_reads_while_another_writes(tmp_path):
    writer, reader = (SqliteDatabase(tmp_path / "wal.db", busy_seconds=0.05) for _ in range(2))
    writer.prepare("CREATE TABLE t (id TEXT)").run()
    writer._connection().execute("BEGIN IMMEDIATE")

    assert reader.prepare("SELECT COUNT(*) AS n FROM t").first("n") == 0

    writer._connection().execute("ROLLBACK")
    writer.close()
    reader.close()
