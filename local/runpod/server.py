"""RunPod on 127.0.0.1: the parts put together, served over HTTP, and kept going by the clock."""

import logging
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from local.runpod.jobs import Clock, Endpoint
from local.runpod.limits import RateLimit
from local.runpod.mischief import Fault, Mischief
from local.runpod.operations import Answer, Operations, Request, refusal
from local.runpod.relay import Lost, Relay
from local.runpod.webhooks import Outbox
from local.runpod.workers import Fleet, Launch

logger = logging.getLogger("local")

HOST = "127.0.0.1"
# "/run requests have a maximum payload size of 10 MB"
MOST_BYTES = 10_000_000
HANG_SECONDS = 600
TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Wanted:
    """How it is to be. `port` 0 is any that is free."""

    launch: Launch
    endpoint: str = "local"
    key: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    most_workers: int = 3
    port: int = 0
    mischief: Mischief = field(default_factory=Mischief)
    clock: Clock = time.time
    wait: Callable[[float], object] = time.sleep


class LocalRunpod:
    """`with LocalRunpod(wanted) as runpod:` serves; `run` also lets time pass, which else `tend` does."""

    def __init__(self, wanted: Wanted):
        self._wanted = wanted
        self._ending = threading.Event()
        self._server = Server((HOST, wanted.port), self._handler())
        self._threads = [threading.Thread(target=self._server.serve_forever, args=[0.05])]
        self.endpoint = Endpoint(clock=wanted.clock, most_workers=wanted.most_workers)
        worker_key = secrets.token_urlsafe(16)
        self.fleet = Fleet(
            self.endpoint,
            launch=wanted.launch,
            most=wanted.most_workers,
            clock=wanted.clock,
            variables=self._variables(worker_key),
        )
        self.outbox = Outbox(self.endpoint, clock=wanted.clock, mischief=wanted.mischief)
        self.relay = Relay(wanted.mischief, wait=wanted.wait)
        self.operations = Operations(
            self.endpoint,
            name=wanted.endpoint,
            key=wanted.key,
            worker_key=worker_key,
            fleet=self.fleet,
            limit=RateLimit(wanted.clock),
            mischief=wanted.mischief,
            relay=self.relay,
        )

    @property
    def url(self) -> str:
        """What RUNPOD_ENDPOINT_BASE_URL is to say."""
        return f"{self._root}/v2"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self.endpoint.close()
        self._server.shutdown()
        for thread in self._threads:
            thread.join()
        self.fleet.close()
        self._server.server_close()

    def go_on_by_itself(self) -> Self:
        """From now on time passes without `tend`. Webhooks apart: whoever is told may be slow."""
        for step in (self._mind, self.outbox.deliver):
            thread = threading.Thread(target=self._repeat, args=[step])
            self._threads.append(thread)
            thread.start()
        return self

    def tend(self) -> None:
        """Do all that is due by the clock."""
        self._mind()
        self.outbox.deliver()

    @property
    def _root(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def _mind(self) -> None:
        self.endpoint.pass_time()
        self.fleet.tend()

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._ending.wait(TICK_SECONDS):
            try:
                step()
            except Exception:
                # What is due stays due, and this thread must be there for it.
                logger.exception("RunPod stumbled")

    def _variables(self, worker_key: str) -> dict[str, str]:
        """As RunPod's SDK expects them on a worker. Its checks of the machine would want a GPU here."""
        own = f"{self.url}/{self._wanted.endpoint}"
        return {
            "RUNPOD_ENDPOINT_ID": self._wanted.endpoint,
            "RUNPOD_AI_API_KEY": worker_key,
            "RUNPOD_WEBHOOK_GET_JOB": f"{own}/job-take/$ID?gpu=none",
            "RUNPOD_WEBHOOK_POST_OUTPUT": f"{own}/job-done/$RUNPOD_POD_ID/$ID?gpu=none",
            "RUNPOD_WEBHOOK_PING": f"{own}/ping/$RUNPOD_POD_ID",
            "RUNPOD_SKIP_AUTO_SYSTEM_CHECKS": "true",
            "RUNPOD_SKIP_GPU_CHECK": "true",
            "RUNPOD_DEBUG_LEVEL": "WARN",
        }

    def _handler(self) -> type["Handler"]:
        return type("OurHandler", (Handler,), {"runpod": self})

    def respond(self, request: Request) -> Answer:
        match request.path:
            case ["relay", token] if self.relay.knows(token):
                return self._pass_on(token, request.body)
            case _:
                return self.operations.answer(request, base=self._root)

    def _pass_on(self, token: str, body: bytes) -> Answer:
        try:
            reply = self.relay.pass_on(token, body)
        except Lost:
            return Answer(200, fault=Fault.CUT)
        except OSError:
            return refusal(502)
        return Answer(reply.status, reply.body, {"Content-Type": reply.content_type})

    def hang(self) -> None:
        self._ending.wait(HANG_SECONDS)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 to and from what `LocalRunpod.respond` takes and gives."""

    runpod: LocalRunpod
    protocol_version = "HTTP/1.1"
    # Headers and body leave together, at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Any:
        if name in ("do_GET", "do_POST"):
            return self._respond
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Nothing: the paths of callbacks are secrets."""

    def _respond(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MOST_BYTES:
            # Read and dropped: a client that is still sending would not see the answer.
            while length > 0 and (piece := self.rfile.read(min(length, 1 << 16))):
                length -= len(piece)
            self._give(refusal(413))
            return
        body = self.rfile.read(length)
        path = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        request = Request(self.command, path, self.headers.get("Authorization", ""), body)
        self._give(self.runpod.respond(request))

    def _give(self, answer: Answer) -> None:
        if answer.fault == Fault.HANG:
            self.runpod.hang()
        if answer.fault is not None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        content = answer.content()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
