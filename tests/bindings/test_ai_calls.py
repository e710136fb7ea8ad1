"""The one way in which providers of models are called: what a server may do, and what comes of it."""

import socket
import threading
import traceback

import pytest

from millrace.bindings.ai.calls import Api, retry_after
from millrace.bindings.stopwatch import Deadline
from millrace.errors import (
    InsufficientDocuments,
    JobFailure,
    ModelAnswerInvalid,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
)
from tests.bindings.loopback import accepting, refusing
from tests.bindings.model_server import Dripping, Told, misbehaving, model_server

SECRET = "not-to-be-told-4471"
# For servers that answer. Those that never do are given up soon: only the end of the time can end that.
ENOUGH, SOON = 60, 0.2
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class FixedKey:
    def __init__(self):
        self.forgotten = 0

    def __call__(self):
        return SECRET

    def forget(self):
        self.forgotten += 1


def post(url, *, seconds=ENOUGH, key=None, **limits):
    api = Api(f"{url}/v1", key=key or FixedKey(), **limits)
    return api.post("/chat", {"text": "of a document"}, deadline=Deadline(seconds))


def failure_at(url, **named):
    with pytest.raises(JobFailure) as failed:
        post(url, **named)
    assert SECRET not in "".join(traceback.format_exception(failed.value)) + repr(failed.value)
    assert failed.value.__cause__ is None
    return failed.value


def test_a_question_is_posted_as_json_with_the_key_and_the_answer_is_read():
    with model_server(Told({"said": "hello"})) as server:
        assert post(server.url) == {"said": "hello"}

    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/v1/chat", {"text": "of a document"})
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["content-type"] == "application/json"


def test_without_a_key_none_is_sent():
    with model_server(Told({})) as server:
        Api(server.url).post("/chat", {}, deadline=Deadline(ENOUGH))

    assert "authorization" not in server.asked[0].headers


def test_no_compressed_answer_is_asked_for_which_could_inflate_without_bounds():
    with model_server(Told({})) as server:
        post(server.url)

    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, ModelUnavailable),
        (400, ProcessingError),
        (401, ModelUnavailable),
        (403, ModelUnavailable),
        (404, ModelUnavailable),
        (408, ModelTimeout),
        (413, InsufficientDocuments),
        (422, ProcessingError),
        (429, ModelUnavailable),
        (500, ModelUnavailable),
        (503, ModelUnavailable),
        (529, ModelUnavailable),
    ],
)
def test_a_status_means_what_the_table_of_errors_says(status, error):
    with model_server(Told({"error": {"message": SECRET, "code": "some_code"}}, status=status)) as server:
        failure = failure_at(server.url)

    assert type(failure) is error
    assert error is ModelTimeout or f"{status}, some_code" in failure.message


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "content_filter"}},
        {"error": {"code": "content_policy_violation", "type": "invalid_request_error"}},
    ],
)
def test_a_question_that_is_refused_for_what_it_holds_needs_a_person(body):
    with model_server(Told(body, status=400)) as server:
        assert isinstance(failure_at(server.url), ModelAnswerInvalid)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"success": False, "errors": [{"code": 5016, "message": "terms"}]}, "(403, 5016)"),
        ({"error": {"message": "no", "type": "permission"}}, "(403, permission)"),
        ({"error": f"key {SECRET}"}, "(403)"),
        ({"error": {"code": f"key {SECRET}"}}, "(403)"),
        ({"error": {"code": "a1b2C3d4E5f6g7H8"}}, "(403)"),
        ({"errors": []}, "(403)"),
        ([1], "(403)"),
        (b"<html>", "(403)"),
    ],
)
def test_of_what_a_server_says_of_an_error_only_a_plain_code_is_repeated(body, said):
    with model_server(Told(body, status=403)) as server:
        assert said in failure_at(server.url).message


def test_a_server_that_is_overloaded_says_when_to_come_again():
    with model_server(Told(status=429, headers={"Retry-After": "17"})) as server:
        assert failure_at(server.url).retry_after_seconds == 17


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 0),
        ({"retry-after": "1.5"}, 1.5),
        (
            {"retry-after": "Wed, 17 Dec 2025 10:02:00 GMT", "date": "Wed, 17 Dec 2025 10:00:00 GMT"},
            120,
        ),
        ({"retry-after": "Wed, 17 Dec 2025 09:00:00 GMT", "date": "Wed, 17 Dec 2025 10:00:00 GMT"}, 0),
        ({"retry-after": "Wed, 17 Dec 2025 10:02:00 GMT"}, None),
        ({"retry-after": "Wed, 17 Dec 2025 10:02:00 -0000", "date": "Wed, 17 Dec 2025 10:00:00 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "9" * 400}, None),
        ({}, None),
    ],
)
def test_when_to_come_again_is_a_number_of_seconds_or_a_date_by_the_server_s_own_clock(headers, seconds):
    assert retry_after(headers) == seconds


