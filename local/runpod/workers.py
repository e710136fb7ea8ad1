"""The workers of an endpoint: machines that are started when jobs wait, and stopped when none do."""

import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from local.runpod import pod
from local.runpod.jobs import Clock, Endpoint
from local.runpod.mischief import Fault, Mischief

logger = logging.getLogger("local")

IDLE_SECONDS = 5
# So long a worker has to end a job that is to stop; then it is stopped itself.
STOP_SECONDS = 5
# So long is a worker in a job that is to be killed in it.
LIVES_SECONDS = 1
# A command that ends before it has taken a job is not tried again at once.
PAUSE_SECONDS = 5
END_SECONDS = 10
# What a program needs of a machine. Nothing else is passed on: least of all keys.
PASSED_ON = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SYSTEMROOT")


class Worker(Protocol):
    """A machine with a program on it. `kill` returns when it has ended."""

    def is_over(self) -> bool: ...

    def kill(self) -> None: ...


# Given its id and what its environment is to say, it makes a worker.
Launch = Callable[[str, Mapping[str, str]], Worker]


class Process:
    """A worker as a process of its own."""

    def __init__(self, command: Sequence[str], *, variables: Mapping[str, str]):
        kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - what the person who starts this has named
            [sys.executable, "-I", str(Path(pod.__file__)), *command],
            stdin=subprocess.PIPE,
            env={**kept, **variables},
            # A Ctrl-C in the terminal is for who started this one, and who then ends this one in order.
            start_new_session=True,
        )

    def is_over(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        # The pod takes the end of its stdin as the order to kill, and is killed itself if it does not.
        with suppress(subprocess.TimeoutExpired):
            self._process.communicate(timeout=END_SECONDS)
        self._process.kill()
        self._process.wait()


@dataclass(slots=True)
class Pod:
    worker: Worker
    idle_since: float
    dies_at: float | None = None
    has_worked: bool = False


class Fleet:
    """At most `most` workers; `tend` starts and stops them as is due."""

    def __init__(
        self, endpoint: Endpoint, *, launch: Launch, most: int, clock: Clock, variables: Mapping[str, str]
    ):
        self._endpoint = endpoint
        self._launch = launch
        self._most = most
        self._clock = clock
        self._variables = variables
        self._pods: dict[str, Pod] = {}
        self._starts_again_at = 0.0

    def tend(self) -> None:
        self._stop_barred()
        self._bury()
        self._stop_idle()
        self._start()

    def took(self, worker: str, *, mischief: Mischief) -> None:
        """It has a job now, and may be killed in it."""
        known = self._pods.get(worker)
        if known is not None:
            known.has_worked = True
            if mischief.pick((Fault.KILL_WORKER,)):
                known.dies_at = self._clock() + LIVES_SECONDS

    def counts(self) -> dict[str, int]:
        running = len(self._endpoint.busy())
        return {"idle": max(0, len(self._pods) - running), "running": running}

    def close(self) -> None:
        for worker in list(self._pods):
            self._stop(worker)

    def _stop_barred(self) -> None:
        """Those whose job was cancelled or took too long, who wish to be stopped, or who are to be killed."""
        barred, busy, now = self._endpoint.barred(), self._endpoint.busy(), self._clock()
        for worker, known in list(self._pods.items()):
            if worker in barred and known.dies_at is None:
                known.dies_at = now + STOP_SECONDS
            is_done = worker in barred and worker not in busy
            if is_done or (known.dies_at is not None and now >= known.dies_at):
                self._stop(worker)

    def _bury(self) -> None:
        for worker, known in list(self._pods.items()):
            if known.worker.is_over():
                if not known.has_worked:
                    logger.warning("A worker ended before it took a job. Does its command start?")
                    self._starts_again_at = self._clock() + PAUSE_SECONDS
                self._stop(worker)

    def _stop_idle(self) -> None:
        busy, now = self._endpoint.busy(), self._clock()
        wanted = self._endpoint.counts()["inQueue"] > 0
        for worker, known in list(self._pods.items()):
            if worker in busy or wanted:
                known.idle_since = now
            elif now >= known.idle_since + IDLE_SECONDS and self._endpoint.bar(worker):
                self._stop(worker)

    def _start(self) -> None:
        now = self._clock()
        wanted = self._endpoint.counts()["inQueue"] - self.counts()["idle"]
        if now < self._starts_again_at:
            return
        for _ in range(min(wanted, self._most - len(self._pods))):
            worker = uuid.uuid4().hex[:14]
            variables = {**self._variables, "RUNPOD_POD_ID": worker}
            self._pods[worker] = Pod(self._launch(worker, variables), idle_since=now)

    def _stop(self, worker: str) -> None:
        known = self._pods.pop(worker, None)
        if known is not None:
            known.worker.kill()
            self._endpoint.lose(worker)
