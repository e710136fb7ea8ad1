"""`env.GPU` on RunPod, against servers that misbehave: what may have been done is told from what was not."""

import socket
import threading

import pytest

from millrace.bindings.calls import Api
from millrace.bindings.gpu.runpod import Runpod
from millrace.errors import GpuOrderRefused, GpuUnavailable
from tests.bindings.gpu_asking import ACTIONS, ENOUGH, SOON, FixedKey, failure_of, gpu_at, unanswered
from tests.bindings.loopback import refusing
from tests.bindings.model_server import Dripping, Told, misbehaving, model_server
from tests.runpod_bed import ENDPOINT, KEY


@pytest.mark.parametrize("job_id", ["../run", "a/b", "..", "a?b=c", "a#b", "a b", "a\r\nX: y", "ä", "\ud800"])
def test_an_id_is_one_part_of_the_path_whatever_is_in_it(job_id):
    with model_server(Told({}, status=404)) as server:
        assert gpu_at(server.url).status(job_id) is None

    (asked,) = server.asked
    prefix, _, part = asked.path.rpartition("/")
    assert prefix == f"/v2/{ENDPOINT}/status"
    assert part not in ("", ".", "..")
    assert not set(part) & set("?# .")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_an_order_that_is_not_accepted_would_not_be_the_next_time(status):
    with model_server(Told({"error": f"bad {KEY}"}, status=status)) as server:
        failure = failure_of("submit", gpu_at(server.url))

    assert isinstance(failure, GpuOrderRefused)
    assert not failure.transient


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", [301, 307, 401, 403, 408, 429])
def test_a_provider_that_says_no_for_now_has_done_nothing(action, status):
    with model_server(Told({"error": KEY}, status=status)) as server:
        failure = failure_of(action, gpu_at(server.url))

    assert isinstance(failure, GpuUnavailable)
    assert failure.transient
    assert str(status) in failure.message


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 524])
def test_a_provider_that_breaks_may_have_done_it(action, status):
    with model_server(Told(b"<html>", status=status)) as server:
        assert isinstance(failure_of(action, gpu_at(server.url)), unanswered(action))


@pytest.mark.parametrize("action", ACTIONS)
def test_where_nobody_listens_nothing_was_done(action):
    assert isinstance(failure_of(action, gpu_at(refusing())), GpuUnavailable)


@pytest.mark.parametrize("action", ["submit", "status"])
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[1]", b"<html>", b"{", b"[" * 100_000, b"{}", b'{"id": 7, "status": "x"}']
)
def test_an_answer_that_says_nothing_leaves_it_unknown(action, body):
    with model_server(Told(body)) as server:
        assert isinstance(failure_of(action, gpu_at(server.url)), unanswered(action))


def test_a_state_that_is_not_documented_is_not_guessed_at():
    with model_server(Told({"id": "e1", "status": "MELTED"})) as server:
        assert "status must be one of" in failure_of("status", gpu_at(server.url)).message


@pytest.mark.parametrize("body", [b"", b"null", b"<html>"])
def test_what_is_said_to_a_cancel_does_not_matter(body):
    with model_server(Told(body)) as server:
        gpu_at(server.url).cancel("e1")


@pytest.mark.parametrize("action", ACTIONS)
def test_a_body_without_end_is_cut_off(action):
    ended = threading.Event()

    def go_on(connection):
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 1_000)
        finally:
            ended.set()

    with misbehaving(go_on) as url:
        assert isinstance(failure_of(action, gpu_at(url, most_bytes=10_000)), unanswered(action))
        assert ended.wait(ENOUGH)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_server_that_answers_in_drips_is_given_up(action):
    dripping = Dripping(b"HTTP/1.1 200 OK\r\n\r\n")
    with misbehaving(dripping) as url:
        assert isinstance(failure_of(action, gpu_at(url, seconds=SOON)), unanswered(action))
        assert dripping.ended.wait(ENOUGH)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_line_that_is_cut_in_the_answer_leaves_it_unknown(action):
    def cut(connection):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id":')
        connection.shutdown(socket.SHUT_RDWR)

    with misbehaving(cut) as url:
        assert isinstance(failure_of(action, gpu_at(url)), unanswered(action))


def test_a_key_that_is_refused_is_asked_for_anew_the_next_time():
    key = FixedKey()
    with model_server(Told(status=401)) as server:
        gpu = Runpod(Api(server.url, key=key))
        failure_of("status", gpu)

    assert key.forgotten == 1
