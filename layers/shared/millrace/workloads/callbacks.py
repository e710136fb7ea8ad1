"""What a worker, or its provider, tells of one attempt, and what it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import ValidationError

from millrace.domain.callbacks import Link
from millrace.domain.gpu import GpuStatus, read_runpod_status
from millrace.domain.jobs import EXPORT, Job
from millrace.domain.rendering import Completed, Failed, Progressed, ReportAnswer, Started
from millrace.env import Env
from millrace.errors import InvalidRequest
from millrace.store import renders
from millrace.workloads.assigning import assign
from millrace.workloads.attempt import Ending
from millrace.workloads.outcomes import (
    REPORT,
    check_output,
    complete,
    conclude,
    fail,
    failure_in,
    told_use,
    use_of,
)

Row = Mapping[str, Any]
Said = Started | Progressed | Completed | Failed | GpuStatus
# Whether the attempt runs, is the one that completed the job, or is over.
Standing = Literal["current", "done", "over"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What the one who called is answered, and how the attempt ended, if by this call it did."""

    answer: ReportAnswer
    ending: Ending | None = None


GO_ON, STOP = Taken(ReportAnswer()), Taken(ReportAnswer(stop=True))


def read(body: Mapping[str, Any], *, link: Link) -> Said:
    """Our worker's words, or the provider's. InvalidRequest when they are neither, or of another attempt."""
    try:
        if "event" not in body:
            return read_runpod_status(body)
        report: Started | Progressed | Completed | Failed = REPORT.validate_python(body)
    except (ValidationError, ValueError):
        raise InvalidRequest("The body is neither a worker's report nor its provider's.") from None
    if (report.job_id, report.attempt) != (link.job_id, link.attempt):
        raise InvalidRequest("The report is not of the attempt that the link is for.")
    return report


def take(said: Said, *, link: Link, env: Env) -> Taken:
    """From whoever is not running the job any more nothing is taken. InvalidRequest, StorageUnavailable."""
    match said:
        case Started():
            return start(said, link=link, env=env)
        case Progressed():
            row = hear(said, progress=said.progress, message=said.message, link=link, env=env)
            return answer_to(row, said=said, link=link, env=env)
        case _:
            return end(said, link=link, env=env)


def start(said: Started, *, link: Link, env: Env) -> Taken:
    """What there is to do, with fresh links. Nobody begins again what is done."""
    row = hear(said, progress=0, message="Started", link=link, env=env)
    if row is None or not is_current(row, said=said, link=link, env=env):
        return STOP
    return Taken(ReportAnswer(assignment=assign(row, env=env)))


def end(said: Completed | Failed | GpuStatus, *, link: Link, env: Env) -> Taken:
    """What is not as it was reported changes nothing: the provider's own word of the end will come."""
    row = renders.find(env.DB, link.job_id)
    if row is None or standing_of(row, said=said, link=link) != "current":
        meter(row, said=said, link=link, env=env)
        return answer_to(row, said=said, link=link, env=env)
    if isinstance(said, Completed):
        check_output(said, row=row, env=env)
    ending = end_by(said, row=row, env=env) if know(row, said=said, link=link, env=env) else None
    # Whoever was faster: the job says now whether this one is wanted.
    if ending is None or ending.state == "overtaken":
        row = renders.find(env.DB, link.job_id)
        return Taken(answer_to(row, said=said, link=link, env=env).answer, ending)
    return Taken(ReportAnswer(), ending)


def end_by(said: Completed | Failed | GpuStatus, *, row: Row, env: Env) -> Ending | None:
    match said:
        case Completed():
            return complete(row, provider_job_id=said.provider_job_id, use=use_of(row, env=env), env=env)
        case Failed():
            return fail(row, failure_in(said), use=use_of(row, env=env), env=env)
        case GpuStatus():
            return conclude(row, said, env=env) if said.has_ended else None


def meter(row: Row | None, *, said: Said, link: Link, env: Env) -> None:
    """What an attempt that is over has cost, if nobody knew it when it ended. Its export may be deleted."""
    if not isinstance(said, GpuStatus) or not said.has_ended or said.execution_ms is None:
        return
    job = replace(Job.of(row), attempt=link.attempt) if row else renders.find_removed(env.DB, link)
    if job is not None:
        use = told_use(said.execution_ms, env=env)
        renders.meter(env.DB, job, use=use, request_id=said.provider_job_id, now=env.now())


def hear(said: Started | Progressed, *, progress: int, message: str, link: Link, env: Env) -> Row | None:
    return renders.hear(
        env.DB, link, provider_job_id=said.provider_job_id, progress=progress, message=message, now=env.now()
    )


def answer_to(row: Row | None, *, said: Said, link: Link, env: Env) -> Taken:
    """Of a job that this attempt has completed nothing is to be deleted, so it is not told to stop."""
    if row is None:
        return STOP
    if standing_of(row, said=said, link=link) == "done":
        return GO_ON
    return GO_ON if is_current(row, said=said, link=link, env=env) else STOP


def is_current(row: Row, *, said: Said, link: Link, env: Env) -> bool:
    """Whether it runs; and if the provider's id of it was never told us, it is known from now on."""
    return standing_of(row, said=said, link=link) == "current" and know(row, said=said, link=link, env=env)


def know(row: Row, *, said: Said, link: Link, env: Env) -> bool:
    if row["runpod_job_id"] is not None:
        return True
    return renders.adopt(
        env.DB, link, provider_job_id=said.provider_job_id, move_id=env.new_id(), now=env.now()
    )


def standing_of(row: Row, *, said: Said, link: Link) -> Standing:
    if row["attempt"] != link.attempt:
        return "over"
    if row["status"] == EXPORT.done:
        return "done"
    known = row["runpod_job_id"] in (None, said.provider_job_id)
    return "current" if row["status"] == EXPORT.running and known else "over"
