"""A provider of models on 127.0.0.1: it answers as it is told, and remembers what it was asked."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bindings.loopback import QuietHandler, accepting, serving


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, its headers by their names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be answered: `body` is JSON, or bytes as they are."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(slots=True)
class ModelServer:
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def model_server(*told: Told) -> Iterator[ModelServer]:
    """Answers one after the other, the last again and again."""
    left, server = list(told), ModelServer()

    class Handler(QuietHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.asked.append(Asked(self.command, self.path, headers, json.loads(body or b"{}")))
            answer = left.pop(0) if len(left) > 1 else left[0]
            given = {"Content-Type": "application/json", **answer.headers}
            self.answer(answer.status, body=answer.content(), headers=given)

    with serving(Handler) as server.url:
        yield server


def read_request(connection: socket.socket) -> bytes:
    """One whole request, its body too. Nothing when the caller hangs up before."""
    received = b""
    while b"\r\n\r\n" not in received:
        if not (piece := connection.recv(65_536)):
            return b""
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    length = int(next(lengths, b":0").partition(b":")[2])
    while len(body) < length and (piece := connection.recv(65_536)):
        body += piece
    return head + b"\r\n\r\n" + body


@contextmanager
def misbehaving(treat: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads the whole request before it misbehaves. That its callers hang up is no fault."""

    def serve(connection: socket.socket) -> None:
        try:
            read_request(connection)
            treat(connection)
        except OSError:
            pass

    with accepting(serve) as url:
        yield url


class Dripping:
    """Begins as it is told to, and goes on byte by byte until the caller has hung up: then it has `ended`."""

    def __init__(self, beginning: bytes):
        self._beginning = beginning
        self.ended = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        try:
            connection.sendall(self._beginning)
            while not self.ended.wait(0.01):
                connection.sendall(b"x")
        finally:
            self.ended.set()
