"""HTTP as payload 2.0, and answers as HTTP."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from local.payload import AnswerInvalid, HttpRequest, to_event, to_response

NOW = datetime(2025, 12, 17, 10, 0, 5, 250_000, UTC)


def event_of(
    *,
    method: str = "POST",
    path: str = "/pets/7",
    query: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    path_parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    request = HttpRequest(
        method=method,
        path=path,
        query=query,
        headers=[("host", "localhost:8787"), *headers],
        body=body,
        protocol="HTTP/1.1",
        source_ip="127.0.0.1",
        host="localhost",
        port=8787,
    )
    return to_event(
        request,
        route_key="POST /pets/{id}",
        path_parameters=path_parameters or {},
        request_id="id-1",
        now=NOW,
    )


def test_the_context_says_who_asked_for_what_and_when():
    event = event_of(headers=(("user-agent", "curl/8"),))

    assert event["version"] == "2.0"
    assert event["routeKey"] == "POST /pets/{id}"
    assert event["requestContext"] == {
        "accountId": "123456789012",
        "apiId": "local",
        "domainName": "localhost",
        "domainPrefix": "localhost",
        "http": {
            "method": "POST",
            "path": "/pets/7",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "curl/8",
        },
        "requestId": "id-1",
        "routeKey": "POST /pets/{id}",
        "stage": "$default",
        "time": "17/Dec/2025:10:00:05 +0000",
        "timeEpoch": 1765965605250,
    }


def test_what_a_request_does_not_have_is_left_out():
    event = event_of()

    assert event["isBase64Encoded"] is False
    assert not {"body", "cookies", "queryStringParameters", "pathParameters"} & event.keys()


def test_the_path_is_decoded_and_the_query_is_not():
    event = event_of(path="/pets/a%20b", query="q=a%20b")

    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/pets/a b"
    assert event["rawQueryString"] == "q=a%20b"


def test_repeated_headers_and_parameters_are_joined_with_commas():
    event = event_of(query="a=1&a=2&b=&c=x+y%26", headers=(("x-many", "1"), ("x-many", "2")))

    assert event["headers"]["x-many"] == "1,2"
    assert event["queryStringParameters"] == {"a": "1,2", "b": "", "c": "x y&"}


def test_cookies_are_a_list_and_no_header():
    event = event_of(headers=(("cookie", "a=1; b=2"), ("cookie", "c=3")))

    assert event["cookies"] == ["a=1", "b=2", "c=3"]
    assert "cookie" not in event["headers"]


def test_the_headers_that_the_gateway_adds_are_there():
    headers = event_of(body=b"{}", headers=(("x-forwarded-for", "10.0.0.1"),))["headers"]

    assert headers["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
    assert (headers["x-forwarded-port"], headers["x-forwarded-proto"]) == ("8787", "http")
    assert headers["x-amzn-trace-id"].startswith("Root=1-69427f25-")
    assert headers["content-length"] == "2"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "text/plain", "application/xml"]
)
def test_text_arrives_as_text(content_type: str):
    event = event_of(body="naïve".encode(), headers=(("content-type", content_type),))

    assert (event["body"], event["isBase64Encoded"]) == ("naïve", False)


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/x-www-form-urlencoded", "application/problem+json", ""]
)
def test_everything_else_arrives_in_base64(content_type: str):
    event = event_of(body=b"\x00\xff", headers=(("content-type", content_type),))

    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\x00\xff", True)


def test_text_that_is_not_utf_8_keeps_its_bytes():
    event = event_of(body=b"\xff{}", headers=(("content-type", "application/json"),))

    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\xff{}", True)


def test_an_answer_has_its_status_headers_cookies_and_body():
    response = to_response(
        {
            "statusCode": 201,
            "headers": {"X-A": 1, "Content-Type": "a/b"},
            "cookies": ["c=1", "d=2"],
            "body": "é",
        }
    )

    assert response.status == 201
    assert response.headers == [
        ("x-a", "1"),
        ("content-type", "a/b"),
        ("set-cookie", "c=1"),
        ("set-cookie", "d=2"),
    ]
    assert response.body == "é".encode()


def test_a_body_without_a_type_is_plain_text():
    assert ("content-type", "text/plain;charset=UTF-8") in to_response(
        {"statusCode": 200, "body": "x"}
    ).headers


def test_an_answer_in_base64_is_decoded():
    assert to_response({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}).body == b"\x00\xff"


@pytest.mark.parametrize(("answer", "body"), [("hello", b"hello"), ({"a": 1}, b'{"a":1}'), ([1], b"[1]")])
def test_an_answer_without_a_status_is_the_body_of_a_200(answer: Any, body: bytes):
    response = to_response(answer)

    assert (response.status, response.body) == (200, body)
    assert response.headers == [("content-type", "application/json")]


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "none"},
        {"statusCode": 99},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": "x"},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
)
def test_an_answer_that_is_no_response_is_refused(answer: Any):
    with pytest.raises(AnswerInvalid):
        to_response(answer)
