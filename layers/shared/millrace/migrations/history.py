"""What has been applied, as the database keeps it: dbmate's table, and beside it our checksums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from millrace.bindings.sqlite import to_text
from millrace.migrations.files import Migration
from millrace.migrations.targets import Target

TABLES = ("schema_migrations", "migration_checksums")

# dbmate's table, and when we applied it. dbmate makes it without that column.
CREATE_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_migrations (version VARCHAR(255) PRIMARY KEY, applied_at TIMESTAMPTZ)
"""
ADD_APPLIED_AT = "ALTER TABLE schema_migrations ADD COLUMN applied_at TIMESTAMPTZ"
CREATE_CHECKSUMS = """
CREATE TABLE IF NOT EXISTS migration_checksums (
  version VARCHAR(255) PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
)
"""
# dbmate rolled those back.
FORGET_ROLLED_BACK = """
DELETE FROM migration_checksums WHERE version NOT IN (SELECT version FROM schema_migrations)
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """A row of the history. `by_dbmate`: it has no checksum, because we have not run since.

    Without a checksum and not so: what we had written down is gone.
    """

    version: str
    name: str | None
    checksum: str | None
    by_dbmate: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Files against history, in number order. With `problems`, nothing may be applied or rolled back."""

    applied: list[Migration]
    pending: list[Migration]
    problems: list[str]


def make_plan(target: Target, *, files: Sequence[Migration]) -> Plan:
    """It only reads. A database that never saw us has everything pending."""
    history = read_history(target)
    versions = {row.version for row in history}
    applied = [file for file in files if file.version in versions]
    pending = [file for file in files if file.version not in versions]
    return Plan(applied, pending, list(_find_problems(history, files=files, pending=pending)))


def read_history(target: Target) -> list[Applied]:
    columns = target.columns_of("schema_migrations")
    if not columns:
        return []
    applied_at = "applied_at" if "applied_at" in columns else "NULL"
    rows = target.execute(f"SELECT version, {applied_at} FROM schema_migrations ORDER BY version")
    if not target.columns_of("migration_checksums"):
        return [Applied(version, None, None, by_dbmate=True) for version, _ in rows]
    checksums = target.execute("SELECT version, name, checksum FROM migration_checksums")
    kept = {row[0]: Applied(*row) for row in checksums}
    # dbmate leaves out when it applied a file.
    return [kept.get(version) or Applied(version, None, None, by_dbmate=at is None) for version, at in rows]


def prepare(target: Target, *, files: Sequence[Migration]) -> None:
    """Make the tables, and take over what dbmate has applied, with its files as they are now."""
    unnamed = {row.version for row in read_history(target) if row.by_dbmate}
    for table, create in zip(TABLES, (CREATE_HISTORY, CREATE_CHECKSUMS), strict=True):
        if not target.columns_of(table):
            target.execute(create)
    if "applied_at" not in target.columns_of("schema_migrations"):
        target.execute(ADD_APPLIED_AT)
    target.execute(FORGET_ROLLED_BACK)
    for file in files:
        if file.version in unnamed:
            _record_checksum(target, file)


# What is written into these statements comes from a file's name and from digits: nothing that wants quoting.
def keep(target: Target, file: Migration, *, applied_at: datetime | None) -> None:
    """Write down that the file has been applied, or with None that it has been rolled back."""
    if applied_at is None:
        for table in TABLES:
            target.execute(f"DELETE FROM {table} WHERE version = '{file.version}'")
    else:
        target.execute(
            "INSERT INTO schema_migrations (version, applied_at)"
            f" VALUES ('{file.version}', '{to_text(applied_at)}')"
        )
        _record_checksum(target, file)


def _record_checksum(target: Target, file: Migration) -> None:
    target.execute(
        "INSERT INTO migration_checksums (version, name, checksum)"
        f" VALUES ('{file.version}', '{file.name}', '{file.checksum}')"
    )


def _find_problems(
    history: Sequence[Applied], *, files: Sequence[Migration], pending: Sequence[Migration]
) -> Iterator[str]:
    known = {file.version: file for file in files}
    for row in history:
        file = known.get(row.version)
        if file is None:
            yield (
                f"{row.name or row.version} has been applied, but its file is not there. Bring it back from "
                "the version of the code that applied it; only with its file can it be rolled back"
            )
        elif row.checksum is None and not row.by_dbmate:
            yield (
                f"the checksum of {file.name} is gone, so nobody can tell whether it was edited. If no file "
                "was, DROP TABLE migration_checksums, then millrace migrations up: it keeps them anew"
            )
        elif row.checksum not in (None, file.checksum):
            yield (
                f"{file.name} was edited after it had been applied. Put it back as it was, and write the "
                "change into a new file (millrace migrations new WHAT_IT_DOES)"
            )
    if history:
        last = history[-1].version
        for file in takewhile(lambda file: file.version < last, pending):
            yield (
                f"{file.name} is pending, but {last}, which comes after it, has been applied. Give it a "
                f"number after {max(last, files[-1].version)}"
            )
