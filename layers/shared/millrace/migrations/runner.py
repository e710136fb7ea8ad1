"""Applying migrations: in number order, each file whole or not at all, one runner at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from millrace.bindings.postgres import Password
from millrace.errors import MigrationFailed, StatementInvalid
from millrace.migrations.files import Migration, read_folder, split
from millrace.migrations.targets import Target, open_target

APPLIED = "SELECT version FROM schema_migrations"
# dbmate's table, and when we applied it.
CREATE_TRACKING = """
CREATE TABLE IF NOT EXISTS schema_migrations (version VARCHAR(255) PRIMARY KEY, applied_at TIMESTAMPTZ)
"""


@dataclass(frozen=True, slots=True)
class Status:
    """File names, in number order."""

    applied: list[str]
    pending: list[str]


def up(
    database_url: str,
    *,
    folder: Path,
    now: datetime,
    user: str | None = None,
    password: Password = None,
    report: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Apply what is pending and return the files' names; `report` hears of each as it is done."""
    target = open_target(database_url, user=user, password=password)
    try:
        with target.transaction():
            target.execute(CREATE_TRACKING)
        done = []
        for migration in read_folder(folder, dialect=target.dialect):
            if _apply(target, migration, now=now):
                done.append(migration.name)
                report(migration.name)
        return done
    finally:
        target.close()


def status(database_url: str, *, folder: Path, user: str | None = None, password: Password = None) -> Status:
    """What has been applied and what has not. A database that never saw us has everything pending."""
    target = open_target(database_url, user=user, password=password)
    try:
        with target.transaction():
            target.execute(CREATE_TRACKING)
            applied = _applied(target)
        files = read_folder(folder, dialect=target.dialect)
        return Status(
            applied=[file.name for file in files if file.version in applied],
            pending=[file.name for file in files if file.version not in applied],
        )
    finally:
        target.close()


def _apply(target: Target, migration: Migration, *, now: datetime) -> bool:
    """False when it was applied already, perhaps by the runner we have just waited for."""
    with target.transaction():
        if migration.version in _applied(target):
            return False
        for number, step in enumerate(split(migration.up), start=1):
            try:
                target.execute(step.sql)
            except StatementInvalid as error:
                where = f"{migration.name}, statement {number} (line {step.line})"
                raise MigrationFailed(f"{where}: {error}. Nothing of this file was kept.") from error
        target.record(migration.version, now=now)
    return True


def _applied(target: Target) -> set[str]:
    return {row[0] for row in target.execute(APPLIED)}
