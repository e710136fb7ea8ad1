"""A platform and a bucket on 127.0.0.1, as the worker meets them: callbacks, and links of one request."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bindings.loopback import QuietHandler, serving

SECRET = "only-the-worker-knows"
VIDEO_TYPE = {"Content-Type": "video/mp4"}


@dataclass
class Platform:
    """What it heard and holds. `answers` may misbehave for a report, or for a path of the bucket."""

    assignment: dict[str, Any] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: Callable[..., int | bytes | None] = lambda *_: None
    address: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def events(self) -> list[str]:
        return [report["event"] for report in self.reports]

    @property
    def callback_url(self) -> str:
        return f"{self.address}/callback/{SECRET}"

    def assign(self, export_type: str, *, params: dict[str, Any], clips: bool = False) -> None:
        self.assignment = {
            "type": export_type,
            "params": params,
            "input": {"url": self.link("input.mp4")},
            "output_video_key": "tenants/t1/out.mp4",
            "video": self.output("out.mp4", headers=VIDEO_TYPE),
            "clips": self.output("clips.tsv", headers={}) if clips else None,
        }

    def output(self, name: str, *, headers: dict[str, str]) -> dict[str, Any]:
        link = self.link(name)
        return {"upload": {"url": link, "headers": headers}, "discard": {"url": link}}

    def link(self, name: str) -> str:
        return f"{self.address}/bucket/{name}?signature={SECRET}"


class Conversation(QuietHandler):
    """One connection to the platform."""

    platform: Platform
    disable_nagle_algorithm = True

    def respond(self) -> None:
        kind, _, rest = self.path.lstrip("/").partition("/")
        assert rest.endswith(SECRET)
        with self.platform.lock:
            respond = self.take_report if kind == "callback" else self.serve_object
            respond(rest.partition("?")[0])

    def take_report(self, _token: str) -> None:
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.platform.reports.append(report)
        wanted = self.platform.answers(report)
        if isinstance(wanted, int):
            return self.answer(wanted)
        if wanted is None:
            data = {"stop": False}
            if report["event"] == "started":
                data["assignment"] = self.platform.assignment
            wanted = json.dumps({"success": True, "data": data}).encode()
        return self.answer(200, body=wanted)

    def serve_object(self, name: str) -> None:
        self.platform.asked.append((self.command, name))
        wanted = self.platform.answers(self.command, name)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if isinstance(wanted, int):
            return self.answer(wanted)
        if self.command == "PUT":
            assert "Transfer-Encoding" not in self.headers
            self.platform.objects[name] = body
            return self.answer(200)
        if self.command == "DELETE":
            self.platform.objects.pop(name, None)
            return self.answer(204)
        if name not in self.platform.objects:
            return self.answer(404)
        return self.answer(200, body=self.platform.objects[name])


@contextmanager
def running_platform() -> Iterator[Platform]:
    platform = Platform()
    handler = type("OwnConversation", (Conversation,), {"platform": platform})
    with serving(handler) as address:
        platform.address = address
        yield platform


STOP = json.dumps({"success": True, "data": {"stop": True}}).encode()


def failing(event: str, times: int, *, answer: int | bytes = 500) -> Callable[..., int | bytes | None]:
    """The first reports of this event are answered with this."""
    left = [times]

    def respond(report: dict[str, Any] | str, *_: str) -> int | bytes | None:
        if isinstance(report, dict) and report["event"] == event and left[0]:
            left[0] -= 1
            return answer
        return None

    return respond
