"""One JSON line per thing that happened: events from a closed list, and never a token or a document."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from traceback import walk_tb
from typing import Any, Literal, TextIO, get_args

from aws_lambda_powertools.logging import Logger

from millrace.errors import MillraceError

LogEvent = Literal[
    "request_answered",
    "caller_refused",
    "message_ignored",
    "doorbell_lost",
    "job_created",
    "job_completed",
    "job_submitted",
    "job_unknown",
    "job_retried",
    "job_failed",
    "job_released",
    "job_waiting",
    "job_overtaken",
    "job_rescued",
    "job_reopened",
    "job_cancelled",
    "job_deleted",
    "jobs_due",
    "rows_pruned",
    "lead_deleted",
    "documents_deleted",
    "documents_erased",
    "videos_given_up",
    "videos_erased",
    "exports_erased",
    "exports_swept",
    "key_issued",
    "key_rotated",
    "key_revoked",
    "audit_sealed",
    "command_done",
    "command_refused",
    "migration_progress",
    "migration_applied",
    "stack_answered",
    "fault",
]
EVENTS: frozenset[str] = frozenset(get_args(LogEvent))
LEVELS = {
    "fault": logging.ERROR,
    "caller_refused": logging.WARNING,
    "message_ignored": logging.WARNING,
    "job_failed": logging.WARNING,
    "job_unknown": logging.WARNING,
    "job_overtaken": logging.WARNING,
    "command_refused": logging.WARNING,
    "jobs_due": logging.DEBUG,
}
LONGEST_FACT = 200

Fact = str | int | float | bool | None | list[str]

# What every line of one invocation says: request id and function. Kept per context, since the local cloud
# runs many invocations at once.
_invocation: ContextVar[Mapping[str, Fact]] = ContextVar("invocation", default={})  # noqa: B039


def _add_invocation(record: logging.LogRecord) -> bool:
    """For every line, also those of bindings, which write by the standard library."""
    record.__dict__.update(_invocation.get())
    return True


class StandardOutput(logging.StreamHandler[TextIO]):
    """Writes to what sys.stdout is at the time of writing, as the interpreter's own last resort does."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.addFilter(_add_invocation)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute there, looked up each time here
        return sys.stdout


def _prepare() -> logging.Logger:
    # A location would always name `log`, so it is left out.
    Logger(service="millrace", logger_handler=StandardOutput(), utc=True, use_rfc3339=True, location=None)
    lines = logging.getLogger("millrace")
    # A root logger of the host's must not repeat each line in a format of its own.
    lines.propagate = False
    return lines


LINES = _prepare()


def set_level(level: str) -> None:
    LINES.setLevel(level)


@contextmanager
def saying(**facts: Fact) -> Iterator[None]:
    """Say these facts on every line logged inside."""
    token = _invocation.set({**_invocation.get(), **facts})
    try:
        yield
    finally:
        _invocation.reset(token)


def log(event: LogEvent, **facts: Fact) -> None:
    """Write one line. A long text is cut, so that nobody's document slips in whole."""
    if event not in EVENTS:
        raise ValueError(f"{event!r} is not in the list of events")
    said = {name: _cut(fact) for name, fact in facts.items()}
    LINES.log(LEVELS.get(event, logging.INFO), event, extra=said)


def log_fault(error: BaseException) -> None:
    """Write down an error that nobody meant, with where it came from and without the data that caused it."""
    reason = str(error) if is_speakable(error) else None
    log("fault", error=type(error).__name__, reason=reason, trace=list(_frames(error)))


def is_speakable(error: BaseException) -> bool:
    """Whether its own words quote code and never data. What other errors say may quote a document."""
    return isinstance(error, (MillraceError, AttributeError, NameError, ImportError, TypeError, OSError))


def _frames(error: BaseException) -> Iterator[str]:
    """From the outermost call to the innermost, then the same for what caused it."""
    for frame, line in walk_tb(error.__traceback__):
        yield f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield f"caused by {type(cause).__name__}"
        yield from _frames(cause)


def _cut(fact: Any) -> Fact:
    return fact[:LONGEST_FACT] if isinstance(fact, str) else fact
