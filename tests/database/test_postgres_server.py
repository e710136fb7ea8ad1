"""The server of the test bed: what it is, whom it serves, and that it never outlives its session."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from millrace.errors import StatementInvalid
from tests.databases import on_postgres
from tests.factories import add_tenant, count_rows

ROOT = Path(__file__).parents[2]
SESSION = """
import sys
from tests.postgres_server import running_postgres

with running_postgres() as url:
    print(url, flush=True)
    sys.stdin.read()
"""


def start_session():
    return subprocess.Popen(
        [sys.executable, "-c", SESSION], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def is_listening(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def stops_listening(port, *, within_seconds):
    deadline = time.monotonic() + within_seconds
    while is_listening(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_session_leaves_no_server():
    with start_session() as session:
        port = urlsplit(session.stdout.readline()).port
        assert is_listening(port)

        session.kill()

    assert stops_listening(port, within_seconds=30)


def test_a_session_that_ends_has_ended_its_server():
    with start_session() as session:
        port = urlsplit(session.stdout.readline()).port

        session.communicate("")

    assert not is_listening(port)


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_a_fresh_database_holds_nothing_of_another(request, dialect):
    databases = request.getfixturevalue(f"{dialect}_databases")

    with databases.fresh() as one, databases.fresh() as other:
        add_tenant(one.open())

        assert count_rows(one.open(), "tenants") == 1
        assert count_rows(other.open(), "tenants") == 0


def test_an_empty_database_has_no_table_of_ours(empty_database):
    db = empty_database.open(role=None)

    with pytest.raises(StatementInvalid):
        count_rows(db, "tenants")


@on_postgres
def test_the_functions_log_in_as_roles_that_row_level_security_binds(database):
    who = """
        SELECT rolname AS name, rolsuper OR rolbypassrls AS unbound FROM pg_roles WHERE rolname = current_user
    """

    api = database.open(role="millrace_api").prepare(who).first()
    engine = database.open(role="millrace_engine").prepare(who).first()

    assert (api["name"], api["unbound"]) == ("millrace_api", False)
    assert (engine["name"], engine["unbound"]) == ("millrace_engine", False)
