"""A client of the API as anybody may write one, and the system that it asks."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local.settings import ROOT

START_SECONDS = 60.0
ANSWER_SECONDS = 35


class DemoFailed(Exception):
    """Something was not as it should be. The message says what."""


@dataclass(frozen=True, slots=True)
class Client:
    """Asks the system at `url`, with these headers."""

    url: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, url: str, *, token: str, **more: str) -> Self:
        told = {name.replace("_", "-"): value for name, value in more.items()}
        return cls(url, {"Authorization": f"Bearer {token}", "X-User-Id": "user_xyz", **told})

    def call(
        self, method: str, path: str, *, expect: set[int], body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON of the answer. DemoFailed when the status is not one of those expected."""
        content = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "Content-Type": "application/json"}
        status, text = send(method, self.url + path, content=content, headers=headers, expect=expect)
        answer: dict[str, Any] = json.loads(text)
        return status, answer


def send(
    method: str, url: str, *, headers: Mapping[str, str], expect: set[int], content: bytes | None = None
) -> tuple[int, bytes]:
    request = urllib.request.Request(url, content, dict(headers), method=method)  # noqa: S310 - ours, and http
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:  # noqa: S310
            status, text = response.status, response.read()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read()
    except OSError as error:
        raise DemoFailed(f"{method} {shown(url)}: {error}") from error
    if status not in expect:
        said = text.decode(errors="replace")
        raise DemoFailed(f"{method} {shown(url)} was answered with {status}: {said}")
    return status, text


def shown(url: str) -> str:
    """Without what makes a link a secret."""
    return url.partition("?")[0]


@contextmanager
def running_system(port: int) -> Iterator[str]:
    """Where the system answers. What was not running is started, and ended afterwards."""
    url = f"http://127.0.0.1:{port}"
    if answers(url):
        yield url
        return
    print("Millrace is not running: starting it for the demo ...")
    log = ROOT / ".millrace" / "demo.log"
    log.parent.mkdir(exist_ok=True)
    process = start(port, log=log)
    try:
        wait_until_answering(url, process=process, log=str(log))
        yield url
    finally:
        process.communicate()


def start(port: int, *, log: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "local.run", "--port", str(port), "--until-stdin-ends"]
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603 - ourselves
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_answering(url: str, *, process: "subprocess.Popen[bytes]", log: str) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > give_up_at:
            raise DemoFailed(f"Millrace does not start; {log} says why")
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        Client(url, {}).call("GET", "/api/ops/ai-evaluation-jobs/job_none", expect={401})
    except DemoFailed as failure:
        if isinstance(failure.__cause__, OSError):
            return False
        raise DemoFailed(f"something else than Millrace answers on {url}") from failure
    return True
