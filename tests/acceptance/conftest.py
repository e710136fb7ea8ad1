"""The whole system, started as a user starts it, on each database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.databases import BOTH, databases_of
from tests.postgres_server import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
JOB_SECONDS = 30
CALLER = {"Authorization": "Bearer test-token", "X-Site-Id": "site_abc", "X-User-Id": "user_xyz"}
FINAL = {"completed", "failed", "cancelled"}


@dataclass
class System:
    """One local cloud in a process of its own, on a database and a data folder that outlive it.

    It ends with the tests, also when they are killed: their end of its standard input closes then.
    """

    database_url: str
    data: Path
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def start(self) -> None:
        command = [sys.executable, "-m", "local.run", "--until-stdin-ends", "--port", str(self.port)]
        command += ["--database", self.database_url, "--data", str(self.data), *self.flags]
        self.log = (self.data / "log.txt").open("ab")
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **self.variables},
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=CALLER, timeout=40)
        self._wait_until_serving()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The exit code."""
        self.client.close()
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        self.log.close()
        return self.process.returncode

    def said(self) -> str:
        return (self.data / "log.txt").read_text()

    def post(self, lead_id: str, *, body: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        return self.client.post(f"/api/ops/leads/{lead_id}/ai-evaluation", json=body or {}, headers=headers)

    def get(self, job_id: str) -> httpx.Response:
        return self.client.get(f"/api/ops/ai-evaluation-jobs/{job_id}")

    def wait_for(self, job_id: str) -> dict[str, Any]:
        """The job once it is final."""
        give_up_at = time.monotonic() + JOB_SECONDS
        while time.monotonic() < give_up_at:
            response = self.get(job_id)
            job: dict[str, Any] = response.json()["data"]
            if job["status"] in FINAL:
                assert response.status_code == 200
                return job
            assert response.status_code == 202
            time.sleep(0.02)
        raise AssertionError(f"{job_id} is not done after {JOB_SECONDS} s:\n{self.said()}")

    def _wait_until_serving(self) -> None:
        give_up_at = time.monotonic() + START_SECONDS
        while time.monotonic() < give_up_at and self.process.poll() is None:
            try:
                self.client.get("/")
            except httpx.TransportError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(f"the system does not start:\n{self.said()}")


@contextmanager
def running(system: System) -> Iterator[System]:
    system.start()
    try:
        yield system
    finally:
        if system.process.poll() is None:
            system.stop()


@pytest.fixture(params=BOTH, scope="module")
def database_of_module(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database nobody has migrated: the system does it."""
    with databases_of(request).fresh(migrated=False) as fresh:
        yield fresh.url


@pytest.fixture(scope="module")
def system(database_of_module: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Shared by the tests of a module, so each uses leads of its own."""
    with running(System(database_of_module, tmp_path_factory.mktemp("system"))) as system:
        yield system


@pytest.fixture
def stopped(empty_database: Any, tmp_path: Path) -> Iterator[System]:
    """A system that the test starts, kills and starts again itself."""
    system = System(empty_database.url, tmp_path)
    yield system
    if system.process.poll() is None:
        system.stop()


@pytest.fixture
def deaf(empty_database: Any, tmp_path: Path) -> Iterator[System]:
    """A system in which every doorbell is lost, so that jobs wait for the schedule."""
    with running(System(empty_database.url, tmp_path, ("--no-doorbell",))) as system:
        yield system


@pytest.fixture
def unscheduled(empty_database: Any, tmp_path: Path) -> Iterator[System]:
    """A system in which no schedule fires, so that jobs have the doorbell alone."""
    with running(System(empty_database.url, tmp_path, ("--no-schedule",))) as system:
        yield system