def test_a_key_that_is_refused_is_asked_for_anew_the_next_time():
    key = FixedKey()
    with model_server(Told(status=401)) as server:
        failure_at(server.url, key=key)

    assert key.forgotten == 1


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[1]", b'"text"', b"[" * 100_000])
def test_an_answer_that_is_no_json_object_is_a_broken_provider(body):
    with model_server(Told(body)) as server:
        assert isinstance(failure_at(server.url), ModelUnavailable)


def test_a_server_that_does_not_answer_is_given_up():
    released = threading.Event()
    with misbehaving(lambda connection: released.wait()) as url:
        failure = failure_at(url, seconds=SOON)
        released.set()

    assert isinstance(failure, ModelTimeout)


@pytest.mark.parametrize(
    "beginning",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", OK + b"\r\n", OK + b"Content-Length: 1000000\r\n\r\n"],
    ids=["nothing", "headers", "a body without end", "a long body"],
)
def test_a_server_that_answers_in_drips_is_given_up_and_cut_off(beginning):
    dripping = Dripping(beginning)
    with misbehaving(dripping) as url:
        failure = failure_at(url, seconds=SOON)
        cut_off = dripping.ended.wait(ENOUGH)

    assert isinstance(failure, ModelTimeout)
    assert cut_off


def test_a_server_that_does_not_even_take_the_question_is_given_up():
    released = threading.Event()
    with accepting(lambda connection: released.wait()) as url:
        api = Api(url)
        with pytest.raises(ModelTimeout):
            api.post("/chat", {"text": "x" * 20_000_000}, deadline=Deadline(SOON))
        released.set()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        OK + b'Content-Length: 100\r\n\r\n{"said":',
        OK + b'Transfer-Encoding: chunked\r\n\r\n40\r\n{"said":',
        b"\x16\x03\x01 what is this?\r\n\r\n",
    ],
    ids=["at once", "in the headers", "in the body", "in a chunk", "no HTTP"],
)
def test_a_connection_that_is_cut_is_a_provider_out_of_reach(beginning):
    def cut(connection):
        connection.sendall(beginning)
        connection.shutdown(socket.SHUT_RDWR)

    with misbehaving(cut) as url:
        assert isinstance(failure_at(url), ModelUnavailable)


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (OK + b"\r\n", b"x" * 1_000),
        (OK + b"Content-Length: 999999999999\r\n\r\n", b"x" * 1_000),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"a\r\nxxxxxxxxxx\r\n"),
    ],
    ids=["until it is closed", "as long as announced", "in chunks"],
)
def test_of_a_body_without_end_no_more_is_read_than_an_answer_may_have(beginning, piece):
    ended = threading.Event()

    def go_on(connection):
        try:
            connection.sendall(beginning)
            while True:
                connection.sendall(piece)
        finally:
            ended.set()

    with misbehaving(go_on) as url:
        failure = failure_at(url, most_bytes=10_000)
        cut_off = ended.wait(ENOUGH)

    assert isinstance(failure, ModelUnavailable)
    assert "10,000 bytes" in failure.message
    assert cut_off


def test_headers_without_end_are_a_broken_provider():
    def go_on(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Again: and again\r\n")

    with misbehaving(go_on) as url:
        assert isinstance(failure_at(url), ModelUnavailable)


def test_a_redirect_is_not_followed_so_the_key_goes_nowhere_else():
    with (
        model_server(Told({"said": "gotcha"})) as other,
        model_server(Told(status=307, headers={"Location": f"{other.url}/v1/chat"})) as server,
    ):
        failure = failure_at(server.url)

    assert isinstance(failure, ModelUnavailable)
    assert other.asked == []


def test_where_nobody_listens_the_provider_is_out_of_reach():
    assert isinstance(failure_at(refusing()), ModelUnavailable)


def test_when_the_time_is_over_before_it_begins_nothing_is_asked():
    with model_server(Told()) as server:
        failure = failure_at(server.url, seconds=0)

    assert isinstance(failure, ModelTimeout)
    assert server.asked == []
