"""The API over a real socket: what the gateway says itself, byte for byte, and what it passes on."""

import json
import logging
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest

from local.template import Template
from tests.unit.local.cloud.guard import app as guard
from tests.unit.local.conftest import Served

TEN_MB = 10 * 1024 * 1024


def answered(answer: Any) -> dict[str, str]:
    """Query parameters that make the function answer this."""
    return {"answer": json.dumps(answer)}


def assert_gateway_says(response: httpx.Response, status: int, message: str) -> None:
    assert response.status_code == status
    assert response.content == b'{"message":"' + message.encode() + b'"}'
    assert response.headers["content-type"] == "application/json"
    assert response.headers["apigw-requestid"]


def test_the_function_sees_the_request_that_was_sent(client: httpx.Client):
    response = client.post("/posted?a=1&a=2", json={"x": 1}, headers={"X-Case": "Kept"})

    event = response.json()
    assert event["routeKey"] == "POST /posted"
    assert event["rawQueryString"] == "a=1&a=2"
    assert event["body"] == '{"x":1}'
    assert event["headers"]["x-case"] == "Kept"
    assert event["requestContext"]["requestId"] == response.headers["apigw-requestid"]
    assert "authorizer" not in event["requestContext"]


def test_status_headers_and_cookies_reach_the_client(client: httpx.Client):
    answer = {
        "statusCode": 418,
        "headers": {"X-Tea": "yes"},
        "cookies": ["a=1", "b=2"],
        "body": "short and stout",
    }

    response = client.get("/open/x", params=answered(answer))

    assert (response.status_code, response.text) == (418, "short and stout")
    assert response.headers["x-tea"] == "yes"
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_an_answer_without_content_has_no_body(client: httpx.Client):
    response = client.get("/open/x", params=answered({"statusCode": 204}))

    assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nothing"), ("PUT", "/posted"), ("OPTIONS", "/posted")]
)
def test_what_no_route_takes_is_not_found(client: httpx.Client, method: str, path: str):
    assert_gateway_says(client.request(method, path), 404, "Not Found")


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"X-Authorization": "good"}])
def test_without_an_identity_the_answer_is_401_and_the_authorizer_is_not_asked(
    client: httpx.Client, headers: dict[str, str]
):
    before = len(guard.asked)

    response = client.get("/guarded/x", headers=headers)

    assert_gateway_says(response, 401, "Unauthorized")
    assert len(guard.asked) == before


def test_a_refused_identity_is_403(client: httpx.Client):
    assert_gateway_says(client.get("/guarded/x", headers={"Authorization": "bad"}), 403, "Forbidden")


@pytest.mark.parametrize("word", ["broken", "nonsense"])
def test_an_authorizer_that_fails_or_talks_nonsense_is_500(client: httpx.Client, word: str):
    response = client.get("/guarded/x", headers={"Authorization": word})

    assert_gateway_says(response, 500, "Internal Server Error")


def test_what_the_authorizer_says_reaches_the_function(client: httpx.Client):
    event = client.get("/guarded/x", headers={"Authorization": "good one"}).json()

    assert event["requestContext"]["authorizer"] == {"lambda": {"who": "good one"}}
    assert event["pathParameters"] == {"name": "x"}


def test_the_authorizer_is_asked_once_for_an_identity_whatever_the_route(client: httpx.Client):
    for path in ("/guarded/one", "/guarded/two"):
        assert client.get(path, headers={"Authorization": "good twice"}).status_code == 200

    [asked] = [event for event in guard.asked if event["identitySource"] == ["good twice"]]
    assert (asked["version"], asked["type"], asked["routeKey"]) == ("2.0", "REQUEST", "GET /guarded/{name}")
    assert asked["routeArn"] == "arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/guarded/one"
    assert "body" not in asked


def test_a_refusal_is_remembered_too(client: httpx.Client):
    for _ in range(2):
        assert client.get("/guarded/x", headers={"Authorization": "bad twice"}).status_code == 403

    assert len([event for event in guard.asked if event["identitySource"] == ["bad twice"]]) == 1


def test_a_function_that_fails_is_500(client: httpx.Client):
    assert_gateway_says(client.get("/open/x?fail=1"), 500, "Internal Server Error")


def test_what_goes_wrong_in_the_gateway_itself_is_500_in_its_words(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def break_down(name: str, event: Any) -> None:
        raise OSError("no disk")

    monkeypatch.setattr(served.cloud.runtime, "start", break_down)

    assert_gateway_says(served.client.get("/open/x"), 500, "Internal Server Error")
    assert "no disk" in caplog.text


def test_where_a_request_says_it_comes_from_is_not_believed(client: httpx.Client):
    event = client.get("/open/x", headers={"X-Forwarded-For": "203.0.113.9"}).json()

    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert event["headers"]["x-forwarded-for"] == "203.0.113.9, 127.0.0.1"


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/open/a-token", "ANY /open/{proxy+} -> 200"),
        ("/nowhere/a-token", "GET (no route) -> 404"),
        ("/__bucket/a-token", "GET /__bucket/{key} -> 403"),
    ],
)
def test_a_request_is_logged_by_its_route_and_never_by_its_path(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, path: str, named: str
):
    caplog.set_level(logging.INFO, "local")

    client.get(path)
    # The line is written once the answer is sent, and so before the next request is read.
    client.get("/nothing")

    lines = [record.getMessage() for record in caplog.records if record.name == "local"]
    assert any(line.startswith(named) for line in lines)
    assert "a-token" not in "".join(lines)


def test_an_answer_that_is_no_response_is_500(client: httpx.Client):
    response = client.get("/open/x", params=answered({"statusCode": 200, "body": {"not": "text"}}))

    assert_gateway_says(response, 500, "Internal Server Error")


def test_a_function_that_takes_longer_than_the_limit_is_503(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(served.cloud.gateway, "_limit_seconds", 0.05)

    assert_gateway_says(served.client.get("/open/x?sleep=0.3"), 503, "Service Unavailable")


def test_a_function_that_exceeds_its_own_timeout_first_is_500(
    client: httpx.Client, template: Template, monkeypatch: pytest.MonkeyPatch
):
    hasty = replace(template.functions["Echo"], timeout_seconds=0.05)
    monkeypatch.setitem(template.functions, "Echo", hasty)

    assert_gateway_says(client.get("/open/x?sleep=0.3"), 500, "Internal Server Error")


def test_ten_megabytes_are_taken(client: httpx.Client):
    response = client.post("/posted", content=b"x" * TEN_MB, params=answered("taken"))

    assert response.text == "taken"


def test_more_than_ten_megabytes_are_413(client: httpx.Client):
    response = client.post("/posted", content=b"x" * (TEN_MB + 1))

    assert_gateway_says(response, 413, "Request Entity Too Large")


def test_a_client_that_waits_for_a_word_is_told_413_before_it_sends(client: httpx.Client):
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.sendall(
            b"POST /posted HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 20000000\r\n\r\n"
        )

        assert connection.recv(1024).startswith(b"HTTP/1.1 413 ")


def test_requests_are_handled_at_the_same_time(client: httpx.Client):
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.get("/open/x?sleep=0.2"), range(8)))

    assert [one.status_code for one in answers] == [200] * 8
    assert max(one.elapsed.total_seconds() for one in answers) < 0.9
