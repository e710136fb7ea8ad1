"""Which invocations are running, noted in files: what a killed process held is given back at the next start.

In the cloud a lost worker's lease runs out and the job is rescued. Here we can know sooner.
"""

import fcntl
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from millrace.domain.jobs import JOB_TABLES
from millrace.env import Env
from millrace.store import jobs


class Roster:
    """A folder of this process, one file for each worker at work. A lock says that the process lives."""

    def __init__(self, data: Path):
        self._all = data / "running"
        self._all.mkdir(parents=True, exist_ok=True)
        self._own = self._all / uuid.uuid4().hex
        # The lock comes before the folder, so that nobody finds the folder of a living process unlocked.
        self._lock = lock_of(self._own).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._own.mkdir()

    def enter(self, worker_id: str) -> None:
        (self._own / worker_id.replace("/", "@")).touch()

    def leave(self, worker_id: str) -> None:
        (self._own / worker_id.replace("/", "@")).unlink(missing_ok=True)

    def workers(self) -> list[str]:
        return workers_in(self._own)

    def take_lost(self) -> list[str]:
        """The workers of processes that were killed. Whoever asks next is not told of them again."""
        lost: list[str] = []
        for folder in [path for path in self._all.iterdir() if path.is_dir() and path != self._own]:
            with lock_of(folder).open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                lost += workers_in(folder)
                remove(folder)
        return lost

    def close(self) -> None:
        remove(self._own)
        self._lock.close()


def give_back(env: Env, worker_ids: Iterable[str]) -> int:
    """Release the jobs that these workers held: due at once, no retry counted. How many there were."""
    given_back = 0
    for worker_id in worker_ids:
        for table in JOB_TABLES.values():
            job = jobs.find_held(env.DB, table, worker_id=worker_id)
            if job and jobs.release(env.DB, table, job, move_id=env.new_id(), now=env.now()):
                given_back += 1
    return given_back


def workers_in(folder: Path) -> list[str]:
    return [path.name.replace("@", "/") for path in sorted(folder.iterdir())]


def lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock_of(folder).unlink(missing_ok=True)
