"""What the worker tells the platform about one attempt, and what the platform answers."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Event
from typing import Any

import httpx
from pydantic import ValidationError

from gpu.failures import CallbackRefused, Interrupted, PlatformUnreachable, RenderFailure, Stopped
from millrace.domain.rendering import (
    MOST_MESSAGE,
    Assignment,
    Completed,
    Failed,
    Progressed,
    RenderOrder,
    Report,
    ReportAnswer,
    Started,
)

log = logging.getLogger(__name__)

WAITS_SECONDS = (1, 2, 4, 8, 16, 32)
REPORT_TIMEOUT = httpx.Timeout(10)
PROGRESS_TIMEOUT = httpx.Timeout(3)
BETWEEN_REPORTS_SECONDS = 1.0
# Without news the platform is asked this often whether the work is still wanted.
HEARTBEAT_SECONDS = 10.0
WORTH_A_RETRY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True)
class World:
    """What the worker touches. `now` counts seconds from anywhere; `stopping`: the provider wants an end."""

    http: httpx.Client
    now: Callable[[], float]
    wait: Callable[[float], None]
    stopping: Event = field(default_factory=Event)


class Reporter:
    """Speaks for one attempt. What may come of a report: Stopped, CallbackRefused, PlatformUnreachable."""

    def __init__(self, order: RenderOrder, *, provider_job_id: str, world: World):
        self._about: dict[str, Any] = {
            "job_id": order.job_id,
            "attempt": order.attempt,
            "provider_job_id": provider_job_id,
        }
        self._url = order.callback_url
        self._world = world
        self._told = -1
        self._told_at = float("-inf")
        self._pause = BETWEEN_REPORTS_SECONDS

    def start(self) -> Assignment:
        """What is to be done, with links that are fresh now."""
        answer = self._insist(Started(**self._about))
        if answer.assignment is None:
            raise PlatformUnreachable("the answer to `started` brought no assignment")
        return answer.assignment

    def progress(self, percent: int, *, message: str) -> None:
        """Called as often as one likes: told at most once a second, when it is news or as a heartbeat.

        It never waits: a report that fails is followed by a later one, after a pause that doubles.
        """
        if self._world.stopping.is_set():
            raise Interrupted
        since = self._world.now() - self._told_at
        if since < self._pause or (percent <= self._told and since < HEARTBEAT_SECONDS):
            return
        self._told_at, self._told = self._world.now(), max(percent, self._told)
        report = Progressed(**self._about, progress=self._told, message=message)
        try:
            self._say(report, timeout=PROGRESS_TIMEOUT)
        except PlatformUnreachable:
            self._pause = min(self._pause * 2, WAITS_SECONDS[-1])
        else:
            self._pause = BETWEEN_REPORTS_SECONDS

    def complete(self, **facts: Any) -> Completed:
        """Taken or not: the provider keeps the report too, and there it is found."""
        report = Completed(**self._about, **facts)
        try:
            self._insist(report)
        except (CallbackRefused, PlatformUnreachable) as ended:
            log.warning("the result was not taken: %s", ended)
        return report

    def fail(self, failure: RenderFailure) -> Failed:
        """Taken or not: the platform will find out by itself, from the provider."""
        message = failure.message[:MOST_MESSAGE]
        report = Failed(**self._about, code=failure.code, message=message, should_retry=failure.should_retry)
        try:
            self._insist(report)
        except (CallbackRefused, PlatformUnreachable) as ended:
            log.warning("the failure was not taken: %s", type(ended).__name__)
        return report

    def _insist(self, report: Report) -> ReportAnswer:
        """Say it again, after longer and longer waits, until it is taken."""
        for seconds in WAITS_SECONDS:
            try:
                return self._say(report, timeout=REPORT_TIMEOUT)
            except PlatformUnreachable:
                self._world.wait(seconds)
        return self._say(report, timeout=REPORT_TIMEOUT)

    def _say(self, report: Report, *, timeout: httpx.Timeout) -> ReportAnswer:
        # The link is a secret, and errors quote it: neither is kept as a cause, nor logged.
        try:
            response = self._world.http.post(self._url, json=report.model_dump(), timeout=timeout)
        except httpx.HTTPError as error:
            raise PlatformUnreachable(type(error).__name__) from None
        if response.is_success:
            return read_answer(response.content)
        if response.status_code >= 500 or response.status_code in WORTH_A_RETRY:
            raise PlatformUnreachable(f"status {response.status_code}")
        raise CallbackRefused(f"status {response.status_code}")


def read_answer(content: bytes) -> ReportAnswer:
    """Raises Stopped when that is what it says, PlatformUnreachable when it says nothing that we know."""
    try:
        answer = ReportAnswer.model_validate(json.loads(content)["data"])
    except (ValueError, KeyError, TypeError, ValidationError):
        raise PlatformUnreachable("an answer that cannot be read") from None
    if answer.stop:
        raise Stopped
    return answer
