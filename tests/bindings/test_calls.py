"""Whether a request that was not answered may have had an effect: what one must know before asking again."""

import socket
import threading

import pytest

from millrace.bindings import calls
from millrace.bindings.calls import Api, CallNotSent, CallUnanswered
from millrace.bindings.stopwatch import Deadline
from tests.bindings.loopback import accepting, refusing
from tests.bindings.model_server import Told, misbehaving, model_server

ENOUGH, SOON = 60, 0.2


def ask(url, *, seconds=ENOUGH, method="GET", content=None, **limits):
    return Api(url, **limits).ask(method, "/jobs", content=content, deadline=Deadline(seconds))


@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
def test_whatever_the_status_it_is_an_answer(status):
    with model_server(Told(b"", status=status, headers={"X-Told": "So"})) as server:
        response = ask(f"{server.url}/v2")

    assert (response.status, response.headers["x-told"]) == (status, "So")
    assert response.is_success == (status < 300)
    assert (server.asked[0].method, server.asked[0].path) == ("GET", "/v2/jobs")


def test_a_post_may_have_no_body():
    with model_server(Told({})) as server:
        ask(server.url, method="POST")

    assert server.asked[0].headers["content-length"] == "0"


def test_where_nobody_listens_nothing_was_sent():
    with pytest.raises(CallNotSent, match="cannot be reached"):
        ask(refusing())


def test_who_cannot_prove_who_they_are_was_sent_nothing():
    with (
        accepting(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as url,
        pytest.raises(CallNotSent, match="cannot be reached"),
    ):
        ask(url.replace("http:", "https:"))


def test_when_the_time_is_over_before_it_begins_nothing_was_sent():
    with model_server(Told({})) as server, pytest.raises(CallNotSent) as failed:
        ask(server.url, seconds=0)

    assert failed.value.timed_out
    assert server.asked == []


def test_a_connection_that_comes_about_after_nobody_waits_any_longer_is_not_used(monkeypatch):
    """Or it would be said that nothing was sent, and then it would be."""
    released, ended = threading.Event(), threading.Event()
    connect = calls.Line._connect

    def connect_late(line):
        released.wait(ENOUGH)
        # As long as it takes, there is time left: only that nobody waits ends it.
        line._deadline = Deadline(None)
        return connect(line)

    def exchange(line, *given, **named):
        try:
            return whole_exchange(line, *given, **named)
        finally:
            ended.set()

    whole_exchange = calls.Line.exchange
    monkeypatch.setattr(calls.Line, "_connect", connect_late)
    monkeypatch.setattr(calls.Line, "exchange", exchange)
    with model_server(Told({})) as server:
        with pytest.raises(CallNotSent):
            ask(server.url, seconds=SOON)
        released.set()
        assert ended.wait(ENOUGH)

    assert server.asked == []


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_line_that_is_cut_after_the_request_leaves_unknown_what_came_of_it(beginning):
    def cut(connection):
        connection.sendall(beginning)
        connection.shutdown(socket.SHUT_RDWR)

    with misbehaving(cut) as url, pytest.raises(CallUnanswered, match="hung up") as failed:
        ask(url, method="POST", content=b"{}")

    assert not failed.value.timed_out


def test_a_server_that_is_silent_after_the_request_leaves_unknown_what_came_of_it():
    released = threading.Event()
    with misbehaving(lambda connection: released.wait()) as url:
        with pytest.raises(CallUnanswered) as failed:
            ask(url, seconds=SOON)
        released.set()

    assert failed.value.timed_out


def test_a_server_that_takes_half_of_the_request_leaves_unknown_what_came_of_it():
    def read_a_little(connection):
        connection.recv(1_000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with accepting(read_a_little) as url, pytest.raises(CallUnanswered):
        ask(url, method="POST", content=b"x" * 20_000_000)


def test_an_answer_that_is_too_large_leaves_unknown_what_came_of_it():
    with model_server(Told(b"x" * 1_001)) as server, pytest.raises(CallUnanswered, match="1,000 bytes"):
        ask(server.url, most_bytes=1_000)
