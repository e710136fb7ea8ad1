"""Every error that means something, as one tree.

MillraceError
├── Refusal                          a request we answer with a 4xx or 5xx
│   ├── InvalidRequest 400           ├── MissingHeaders 400
│   ├── MissingScope 403             ├── NotFound 404 ─ LeadNotFound, JobNotFound, SiteNotFound, RouteNotFound
│   ├── MethodNotAllowed 405         ├── JobAlreadyPending 409, AlreadyEvaluated 409
│   ├── BodyTooLarge 413             ├── UnsupportedMediaType 415
│   ├── IdempotencyKeyReused 422     ├── QuotaExceeded 429
│   └── InternalError 500            └── DatabaseUnavailable 503
├── JobFailure                       why an attempt at a job ended without a result
│   ├── ResourceNotFound             ├── InsufficientDocuments
│   ├── StorageError (transient)     ├── ModelTimeout (transient)
│   ├── ModelUnavailable (transient) ├── ModelAnswerInvalid (keeps its charge)
│   ├── LeaseExpired (transient)     └── ProcessingError (transient)
├── DatabaseError                    what a binding says of the database
│   ├── ConstraintBroken             ├── StatementInvalid
│   ├── ValueNotStorable             └── ValueUnreadable, UnknownColumn
├── MigrationInvalid, MigrationFailed, CutoverRefused, CutoverFailed, BackupFailed
├── LinkRefused, CommandRefused, StackUnavailable, QueueUnavailable
├── BucketError ─ ObjectKeyInvalid, ObjectTooLarge
├── SealError ─ SealBroken, SealUnavailable
└── ConfigurationInvalid
"""

from typing import Any


class MillraceError(Exception):
    """The root: everything we raise on purpose."""


class Refusal(MillraceError):
    """A request answered with an error: `code` for programs, `message` for people, `facts` beside them."""

    status = 500
    message = "Something went wrong on our side."
    cause: str | None = None

    def __init__(self, message: str | None = None, *, headers: dict[str, str] | None = None, **facts: Any):
        self.message = message or type(self).message
        self.headers = headers or {}
        self.facts = facts
        super().__init__(self.message)

    @property
    def code(self) -> str:
        return type(self).__name__


class InvalidRequest(Refusal):
    status = 400
    message = "The request is not valid."


class MissingHeaders(Refusal):
    status = 400
    message = "Required headers are missing."


class MissingScope(Refusal):
    status = 403
    message = "The key lacks a scope that this request needs."


class NotFound(Refusal):
    status = 404
    message = "Not found."


class RouteNotFound(NotFound):
    message = "No such route."


class SiteNotFound(NotFound):
    message = "Site not found or access denied"


class LeadNotFound(NotFound):
    message = "Lead not found or access denied"


class JobNotFound(NotFound):
    message = "Job not found or access denied"


class MethodNotAllowed(Refusal):
    status = 405
    message = "This route does not take that method."


class JobAlreadyPending(Refusal):
    status = 409
    message = "An evaluation is already in progress for this lead"


class AlreadyEvaluated(Refusal):
    status = 409
    message = "Lead already evaluated. Use force_refresh=true to re-evaluate."


class BodyTooLarge(Refusal):
    status = 413
    message = "The body is larger than 1 MB."


class UnsupportedMediaType(Refusal):
    status = 415
    message = "Send the body as application/json."


class IdempotencyKeyReused(Refusal):
    status = 422
    message = "This Idempotency-Key was used for another request within the last 24 hours. Use a new key."


class QuotaExceeded(Refusal):
    status = 429
    message = "The quota is used up."


class DatabaseUnavailable(Refusal):
    """`cause`, for the log alone, is a SQLSTATE, or what was done and what came of it: "connect: refused"."""

    status = 503
    message = "The database does not answer at the moment. Repeat the request with the same Idempotency-Key."

    def __init__(self, message: str | None = None, *, cause: str | None = None):
        super().__init__(message)
        self.cause = cause
        self.args = (f"{self.message} ({cause})",) if cause else self.args


