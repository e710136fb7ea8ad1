"""The jobs of one endpoint, from the queue to being forgotten, as RunPod's documentation tells it.

Where it says nothing: a job whose worker ends without a word is FAILED, and every end is told to the webhook.
"""

import math
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.runpod.orders import Order

Clock = Callable[[], float]

KEPT_SECONDS = 30 * 60
# "429 if queue size exceeds 50 jobs AND queue size exceeds MAX_WORKERS * 500"
QUEUE, QUEUE_OF_A_WORKER = 50, 500


class State(StrEnum):
    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"


class QueueFull(Exception):
    """Too many wait already: 429."""


@dataclass(slots=True)
class Job:
    id: str
    order: Order
    submitted_at: float
    state: State = State.IN_QUEUE
    taken_at: float | None = None
    ended_at: float | None = None
    worker: str | None = None
    output: Any = None
    error: str | None = None

    @property
    def forgotten_at(self) -> float:
        """The ttl counts from the submission and spares nothing: queued, running, or ended."""
        at = self.submitted_at + self.order.ttl_seconds
        return at if self.ended_at is None else min(at, self.ended_at + KEPT_SECONDS)

    @property
    def times_out_at(self) -> float:
        if self.taken_at is None or self.ended_at is not None:
            return math.inf
        return self.taken_at + self.order.execution_seconds

    def end(self, state: State, *, now: float, output: Any = None, error: str | None = None) -> None:
        self.state, self.ended_at, self.output, self.error = state, now, output, error

    def shown(self) -> dict[str, Any]:
        """As /status answers it and the webhook is told it."""
        told: dict[str, Any] = {"id": self.id, "status": self.state}
        if self.taken_at is not None:
            told |= {"delayTime": milliseconds(self.submitted_at, self.taken_at), "workerId": self.worker}
            if self.ended_at is not None:
                told["executionTime"] = milliseconds(self.taken_at, self.ended_at)
        if self.output is not None:
            told["output"] = self.output
        if self.error is not None:
            told["error"] = self.error
        return told


def milliseconds(begin: float, end: float) -> int:
    return round((end - begin) * 1000)


