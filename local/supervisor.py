"""Keeps the serving process up to date with the code: a changed file starts a new one, which ends the old.

The listening socket belongs to this process, so it stays open throughout and no request is turned away.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from watchfiles import Change, PythonFilter, watch

from local.settings import DRAIN_SECONDS, ROOT, Settings
from local.terminal import say

WATCHED = ("layers", "functions", "local", "migrations")
START_SECONDS = 60
END_SECONDS = DRAIN_SECONDS + 15
TICK_MILLISECONDS = 250


@dataclass(slots=True)
class Served:
    """A serving process. It ends when `lifeline` closes, so it never outlives this one."""

    process: "subprocess.Popen[bytes]"
    started: int
    lifeline: int

    def wait_until_started(self, *, unless: threading.Event) -> bool:
        """False when it ended instead, took too long, or is wanted no longer."""
        give_up_at = time.monotonic() + START_SECONDS
        said = b""
        while not unless.is_set() and time.monotonic() < give_up_at:
            readable, _, _ = select.select([self.started], [], [], TICK_MILLISECONDS / 1000)
            if readable:
                said = os.read(self.started, 64)
                break
        return bool(said) and not unless.is_set()

    def end(self) -> int:
        """Tell it to end, wait until it has, and answer its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            os.close(self.lifeline)
            # Not sooner: it may be about to say that it has started, and somebody must hold the other end.
            os.close(self.started)


class SourceFilter(PythonFilter):
    """What the serving process has read: Python and SQL."""

    def __call__(self, change: Change, path: str) -> bool:
        return path.endswith(".sql") or super().__call__(change, path)


class Supervisor:
    def __init__(self, settings: Settings, *, listener: socket.socket, on_started: Callable[[], None]):
        self._settings = settings
        self._listener = listener
        self._on_started = on_started
        self._stop = threading.Event()
        self._parent = os.getppid()

    def run(self) -> int:
        """Until Ctrl-C or SIGTERM. The exit code is 0 when everything ended well."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._order_stop)
        serving = self._start()
        if not serving.wait_until_started(unless=self._stop):
            status = serving.end()
            return 0 if self._stop.is_set() else status or 1
        self._on_started()
        for changed in self._changes():
            if self._is_orphaned() or serving.process.poll() is not None:
                break
            if changed:
                serving = self._replace(serving, changed)
        return serving.end()

    def _start(self) -> Served:
        self._template_read = stamp_of(self._settings.template)
        started, say_started = os.pipe()
        hold_on, lifeline = os.pipe()
        given = (self._listener.fileno(), say_started, hold_on)
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "local.serve", self._settings.to_json(), *map(str, given)],
            pass_fds=given,
            cwd=ROOT,
            # A Ctrl-C in the terminal reaches this process alone, which ends the other in order.
            start_new_session=True,
        )
        os.close(say_started)
        os.close(hold_on)
        return Served(process, started, lifeline)

    def _replace(self, serving: Served, changed: list[str]) -> Served:
        """The new process serves before the old one stops. When it cannot start, the old one goes on."""
        say(f"Changed: {', '.join(changed)}. Starting anew ...")
        replacement = self._start()
        if not replacement.wait_until_started(unless=self._stop):
            replacement.end()
            if not self._stop.is_set():
                say("That code does not start, so the code before it still serves.")
            return serving
        serving.end()
        say("The new code serves.")
        return replacement

    def _changes(self) -> Iterator[list[str]]:
        """Names of changed files; an empty list now and then, when nothing has changed."""
        batches = watch(
            *(path for name in WATCHED if (path := ROOT / name).exists()),
            watch_filter=SourceFilter(),
            stop_event=self._stop,
            rust_timeout=TICK_MILLISECONDS,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for changes in batches:
            changed = {str(Path(path).relative_to(ROOT)) for _, path in changes}
            # Looked at, not watched: an editor puts a new file in its place; a watch stays with the old.
            if stamp_of(self._settings.template) not in (None, self._template_read):
                changed.add(self._settings.template.name)
            yield sorted(changed)

    def _order_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _is_orphaned(self) -> bool:
        """Whether make, which started this process, was killed: then the next one needs the port."""
        return "MAKELEVEL" in os.environ and os.getppid() != self._parent


def stamp_of(path: Path) -> tuple[int, int] | None:
    """Another one whenever the file is another one, or says something else. None while there is no file."""
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None
    return facts.st_ino, facts.st_mtime_ns
