"""What bindings, operators' commands and the configuration fail with."""

from typing import Any

from millrace.errors.root import MillraceError


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


class ObjectExists(BucketError):
    """There is an object already where one was to be written that replaces none."""


class LinkRefused(MillraceError):
    """A presigned link was not honoured.

    `rule`: method, query, signature, expired, content_type, size or once.
    """

    def __init__(self, rule: str, message: str):
        self.rule = rule
        super().__init__(f"{rule}: {message}")


class CommandRefused(MillraceError):
    """An operator's command was not carried out. The message says why, and what to do instead."""


class QueueUnavailable(MillraceError):
    """There is no queue to be looked after, or it does not answer. A ring never raises it."""


class StackUnavailable(MillraceError):
    """CloudFormation, or a function of the stack, cannot be reached or does not answer."""


class SecretUnavailable(MillraceError):
    """A secret that is kept elsewhere cannot be had at the moment."""


class GpuUnknown(MillraceError):
    """An order may have reached the provider of GPUs, or not. It is no failure: the job may be running."""


class AuditChainBroken(MillraceError):
    """Sealed entries of the audit log are gone. The message says from which place on."""


class SealError(MillraceError):
    """A secret could not be sealed or opened."""


class SealBroken(SealError):
    """It was sealed with another key or for another row, or has been changed since."""


class SealUnavailable(SealError):
    """The key cannot be reached at the moment, or is not there."""


class ConfigurationInvalid(MillraceError):
    """A variable of the environment is missing or makes no sense. The message names it."""
