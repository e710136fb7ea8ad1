"""One call of a provider's HTTP API: bounded in time and size, and nothing of it leaks."""

import http.client
import json
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

from millrace.bindings.stopwatch import Deadline
from millrace.bindings.waiting import wait_at_most
from millrace.errors import (
    InsufficientDocuments,
    JobFailure,
    ModelAnswerInvalid,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
)

CONNECT_SECONDS = 5
MOST_BYTES = 2_000_000
# Of what a server says of an error, only what cannot quote a key or a document.
ERROR_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
REFUSALS = frozenset({"content_filter", "content_policy_violation"})

TOOK_TOO_LONG = "The model took longer than it may."


@dataclass(frozen=True, slots=True)
class Response:
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Key(Protocol):
    """Call it for a provider's key. It may be kept for a while, until it is to `forget`."""

    def __call__(self) -> str: ...

    def forget(self) -> None: ...


class Api:
    """A provider's API at a base address, with a bearer token where one is needed.

    http.client and not urllib3, which boto3 brings: one connection for one request is all that is wanted, it
    is imported in a third of the time (some 20 ms), is there wherever Python is, and follows no redirect. So
    the key goes nowhere but to the address that was configured.
    """

    def __init__(self, url: str, *, key: Key | None = None, most_bytes: int = MOST_BYTES):
        self._url = urlsplit(url)
        self._key = key
        self._most_bytes = most_bytes

    def post(self, path: str, body: Mapping[str, Any], *, deadline: Deadline) -> dict[str, Any]:
        """The JSON object it answers. All else comes out as a JobFailure, and without its cause: what went
        over the wire must not reach a log.
        """
        response = self._exchange(path, content=json.dumps(body).encode(), deadline=deadline)
        answer = read_object(response.body)
        if response.status == 401 and self._key is not None:
            self._key.forget()
        if not 200 <= response.status < 300:
            raise failure_for(response.status, headers=response.headers, code=error_code(answer))
        if answer is None:
            raise ModelUnavailable("The model's provider answered what is no JSON object.")
        return answer

    def _exchange(self, path: str, *, content: bytes, deadline: Deadline) -> Response:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "millrace"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key()}"
        line = Line(self._connection(), deadline=deadline)

        def work() -> Response:
            return line.post(f"{self._url.path}{path}", content, headers=headers, most_bytes=self._most_bytes)

        try:
            return wait_at_most(deadline.left(), work=work)
        except TimeoutError:
            raise ModelTimeout(TOOK_TOO_LONG) from None
        except (OSError, http.client.HTTPException) as error:
            raise ModelUnavailable(f"The model's provider hung up ({type(error).__name__}).") from None
        finally:
            line.cut()

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=tls())


class Line:
    """One connection, for one request. It may be cut while another thread waits on it."""

    def __init__(self, connection: http.client.HTTPConnection, *, deadline: Deadline):
        self._connection = connection
        self._deadline = deadline
        self._socket: socket.socket | None = None

    def post(self, path: str, content: bytes, *, headers: dict[str, str], most_bytes: int) -> Response:
        try:
            self._connect().settimeout(self._deadline.left())
            self._connection.request("POST", path, body=content, headers=headers)
            with self._connection.getresponse() as response:
                body = response.read(most_bytes + 1)
        finally:
            self._connection.close()
        if len(body) > most_bytes:
            raise ModelUnavailable(f"The model's provider answered more than {most_bytes:,} bytes.")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def cut(self) -> None:
        """For who still waits it is as if the server had hung up, so their thread comes to its end."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> socket.socket:
        try:
            self._connection.connect()
        except OSError as error:
            raise ModelUnavailable(
                f"The model's provider cannot be reached ({type(error).__name__})."
            ) from None
        # Kept here: the connection forgets it once it has read that the server will close.
        self._socket = self._connection.sock
        return self._socket


@cache
def tls() -> ssl.SSLContext:
    """It trusts whom the system trusts, and compares names. Reading the roots takes some 20 ms, so once."""
    return ssl.create_default_context()


def failure_for(status: int, *, headers: Mapping[str, str], code: str | None) -> JobFailure:
    """What an HTTP status of a provider's means to a job."""
    said = f"{status}, {code}" if code else f"{status}"
    if code in REFUSALS:
        return ModelAnswerInvalid(
            f"The model's provider refuses to answer ({said}). A person has to look at this."
        )
    if status == 408:
        return ModelTimeout(TOOK_TOO_LONG)
    if status == 413:
        return InsufficientDocuments(f"The documents are too large for the model ({said}).")
    if status in (401, 403, 404, 424, 425, 429) or status < 400 or status >= 500:
        return ModelUnavailable(
            f"The model cannot be asked at the moment ({said}).", retry_after_seconds=retry_after(headers)
        )
    return ProcessingError(f"The model's provider did not accept the question ({said}).")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, or a date: then by the server's own clock, since ours may differ from it."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        return float(value)
    try:
        wanted, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, (wanted - now).total_seconds())
    except (ValueError, TypeError):
        return None


def read_object(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def error_code(answer: Mapping[str, Any] | None) -> str | None:
    """As OpenAI says it ({"error": {"code": …}}) and as Cloudflare does ({"errors": [{"code": …}]})."""
    if answer is None:
        return None
    errors = answer.get("errors")
    error = errors[0] if isinstance(errors, list) and errors else answer.get("error", answer)
    if not isinstance(error, dict):
        return None
    code = str(error.get("code") or error.get("type") or "")
    return code if ERROR_CODE.fullmatch(code) else None
