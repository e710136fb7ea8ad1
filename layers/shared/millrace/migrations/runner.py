"""Applying migrations and rolling them back: in number order, one runner at a time, no file by halves."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Unpack

from millrace.errors import MigrationFailed, MigrationInvalid, StatementInvalid
from millrace.migrations import history
from millrace.migrations.files import Migration, Section, read_folder
from millrace.migrations.history import Plan
from millrace.migrations.losses import refuse_losses
from millrace.migrations.opening import opened
from millrace.migrations.targets import Login, Report, Target, say_nothing

NOTHING_KEPT = "Nothing of this file was kept."
CUTOVER_BEGUN = "SELECT 1 FROM pg_namespace WHERE nspname = 'millrace_cutover'"
CUTOVER_ADVICE = (
    "a cutover to this database has begun and not ended, and what it has copied fits the schema as it is. "
    "Run millrace copy again: it goes on. Or give it up: make this database anew. Nothing was changed."
)

# A build that failed or was killed leaves an index behind that no query uses, in the way of the next build.
BROKEN_INDEX = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass('{}') AND NOT indisvalid"


@dataclass(frozen=True, slots=True)
class Status:
    """File names, in number order. While there are `problems`, `up` and `down` refuse with their words."""

    applied: list[str]
    pending: list[str]
    problems: list[str]


def up(
    database_url: str, *, folder: Path, now: datetime, report: Report = say_nothing, **login: Unpack[Login]
) -> list[str]:
    """Apply what is pending and return the files' names; `report` hears of each as it is begun."""
    with opened(database_url, **login) as target:
        return _Runner(target, folder=folder, report=report).up(now=now)


def down(
    database_url: str,
    *,
    folder: Path,
    count: int = 1,
    keep_rows: bool = False,
    report: Report = say_nothing,
    **login: Unpack[Login],
) -> list[str]:
    """Roll the last `count` files back, the last first, and return their names.

    `keep_rows`: MigrationInvalid, before anything is done, if tables that they drop hold rows.
    """
    with opened(database_url, **login) as target:
        return _Runner(target, folder=folder, report=report).down(count, keep_rows=keep_rows)


def status(database_url: str, *, folder: Path, **login: Unpack[Login]) -> Status:
    """How the database stands. It changes nothing."""
    plan = read_plan(database_url, folder=folder, **login)
    applied, pending = ([file.name for file in files] for files in (plan.applied, plan.pending))
    return Status(applied, pending, plan.problems)


def read_plan(database_url: str, *, folder: Path, **login: Unpack[Login]) -> Plan:
    """What `up` and `down` would go by. It changes nothing."""
    with opened(database_url, for_reading=True, **login) as target:
        return history.make_plan(target, files=read_folder(folder, dialect=target.dialect))


def check(plan: Plan) -> Plan:
    """The plan, if it may be followed. MigrationInvalid names every file that forbids it."""
    if plan.problems:
        raise MigrationInvalid(". ".join([*plan.problems, "Nothing was changed."]))
    return plan


class _Runner:
    def __init__(self, target: Target, *, folder: Path, report: Report):
        self._target = target
        self._files = read_folder(folder, dialect=target.dialect)
        self._report = report

    def up(self, *, now: datetime) -> list[str]:
        done: list[str] = []
        with self._target.lock(self._report):
            self._prepare()
            # Looked at anew for each: on SQLite another runner may have its turn between two files.
            while file := self._move("up", now=now):
                done.append(file.name)
        return done

    def down(self, count: int, *, keep_rows: bool) -> list[str]:
        done: list[str] = []
        with self._target.lock(self._report):
            self._prepare()
            if keep_rows:
                refuse_losses(self._target, self._plan().applied[::-1][:count])
            while len(done) < count and (file := self._move("down")):
                done.append(file.name)
        return done

    def _prepare(self) -> None:
        with self._target.transaction():
            # Differs: only onto PostgreSQL is there a cutover, which leaves this behind until it has ended.
            if self._target.dialect == "postgres" and self._target.execute(CUTOVER_BEGUN):
                raise MigrationInvalid(CUTOVER_ADVICE)
            history.prepare(self._target, files=self._files)

    def _move(self, way: Literal["up", "down"], *, now: datetime | None = None) -> Migration | None:
        """One file. None when there is none left, perhaps thanks to the runner we have just waited for."""
        file = None
        try:
            with self._target.transaction():
                file = self._next(way)
                if file is None:
                    return None
                section = file.up if way == "up" else file.down
                self._report(f"{'Applying' if way == 'up' else 'Rolling back'} {file.name}")
                if not section.alone:
                    self._run(file, section)
                    history.keep(self._target, file, applied_at=now)
            if section.alone:
                self._run_alone(file, section)
                with self._target.transaction():
                    history.keep(self._target, file, applied_at=now)
        except StatementInvalid as error:
            where = f"{file.name}, at its end" if file else "The history of migrations"
            raise MigrationFailed(f"{where}: {error}. {NOTHING_KEPT}") from error
        return file

    def _next(self, way: Literal["up", "down"]) -> Migration | None:
        plan = self._plan()
        candidates = plan.pending if way == "up" else plan.applied[::-1]
        return next(iter(candidates), None)

    def _plan(self) -> Plan:
        return check(history.make_plan(self._target, files=self._files))

    def _run(self, file: Migration, section: Section) -> None:
        for number, step in enumerate(section.steps, start=1):
            try:
                self._target.execute(step.sql)
            except StatementInvalid as error:
                where = f"{file.name}, statement {number} (line {step.line})"
                raise MigrationFailed(f"{where}: {error}. {NOTHING_KEPT}") from error

    def _run_alone(self, file: Migration, section: Section) -> None:
        """Without a transaction: what a runner before us, or this one, leaves half done is taken away."""
        self._drop_broken_index(section)
        try:
            self._run(file, section)
        finally:
            broken = self._drop_broken_index(section)
        if broken:
            raise MigrationFailed(f"{file.name}: {section.index} was not built to its end. {NOTHING_KEPT}")

    def _drop_broken_index(self, section: Section) -> bool:
        """Whether there was one."""
        if section.index is None:
            return False
        quoted = section.index.replace("'", "''")
        if not self._target.execute(BROKEN_INDEX.format(quoted)):
            return False
        self._target.execute(f"DROP INDEX CONCURRENTLY {section.index}")
        return True
