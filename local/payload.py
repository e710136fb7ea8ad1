"""An HTTP request as API Gateway's payload 2.0, and a function's answer as an HTTP response."""

import base64
import binascii
import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.intrinsics import ACCOUNT_ID

API_ID = "local"
STAGE = "$default"
# Only these arrive as text; anything else, a form included, arrives in base64.
TEXT_TYPES = {"application/json", "application/xml", "application/javascript"}
DEFAULT_TYPE = "text/plain;charset=UTF-8"
STATUSES = range(100, 600)


class AnswerInvalid(Exception):
    """The function's answer is not one that API Gateway can turn into a response."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`path` is as the client sent it, still percent-encoded. Header names are lower-case."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    protocol: str
    source_ip: str
    host: str
    port: int

    def header(self, name: str) -> str | None:
        """All values of a header, with commas between them. None when it was not sent."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def new_request_id() -> str:
    return base64.b64encode(os.urandom(11)).decode()


def to_event(
    request: HttpRequest, *, route_key: str, path_parameters: dict[str, str], request_id: str, now: datetime
) -> dict[str, Any]:
    """The event of payload format 2.0. What a request does not have is left out, as API Gateway does."""
    path = unquote(request.path, errors="replace")
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        "headers": _headers(request, now=now),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent") or "",
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": STAGE,
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "timeEpoch": int(now.timestamp() * 1000),
        },
        "isBase64Encoded": False,
    }
    if cookies := request.header("cookie"):
        event["cookies"] = [cookie.strip() for cookie in cookies.replace(",", ";").split(";")]
    if request.query:
        event["queryStringParameters"] = _query(request.query)
    if path_parameters:
        event["pathParameters"] = path_parameters
    if request.body:
        event["body"], event["isBase64Encoded"] = _body(request)
    return event


def to_response(answer: Any) -> HttpResponse:
    """What the client gets. An answer without a status is taken for the body of a 200.

    Raises AnswerInvalid.
    """
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer if isinstance(answer, str) else json.dumps(answer, separators=(",", ":"))
        return HttpResponse(200, [("content-type", "application/json")], body.encode())
    headers = _answer_headers(answer)
    body_bytes = _answer_body(answer)
    if body_bytes and not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", DEFAULT_TYPE))
    return HttpResponse(_status(answer["statusCode"]), headers, body_bytes)


def _headers(request: HttpRequest, *, now: datetime) -> dict[str, str]:
    """The client's headers but for its cookies, and those that API Gateway adds."""
    joined: dict[str, str] = {}
    for name, value in request.headers:
        if name != "cookie":
            joined[name] = f"{joined[name]},{value}" if name in joined else value
    forwarded = joined.get("x-forwarded-for")
    return joined | {
        "content-length": str(len(request.body)),
        "x-amzn-trace-id": f"Root=1-{int(now.timestamp()):08x}-{os.urandom(12).hex()}",
        "x-forwarded-for": f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip,
        "x-forwarded-port": str(request.port),
        "x-forwarded-proto": "http",
    }


def _query(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(request: HttpRequest) -> tuple[str, bool]:
    content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if content_type.startswith("text/") or content_type in TEXT_TYPES:
        try:
            return request.body.decode("utf-8"), False
        except UnicodeDecodeError:
            # Base64 keeps the bytes as they came, so that the function sees what was wrong with them.
            return base64.b64encode(request.body).decode(), True
    return base64.b64encode(request.body).decode(), True


def _status(given: Any) -> int:
    status = int(given) if isinstance(given, str) and given.isdecimal() else given
    if isinstance(status, bool) or not isinstance(status, int) or status not in STATUSES:
        raise AnswerInvalid(f"statusCode {given!r}")
    return status


def _answer_headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    headers = answer.get("headers") or {}
    cookies = answer.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise AnswerInvalid("headers must be an object and cookies a list")
    for value in [*headers.values(), *cookies]:
        if isinstance(value, (dict, list)):
            raise AnswerInvalid(f"header value {value!r}")
    pairs = [(name.lower(), _header_text(value)) for name, value in headers.items() if value is not None]
    return pairs + [("set-cookie", _header_text(cookie)) for cookie in cookies]


def _header_text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not text.isprintable():
        raise AnswerInvalid(f"header value {text!r}")
    return text


def _answer_body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise AnswerInvalid("body must be a string")
    if not answer.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AnswerInvalid("body is not base64") from error
