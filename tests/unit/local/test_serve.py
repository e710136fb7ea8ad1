"""The process that serves: why it does not begin, and how it ends."""

import logging
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from pg8000.exceptions import DatabaseError as ServerError

from local import cloud, database, serve, server
from local.settings import Settings
from local.template import Template
from millrace.errors import DatabaseUnavailable
from tests.postgres_server import free_port
from tests.unit.local.conftest import TEMPLATE, Served, serving

HALF_A_REQUEST = b"POST /posted HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"


def test_a_database_that_does_not_answer_is_named_with_the_cause(tmp_path: Path):
    port = free_port()
    settings = Settings(data=tmp_path, database_url=f"postgresql://me:secret@127.0.0.1:{port}/name")

    with pytest.raises(serve.Unready) as refused:
        serve.prepare(settings)

    assert str(refused.value) == f"Cannot start: the database 127.0.0.1:{port}/name: Connection refused"


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (
            ServerError({"C": "28P01", "M": "password authentication failed"}),
            "password authentication failed",
        ),
        (ServerError({"C": "3D000", "M": 'database "x" does not exist'}), 'database "x" does not exist'),
        (TimeoutError("timed out"), "timed out"),
    ],
)
def test_why_a_database_is_not_available_is_said_in_its_own_words(cause: Exception, said: str):
    error = DatabaseUnavailable()
    error.__cause__ = cause

    assert database.why(error) == said


def test_a_file_that_is_no_database_is_named(tmp_path: Path):
    (tmp_path / "millrace.db").write_bytes(b"no database" * 1000)

    with pytest.raises(serve.Unready, match=rf"{tmp_path}/millrace\.db: file is not a database"):
        serve.prepare(Settings(data=tmp_path))


def test_a_template_that_names_a_folder_that_is_not_there_is_said(tmp_path: Path):
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE.read_text().replace("cloud/echo/", "cloud/gone/"))

    with pytest.raises(serve.Unready, match=r"Echo: tests\.unit\.local\.cloud\.gone\.app\.handler cannot be"):
        serve.prepare(Settings(data=tmp_path, template=template, demo_data=False))


def test_who_waits_for_a_locked_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0)
    settings = Settings(data=tmp_path)
    with closing(sqlite3.connect(tmp_path / "millrace.db", isolation_level=None)) as other:
        database.say_if_locked(settings)
        assert caplog.text == ""

        other.execute("BEGIN IMMEDIATE")
        database.say_if_locked(settings)

    assert f"{tmp_path}/millrace.db is locked by another program: waiting for it" in caplog.text


@pytest.fixture
def hasty(
    template: Template,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Served]:
    """A server that is in a hurry once it is told to end."""
    monkeypatch.setattr(server, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(serve, "DRAIN_SECONDS", 1)
    monkeypatch.setattr(cloud, "GRACE_SECONDS", 0.05)
    caplog.set_level(logging.INFO)
    with serving(template, tmp_path) as served:
        yield served


def test_a_body_that_never_comes_is_not_waited_for(hasty: Served, caplog: pytest.LogCaptureFixture):
    address = (hasty.client.base_url.host, hasty.client.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(HALF_A_REQUEST)
        # Answered, so the one before it is being read.
        hasty.client.get("/nothing")

        hasty.server.end()

        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "Requests in hand: 1." in caplog.text
    assert "Traceback" not in caplog.text


def test_a_request_that_is_not_answered_in_time_is_503_and_no_traceback(
    hasty: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    running, done, answers = threading.Event(), threading.Event(), list[httpx.Response]()

    def hang(event: Any, context: Any, env: Any) -> dict[str, int]:
        running.set()
        done.wait(10)
        return {"statusCode": 200}

    monkeypatch.setitem(hasty.cloud.runtime._handlers, "Echo", hang)
    asking = threading.Thread(target=lambda: answers.append(hasty.client.get("/open/x")))
    asking.start()
    assert running.wait(5)

    hasty.server.end()
    asking.join(10)
    done.set()

    assert [answer.status_code for answer in answers] == [503]
    assert answers[0].json() == {"message": "Service Unavailable"}
    assert "Traceback" not in caplog.text
