"""What is answered: to clients at /v2/ENDPOINT/OPERATION, and to workers, who fetch jobs and bring results.

The workers' side is not documented. It is what RunPod's own SDK asks for on a worker.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from local.runpod.jobs import Endpoint, QueueFull
from local.runpod.limits import WINDOW_SECONDS, RateLimit
from local.runpod.mischief import ANSWERS, Fault, Mischief
from local.runpod.orders import OrderInvalid, read_order
from local.runpod.relay import Relay
from local.runpod.workers import Fleet

POLL_SECONDS = 5.0
CLIENTS = frozenset({"run", "status", "cancel", "health", "purge-queue"})
WORKERS = frozenset({"job-take", "job-done", "job-stop", "ping"})
SAID = {Fault.ANSWER_429: 429, Fault.ANSWER_500: 500, Fault.ANSWER_404: 404}


@dataclass(frozen=True, slots=True)
class Request:
    """`path` in its parts, decoded."""

    method: str
    path: Sequence[str]
    authorization: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON, or bytes as they are. With a `fault` the client hangs, or is cut off, instead."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: Fault | None = None

    def content(self) -> bytes:
        if self.status == 204:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def refusal(status: int, message: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": message or HTTPStatus(status).phrase.lower()}, named)


NO_CONTENT = Answer(204)


class Operations:
    """`name` is the endpoint's id, `key` its clients', `worker_key` its workers'."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        name: str,
        key: str,
        worker_key: str,
        fleet: Fleet,
        limit: RateLimit,
        mischief: Mischief,
        relay: Relay,
    ):
        self._endpoint = endpoint
        self._name = name
        self._key = key
        self._worker_key = worker_key
        self._fleet = fleet
        self._limit = limit
        self._mischief = mischief
        self._relay = relay

    def answer(self, request: Request, *, base: str) -> Answer:
        match request.path:
            case ["v2", name, operation, *rest] if operation in CLIENTS:
                return self._as_client(request, name=name, operation=operation, rest=rest)
            case ["v2", _, operation, *rest] if operation in WORKERS:
                if request.authorization != self._worker_key:
                    return refusal(401)
                return self._as_worker(request, operation=operation, rest=rest, base=base)
            case _:
                return refusal(404)

    def _as_client(self, request: Request, *, name: str, operation: str, rest: Sequence[str]) -> Answer:
        # The documentation shows the bare key, its SDK sends a bearer token.
        if request.authorization.removeprefix("Bearer ") != self._key:
            return refusal(401)
        if name != self._name:
            return refusal(404, "no such endpoint")
        if not self._limit.allows(operation):
            return refusal(429, Retry_After=str(WINDOW_SECONDS))
        fault = self._mischief.pick(ANSWERS) if operation in ("run", "status", "cancel") else None
        if fault in SAID:
            return refusal(SAID[fault], **({"Retry_After": "7"} if fault == Fault.ANSWER_429 else {}))
        answer = self._operate(request, operation=operation, rest=rest)
        if fault is None:
            return answer
        # It is done, and who asked for it will not know.
        return Answer(200, None, fault=None if fault == Fault.ANSWER_NULL else fault)

    def _operate(self, request: Request, *, operation: str, rest: Sequence[str]) -> Answer:
        match request.method, operation, rest:
            case "POST", "run", []:
                return self._run(request.body)
            case "GET", "status", [job_id]:
                return found(self._endpoint.status(job_id))
            case "POST", "cancel", [job_id]:
                return found(self._endpoint.cancel(job_id))
            case "GET", "health", []:
                return Answer(200, {"jobs": self._endpoint.counts(), "workers": self._fleet.counts()})
            case "POST", "purge-queue", []:
                return Answer(200, {"removed": self._endpoint.purge(), "status": "completed"})
            case _:
                return refusal(405)

    def _run(self, body: bytes) -> Answer:
        try:
            return Answer(200, self._endpoint.run(read_order(json.loads(body))))
        except (OrderInvalid, ValueError) as error:
            return refusal(400, str(error))
        except QueueFull:
            return refusal(429)

    def _as_worker(self, request: Request, *, operation: str, rest: Sequence[str], base: str) -> Answer:
        match request.method, operation, rest:
            case "GET", "job-take", [worker]:
                return self._hand_out(worker, base=base)
            case "POST", "job-done", [worker, job_id]:
                return self._take_in(worker, job_id, told=json.loads(request.body))
            case "GET", "job-stop", [worker]:
                stopped = self._endpoint.jobs_to_stop(worker, wait_seconds=POLL_SECONDS)
                return Answer(200, {"jobsToStop": stopped}) if stopped else NO_CONTENT
            case "GET", "ping", [_]:
                return Answer(200, {})
            case _:
                return refusal(405)

    def _hand_out(self, worker: str, *, base: str) -> Answer:
        job = self._endpoint.take(worker, wait_seconds=POLL_SECONDS)
        if job is None:
            return NO_CONTENT
        self._fleet.took(worker, mischief=self._mischief)
        return Answer(200, {"id": job.id, "input": self._relay.redirect(job.order.input, base=base)})

    def _take_in(self, worker: str, job_id: str, *, told: Mapping[str, Any]) -> Answer:
        if told.get("status") == "IN_PROGRESS":
            known = self._endpoint.report(worker, job_id, output=told.get("output"))
        else:
            output, error = told.get("output"), told.get("error")
            known = self._endpoint.finish(
                worker, job_id, output=output, error=None if error is None else str(error)
            )
        if told.get("stopPod"):
            self._endpoint.bar(worker)
        return Answer(200, {}) if known else refusal(404, "no such job")


def found(told: dict[str, Any] | None) -> Answer:
    return refusal(404, "job not found") if told is None else Answer(200, told)
