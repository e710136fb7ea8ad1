"""What is the database's trouble and not ours is 503 to the caller, and told apart in the log."""

import socket
import ssl
from urllib.parse import urlsplit

import pytest

from millrace.bindings.postgres import PostgresDatabase, _cause
from millrace.bindings.sqlite import SqliteDatabase
from millrace.errors import DatabaseUnavailable
from tests.databases import on_postgres


def failure_of(url, **login):
    db = PostgresDatabase(url, **login)
    with pytest.raises(DatabaseUnavailable) as refused:
        db.prepare("SELECT 1").run()
    return refused.value


@on_postgres
@pytest.mark.parametrize(
    ("state", "of"),
    [
        ("08006", "a connection"),
        ("53300", "too many connections"),
        ("57014", "a cancelled query"),
        ("57P03", "a server that starts"),
        ("55P03", "a lock not had in time"),
        ("25006", "a replica that was the writer"),
    ],
)
def test_a_state_that_will_pass_is_unavailability(database, state, of):
    db = database.open(role=None)

    with pytest.raises(DatabaseUnavailable) as refused:
        db.prepare(f"DO $$ BEGIN RAISE 'trouble' USING ERRCODE = '{state}'; END $$").run()

    assert refused.value.cause == state


@on_postgres
def test_the_log_tells_a_wrong_role_from_a_missing_database(database):
    elsewhere = urlsplit(database.url)._replace(path="/nowhere").geturl()

    assert failure_of(database.url, user="nobody_at_all").cause == "28000"
    assert failure_of(elsewhere).cause == "3D000"


def test_the_log_tells_when_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    assert failure_of(f"postgresql://nobody@127.0.0.1:{port}/none").cause == "connect: refused"


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (ssl.SSLCertVerificationError("self-signed"), "certificate"),
        (ssl.SSLError("wrong version"), "tls"),
        (socket.gaierror("no such name"), "unknown host"),
        (TimeoutError(), "timeout"),
        (BrokenPipeError(), "broken"),
    ],
)
def test_every_trouble_of_a_line_has_its_word(error, word):
    assert _cause(error, doing="connect") == f"connect: {word}"


def test_the_caller_is_told_that_it_is_unavailable_and_the_log_why():
    error = DatabaseUnavailable(cause="connect: refused")

    assert error.message == DatabaseUnavailable.message
    assert error.facts == {}
    assert "(connect: refused)" in str(error)


def test_sqlite_says_its_own_word(tmp_path):
    with pytest.raises(DatabaseUnavailable) as refused:
        SqliteDatabase(tmp_path / "nowhere" / "none.db").prepare("SELECT 1").run()

    assert refused.value.cause == "SQLITE_CANTOPEN"


@on_postgres
def test_a_database_whose_name_needs_escaping_is_found(database):
    owner = database.open(role=None)
    owner.prepare('CREATE DATABASE "a name/with %"').run()
    named = PostgresDatabase(urlsplit(database.url)._replace(path="/a%20name%2Fwith%20%25").geturl())
    try:
        found = named.prepare("SELECT current_database()::text AS name").first("name")
    finally:
        named.close()
        owner.prepare('DROP DATABASE "a name/with %" WITH (FORCE)').run()

    assert found == "a name/with %"