class Endpoint:
    """One endpoint's jobs. Who tells of the ends takes them from `ended`."""

    def __init__(self, *, clock: Clock, most_workers: int):
        self._clock = clock
        self._most_workers = most_workers
        self._jobs: dict[str, Job] = {}
        self._queue: deque[Job] = deque()
        self._changed = threading.Condition()
        self._open = True
        # What each worker works on, wanted still or not.
        self._working: dict[str, str] = {}
        self._to_stop: dict[str, str] = {}
        self._barred: set[str] = set()
        self.ended: deque[Job] = deque()

    def run(self, order: Order) -> dict[str, Any]:
        with self._changed:
            if len(self._queue) > max(QUEUE, self._most_workers * QUEUE_OF_A_WORKER):
                raise QueueFull
            job = Job(f"{uuid.uuid4()}-u1", order, submitted_at=self._clock())
            self._jobs[job.id] = job
            self._queue.append(job)
            self._changed.notify_all()
            return job.shown()

    def status(self, job_id: str) -> dict[str, Any] | None:
        """None when it is unknown, or forgotten."""
        with self._changed:
            job = self._find(job_id)
            return job.shown() if job else None

    def cancel(self, job_id: str) -> dict[str, Any] | None:
        """What it is then: what has ended before stays as it is. None as for `status`."""
        with self._changed:
            job = self._find(job_id)
            if job and job.ended_at is None:
                self._end(job, State.CANCELLED, stop=True)
            return {"id": job.id, "status": job.state} if job else None

    def purge(self) -> int:
        """Cancel all that wait. How many."""
        with self._changed:
            waiting = list(self._queue)
            for job in waiting:
                self._end(job, State.CANCELLED, stop=False)
            return len(waiting)

    def take(self, worker: str, *, wait_seconds: float) -> Job | None:
        """The next job, for this worker from now on. None when none has come, or it is to have none."""
        with self._changed:
            self._working.pop(worker, None)
            self._changed.wait_for(lambda: self._queue or not self._open, timeout=wait_seconds)
            if not self._queue or not self._open or worker in self._barred:
                return None
            job = self._queue.popleft()
            job.state, job.worker, job.taken_at = State.IN_PROGRESS, worker, self._clock()
            self._working[worker] = job.id
            return job

    def report(self, worker: str, job_id: str, *, output: Any) -> bool:
        """How far the job is, for who asks. False when it is not this worker's (any more)."""
        with self._changed:
            job = self._held(worker, job_id)
            if job:
                job.output = output
            return job is not None

    def finish(self, worker: str, job_id: str, *, output: Any, error: str | None) -> bool:
        """False when it is not this worker's (any more): nothing changes."""
        with self._changed:
            job = self._held(worker, job_id)
            if self._working.get(worker) == job_id:
                del self._working[worker]
            if job:
                state = State.COMPLETED if error is None else State.FAILED
                self._end(job, state, stop=False, output=output, error=error)
            return job is not None

    def lose(self, worker: str) -> None:
        """The worker is gone, and with it what it worked on."""
        with self._changed:
            self._barred.add(worker)
            job = self._held(worker, self._working.pop(worker, ""))
            if job:
                self._end(job, State.FAILED, stop=False, error="the worker ended without a result")

    def bar(self, worker: str) -> bool:
        """Give this worker nothing more to do. False when it has something."""
        with self._changed:
            if worker in self._working:
                return False
            self._barred.add(worker)
            return True

    def barred(self) -> set[str]:
        with self._changed:
            return set(self._barred)

    def jobs_to_stop(self, worker: str, *, wait_seconds: float) -> list[str]:
        """What this worker works on in vain, told once."""
        with self._changed:
            self._changed.wait_for(lambda: worker in self._to_stop or not self._open, timeout=wait_seconds)
            job_id = self._to_stop.pop(worker, None)
            return [] if job_id is None else [job_id]

    def pass_time(self) -> None:
        """Do what is due by the clock."""
        with self._changed:
            for job_id in list(self._jobs):
                self._find(job_id)

    def counts(self) -> dict[str, int]:
        with self._changed:
            states = [job.state for job in self._jobs.values()]
            named = {
                "completed": State.COMPLETED,
                "failed": State.FAILED,
                "inProgress": State.IN_PROGRESS,
                "inQueue": State.IN_QUEUE,
            }
            return {name: states.count(state) for name, state in named.items()} | {"retried": 0}

    def busy(self) -> set[str]:
        """The workers that have a job."""
        with self._changed:
            return set(self._working)

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _find(self, job_id: str) -> Job | None:
        """The job as it is by now."""
        job, now = self._jobs.get(job_id), self._clock()
        if job and now >= job.forgotten_at:
            self._forget(job)
            return None
        if job and now >= job.times_out_at:
            self._end(job, State.TIMED_OUT, stop=True, error="executionTimeout exceeded")
        return job

    def _held(self, worker: str, job_id: str) -> Job | None:
        job = self._find(job_id)
        return job if job and job.worker == worker and job.state == State.IN_PROGRESS else None

    def _end(
        self, job: Job, state: State, *, stop: bool, output: Any = None, error: str | None = None
    ) -> None:
        if job.state == State.IN_QUEUE:
            self._queue.remove(job)
        job.end(state, now=self._clock(), output=output, error=error)
        self.ended.append(job)
        if stop and job.worker:
            self._barred.add(job.worker)
            self._to_stop[job.worker] = job.id
            self._changed.notify_all()

    def _forget(self, job: Job) -> None:
        """One that runs goes on running: its worker learns that nobody wants the result when it has one."""
        if job.state == State.IN_QUEUE:
            self._queue.remove(job)
        del self._jobs[job.id]
