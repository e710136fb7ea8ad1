"""One attempt at a job: it is run, and completed, failed or given back, though the database may blink."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal, Protocol, TypeVar

from millrace.domain.jobs import Job, JobTable
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.domain.spending import look_again_at, say_waiting
from millrace.env import Env
from millrace.errors import (
    DatabaseUnavailable,
    GpuUnknown,
    JobFailure,
    ProcessingError,
    SpendLimitReached,
)
from millrace.store import jobs, timeline

# Of the time a run may take, what is kept for writing its end down.
ENDING_SECONDS = 5
# A database that is away is asked again after a pause, until less than the other is left.
PAUSE_SECONDS = 1
LAST_SECONDS = 5

Moved = TypeVar("Moved")
Row = Mapping[str, Any]
State = Literal["completed", "submitted", "unknown", "retried", "failed", "released", "waiting", "overtaken"]

Calls = Sequence[PaidCall]

# Completes the job, or writes down where it goes on, as the move of this id. False when someone else ended it
# first; the calls are recorded all the same.
Complete = Callable[[str, Calls], bool]


class Workload(Protocol):
    """What one job of a kind does, and what else its failure means. A module of this room is one."""

    def run(
        self, job: Job, env: Env, *, deadline: datetime, on_answer: Callable[[ModelAnswer], None]
    ) -> Complete | None:
        """Do it by the deadline. None: the job is no longer this worker's, and nothing was paid for.

        `on_answer` is to be told of each answer that was paid for, as soon as it is there.
        """
        ...

    def fail(self, job: Job, env: Env, *, failure: JobFailure, calls: Calls, move_id: str) -> Row | None:
        """End the attempt, as the move of this id, and record the calls whoever has moved the job."""
        ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended. `failure` says why it was retried or failed; its cause, if any, holds the trace.

    `overtaken`: someone else had ended the job or taken it over, and nothing was written but the paid calls.
    `waiting`: given back, until there is money again. `submitted`: it goes on at a provider; `unknown`: it
    may, and until that is known nobody else begins it.
    """

    job: Job
    state: State
    failure: JobFailure | GpuUnknown | SpendLimitReached | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job as it was claimed, and what its worker has.

    DatabaseUnavailable comes out of each method once the time is up: then the lease runs out and the job is
    rescued.
    """

    job: Job
    table: JobTable
    workload: Workload
    env: Env
    seconds_left: Callable[[], float]
    calls: list[PaidCall] = field(default_factory=list)

    def run(self) -> Ending:
        try:
            done = self._complete()
        except JobFailure as failure:
            return self._fail(failure)
        except GpuUnknown as unknown:
            return Ending(self.job, "unknown", unknown)
        except SpendLimitReached as reached:
            return self._wait_for_money(reached)
        end: State = "submitted" if self.table.handed_over else "completed"
        return Ending(self.job, end if done else "overtaken")

    def give_back(self) -> Ending:
        """Untouched, for a worker with more time."""
        env = self.env
        if not self._insist(
            lambda move_id: jobs.release(env.DB, self.table, self.job, move_id=move_id, now=env.now())
        ):
            return Ending(self.job, "overtaken")
        env.QUEUE.ring(self.table.kind)
        return Ending(self.job, "released")

    def _wait_for_money(self, reached: SpendLimitReached) -> Ending:
        """Untouched, for when there may be some again."""
        env, now = self.env, self.env.now()
        due_at = look_again_at(now, passes=reached.passes, jitter=env.random())
        if not self._insist(
            lambda move_id: jobs.release(
                env.DB, self.table, self.job, move_id=move_id, now=now, due_at=due_at, why=reached,
                says=say_waiting(passes=reached.passes),
            )
        ):  # fmt: skip
            return Ending(self.job, "overtaken")
        env.QUEUE.ring(self.table.kind, delay_seconds=ceil((due_at - now).total_seconds()))
        return Ending(self.job, "waiting", reached)

    def _note(self, answer: ModelAnswer) -> None:
        self.calls.append(PaidCall(self.env.new_id(), answer=answer, ended_at=self.env.now()))

    def _complete(self) -> bool:
        """What a person reads of an unforeseen error says nothing of its cause: that may quote a document."""
        deadline = self.env.now() + timedelta(seconds=self.table.most_seconds - ENDING_SECONDS)
        try:
            complete = self.workload.run(self.job, self.env, deadline=deadline, on_answer=self._note)
            return bool(complete and self._insist(lambda move_id: complete(move_id, self.calls)))
        except (JobFailure, GpuUnknown, SpendLimitReached, DatabaseUnavailable):
            raise
        except Exception as cause:
            raise ProcessingError("Something went wrong while the job ran.") from cause

    def _fail(self, failure: JobFailure) -> Ending:
        row = self._insist(
            lambda move_id: self.workload.fail(
                self.job, self.env, failure=failure, calls=self.calls, move_id=move_id
            )
        )
        return end_failed(self.job, row, failure=failure, table=self.table, env=self.env)

    def _insist(self, move: Callable[[str], Moved]) -> Moved | Row | None:
        """Make a guarded move, again and again while the database is away. It cannot be made twice.

        What the move returned; or the job's row, when it was made and only the answer was lost.
        """
        tried: list[str] = []
        while True:
            # Each try has its own, by which the rows it would add are told from those of an earlier one.
            move_id = self.env.new_id()
            try:
                return move(move_id) or self._find_moved(tried)
            except DatabaseUnavailable:
                if self.seconds_left() < LAST_SECONDS:
                    raise
            tried.append(move_id)
            self.env.wait(PAUSE_SECONDS)

    def _find_moved(self, move_ids: list[str]) -> Row | None:
        """The job, if its last move is one of these."""
        row = timeline.find_job(self.env.DB, self.table, job_id=self.job.id) if move_ids else None
        return row if row and row["last_move_id"] in move_ids else None


def end_failed(job: Job, row: Row | None, *, failure: JobFailure, table: JobTable, env: Env) -> Ending:
    """How it stands once a failure is written down. When it will be tried again, that is rung for in time."""
    if row is None:
        return Ending(job, "overtaken", failure)
    if row["status"] == table.failed:
        return Ending(job, "failed", failure)
    seconds = ceil((row["run_after"] - env.now()).total_seconds())
    env.QUEUE.ring(table.kind, delay_seconds=seconds)
    return Ending(job, "retried", failure)