class InternalError(Refusal):
    message = "Something went wrong on our side. Tell us the request_id."


class JobFailure(MillraceError):
    """An attempt ended without a result.

    `transient` decides whether it is tried again, `keeps_charge` whether the last failure is paid for.
    """

    transient = False
    keeps_charge = False

    def __init__(self, message: str, *, retry_after_seconds: float | None = None):
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)

    @property
    def code(self) -> str:
        return type(self).__name__


class ResourceNotFound(JobFailure):
    """What the job is about is gone."""


class InsufficientDocuments(JobFailure):
    """There is nothing readable to judge."""


class StorageError(JobFailure):
    """The bucket did not answer as it should."""

    transient = True


class ModelTimeout(JobFailure):
    """The model took longer than it may."""

    transient = True


class ModelUnavailable(JobFailure):
    """The model is overloaded, broken or out of reach."""

    transient = True


class ModelAnswerInvalid(JobFailure):
    """The model answered twice and neither answer could be read. A person must look; the work is paid for."""

    keeps_charge = True


class LeaseExpired(JobFailure):
    """The worker was not heard of again."""

    transient = True


class ProcessingError(JobFailure):
    """Anything else that ended an attempt."""

    transient = True


class DatabaseError(MillraceError):
    """The database refused a statement. Nothing of its batch was written, or the error says otherwise."""


class ConstraintBroken(DatabaseError):
    """A named rule of the schema said no.

    `constraint` is its name (None for a foreign key on SQLite), `statement` the place in the batch of the
    statement that broke it, `results` what the statements before it answered.
    """

    def __init__(self, constraint: str | None, *, statement: int = 0, results: Any = ()):
        self.constraint = constraint
        self.statement = statement
        self.results = list(results)
        super().__init__(f"constraint {constraint} broken by statement {statement}")


class StatementInvalid(DatabaseError):
    """The SQL or its parameters are wrong: a fault of ours, never of the caller's."""


class ValueNotStorable(DatabaseError):
    """A value of a kind that does not mean the same on both databases."""


class ValueUnreadable(DatabaseError):
    """An answer holds what is no value on both databases: cast it. On PostgreSQL its batch has been done."""


class UnknownColumn(DatabaseError):
    """A row was asked for a column it does not have."""


class MigrationInvalid(MillraceError):
    """A migration file, or the folder of them, is not as it should be."""


class MigrationFailed(MillraceError):
    """A migration could not be applied. The message says which, where and why; the database is as before."""


class CutoverRefused(MillraceError):
    """The two databases cannot be copied one to the other as they are. Nothing was changed."""


class CutoverFailed(MillraceError):
    """A copy stopped half way, at something that is no row's fault. Running it again goes on from there."""


class BackupFailed(MillraceError):
    """A backup could not be made or put back. The message says why; the database is as before."""


class BucketError(MillraceError):
    """The bucket failed or cannot be reached."""


class ObjectKeyInvalid(BucketError):
    """A key that not every bucket could keep, or that means something to a path."""


class ObjectTooLarge(BucketError):
    """An object holds more bytes than the one who asked for it, or sent it, may have."""


class LinkRefused(MillraceError):
    """A presigned link was not honoured. `rule`: method, query, signature, expired, content_type or size."""

    def __init__(self, rule: str, message: str):
        self.rule = rule
        super().__init__(f"{rule}: {message}")


class CommandRefused(MillraceError):
    """An operator's command was not carried out. The message says why, and what to do instead."""


class QueueUnavailable(MillraceError):
    """There is no queue to be looked after, or it does not answer. A ring never raises it."""


class StackUnavailable(MillraceError):
    """CloudFormation, or a function of the stack, cannot be reached or does not answer."""


class SealError(MillraceError):
    """A secret could not be sealed or opened."""


class SealBroken(SealError):
    """It was sealed with another key or for another row, or has been changed since."""


class SealUnavailable(SealError):
    """The key cannot be reached at the moment, or is not there."""


class ConfigurationInvalid(MillraceError):
    """A variable of the environment is missing or makes no sense. The message names it."""
