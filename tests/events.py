"""What Lambda gives a function: the files in events/, HTTP requests with anything in them, and a context."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from millrace.env import Config, Env

EVENTS = Path(__file__).parent.parent / "events"
CALLER = {
    "tenant_id": "tenant_demo",
    "user_id": "user_demo",
    "key_id": "key_demo",
    "scopes": "things:read things:write",
    "tier": "pro",
}


@dataclass
class Context:
    """Lambda's context, with as much time left as a test likes."""

    function_name: str = "a_function"
    aws_request_id: str = "lambda-request-1"
    milliseconds_left: int = 300_000

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds_left


def read_event(name: str) -> dict[str, Any]:
    """The event of that name, such as create_job/minimal."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def http_event(
    method: str = "POST",
    path: str = "/things/thing_1",
    *,
    query: str = "",
    body: str | None = None,
    base64: bool = False,
    headers: dict[str, str] | None = None,
    caller: dict[str, str] | None = CALLER,
) -> dict[str, Any]:
    """As API Gateway sends it: header names in lower case, the caller as the authorizer told of it."""
    event = {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": {
            "requestId": "gateway-request-1",
            "stage": "$default",
            "http": {"method": method, "path": path, "sourceIp": "203.0.113.7"},
            "authorizer": {"lambda": caller} if caller else {},
        },
        "isBase64Encoded": base64,
    }
    event = asking(event, query) if query else event
    return event if body is None else {**event, "body": body}


def asking(event: dict[str, Any], query: str) -> dict[str, Any]:
    """The same event with a query."""
    return {**event, "rawQueryString": query, "queryStringParameters": joined(query)}


def joined(query: str) -> dict[str, str]:
    """As API Gateway tells of it: what comes twice is one value with a comma in it."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


def env_without_a_world(**given: Any) -> Env:
    """For tests of what touches neither database nor network. `given` as Env takes it."""
    return Env(Config(database_url="sqlite:////nowhere/at-all.db"), **given)


def said(answer: dict[str, Any]) -> dict[str, Any]:
    """The body of an answer."""
    body: dict[str, Any] = json.loads(answer["body"])
    return body
