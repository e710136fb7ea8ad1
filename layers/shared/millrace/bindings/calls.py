"""One call of an HTTP API, bounded in time and size; nothing of it leaks, and it is known if it was sent."""

import http.client
import json
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

from millrace.bindings.stopwatch import Deadline
from millrace.bindings.waiting import wait_at_most
from millrace.errors import MillraceError

CONNECT_SECONDS = 5
MOST_BYTES = 2_000_000


class CallFailed(MillraceError):
    """There is no answer. The message says what the server did, without what went over the wire."""

    def __init__(self, what: str, *, timed_out: bool = False):
        self.timed_out = timed_out
        super().__init__(what)


class CallNotSent(CallFailed):
    """The request has not left this machine and will not: it has certainly had no effect."""


class CallUnanswered(CallFailed):
    """The request was sent, at least in part. What came of it is unknown."""


@dataclass(frozen=True, slots=True)
class Response:
    """`headers` by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class ApiToken(Protocol):
    """Call it for the key of an API. It may be kept for a while, until it is to `forget`."""

    def __call__(self) -> str: ...

    def forget(self) -> None: ...


class Api:
    """A provider's API at a base address, with a bearer token where one is needed.

    http.client and not urllib3, which boto3 brings: one connection for one request is all that is wanted, it
    is imported in a third of the time (some 20 ms), is there wherever Python is, and follows no redirect. So
    the key goes nowhere but to the address that was configured.
    """

    def __init__(self, url: str, *, key: ApiToken | None = None, most_bytes: int = MOST_BYTES):
        self._url = urlsplit(url)
        self._key = key
        self._most_bytes = most_bytes

    def ask(self, method: str, path: str, *, deadline: Deadline, content: bytes | None = None) -> Response:
        """What is answered, whatever its status. Raises CallNotSent or CallUnanswered, without the cause."""
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "millrace"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key()}"
        line = Line(self._connection(), deadline=deadline, most_bytes=self._most_bytes)

        def work() -> Response:
            return line.exchange(method, f"{self._url.path}{path}", content=content, headers=headers)

        try:
            response = wait_at_most(deadline.left(), work=work)
        except TimeoutError:
            failed = CallUnanswered if line.cut() else CallNotSent
            raise failed("took too long", timed_out=True) from None
        except (OSError, http.client.HTTPException) as error:
            raise CallUnanswered(f"hung up ({type(error).__name__})") from None
        finally:
            line.cut()
        if response.status == 401 and self._key is not None:
            self._key.forget()
        return response

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=tls())


class Line:
    """One connection, for one request. It may be cut while another thread waits on it."""

    def __init__(self, connection: http.client.HTTPConnection, *, deadline: Deadline, most_bytes: int):
        self._connection = connection
        self._deadline = deadline
        self._most_bytes = most_bytes
        self._socket: socket.socket | None = None
        self._deciding = threading.Lock()
        self._is_cut = False
        self._is_sent = False

    def exchange(self, method: str, path: str, *, content: bytes | None, headers: dict[str, str]) -> Response:
        try:
            self._connect().settimeout(self._deadline.left())
            self._begin_to_send()
            self._connection.request(method, path, body=content, headers=headers)
            with self._connection.getresponse() as response:
                body = response.read(self._most_bytes + 1)
        finally:
            self._connection.close()
        if len(body) > self._most_bytes:
            raise CallUnanswered(f"answered more than {self._most_bytes:,} bytes")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def cut(self) -> bool:
        """For who still waits it is as if the server had hung up, so their thread comes to its end.

        Whether something was sent. If not, nothing will be.
        """
        with self._deciding:
            self._is_cut = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        return self._is_sent

    def _connect(self) -> socket.socket:
        try:
            self._connection.connect()
        except OSError as error:
            raise CallNotSent(f"cannot be reached ({type(error).__name__})") from None
        # Kept here: the connection forgets it once it has read that the server will close.
        self._socket = self._connection.sock
        return self._socket

    def _begin_to_send(self) -> None:
        with self._deciding:
            if self._is_cut:
                raise TimeoutError("nobody waits any longer")
            self._is_sent = True


@cache
def tls() -> ssl.SSLContext:
    """It trusts whom the system trusts, and compares names. Reading the roots takes some 20 ms, so once."""
    return ssl.create_default_context()


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
    """The JSON object in it, or None."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
