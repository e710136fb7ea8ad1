"""What befalls Millrace's own functions: each may be killed, or overtaken by another, at any of its steps."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from millrace.bindings.database import Database, Result, Statement
from millrace.domain.gpu import GpuStatus
from millrace.errors import DatabaseUnavailable

FUNCTIONS = ("create_job", "run_job", "job_pickup", "gpu_callback", "manage")
KILLS = {f"{name} killed {when}": 0.004 for name in FUNCTIONS for when in ("before", "after")}
RATES = {
    **KILLS,
    "run_job killed before": 0.02,
    "run_job killed after": 0.02,
    "database away before": 0.003,
    "database away after": 0.003,
    "order never given": 0.02,
    "order given and its id lost": 0.03,
    "pickup within a pickup": 0.05,
    "run within another function": 0.01,
    "cancel within another function": 0.002,
    "bell lost": 0.2,
}


class Killed(BaseException):
    """Nobody catches it and nothing is tidied up, as little as after a kill -9."""


class Troubles:
    """`done` counts them. Once `hurried`, each that has never been comes at its first occasion."""

    def __init__(self, luck: random.Random):
        self.luck = luck
        self.done: Counter[str] = Counter()
        self.hurried = False
        self.meanwhile: Mapping[str, Callable[[], None]] = {}
        self._within: list[str] = []

    def pick(self, trouble: str) -> bool:
        happens = self.luck.random() < RATES[trouble] or (self.hurried and not self.done[trouble])
        self.done[trouble] += happens
        return happens

    @property
    def outages(self) -> int:
        return self.done["database away before"] + self.done["database away after"]

    def missing(self) -> set[str]:
        """What has never happened."""
        return {trouble for trouble in RATES if not self.done[trouble]}

    @contextmanager
    def playing(self, name: str) -> Iterator[None]:
        """Within it a function works, which may be killed."""
        self._within.append(name)
        try:
            yield
        finally:
            self._within.pop()

    def befall(self, when: str) -> None:
        """Between two steps of a function. What happens meanwhile is not interrupted in its turn."""
        name = self._within[-1]
        if self.pick(f"{name} killed {when}"):
            raise Killed
        if self.pick(f"database away {when}"):
            raise DatabaseUnavailable
        if len(self._within) > 1:
            return
        for trouble, happen in self.meanwhile.items():
            if (trouble != "pickup within a pickup" or name == "job_pickup") and self.pick(trouble):
                happen()


class TroubledDatabase:
    """Around every batch there may be trouble."""

    def __init__(self, db: Database, *, troubles: Troubles):
        self._db = db
        self._troubles = troubles

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def prepare(self, sql: str) -> Statement:
        return replace(self._db.prepare(sql), executor=self)

    def for_tenant(self, tenant_id: str) -> "TroubledDatabase":
        return TroubledDatabase(self._db.for_tenant(tenant_id), troubles=self._troubles)

    def batch(self, statements: Sequence[Statement]) -> list[Result]:
        self._troubles.befall("before")
        results = self._db.batch(statements)
        self._troubles.befall("after")
        return results


class TroubledGpu:
    """Who gives an order may be killed just before, and just after."""

    def __init__(self, gpu: Any, *, troubles: Troubles):
        self._gpu = gpu
        self._troubles = troubles

    def submit(self, payload: Mapping[str, Any], **more: Any) -> str:
        if self._troubles.pick("order never given"):
            raise Killed
        provider_job_id: str = self._gpu.submit(payload, **more)
        if self._troubles.pick("order given and its id lost"):
            raise Killed
        return provider_job_id

    def status(self, provider_job_id: str) -> GpuStatus | None:
        said: GpuStatus | None = self._gpu.status(provider_job_id)
        return said

    def cancel(self, provider_job_id: str) -> None:
        self._gpu.cancel(provider_job_id)
