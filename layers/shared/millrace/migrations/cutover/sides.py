"""Both sides of a cutover, opened and found fit for each other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Unpack

from millrace.errors import CutoverRefused
from millrace.migrations.cutover.marks import Marks
from millrace.migrations.cutover.progress import Progress
from millrace.migrations.cutover.rows import Converted, RowReader
from millrace.migrations.cutover.schema import Table
from millrace.migrations.cutover.session import open_session
from millrace.migrations.cutover.source import Source, open_source
from millrace.migrations.cutover.target import Target
from millrace.migrations.history import TABLES as HISTORY
from millrace.migrations.runner import status, up
from millrace.migrations.targets import Login

NOT_COPIED = frozenset(HISTORY)


@dataclass(frozen=True, slots=True)
class Sides:
    """`tables` in the order in which rows can go in; `shipped`, by table, what migrations put into each."""

    source: Source
    target: Target
    marks: Marks
    tables: list[Table]
    shipped: dict[str, list[bytes]]
    progress: Progress


@contextmanager
def open_sides(
    source_url: str,
    target_url: str,
    *,
    folder: Path,
    now: Callable[[], datetime],
    progress: Progress,
    **login: Unpack[Login],
) -> Iterator[Sides]:
    """CutoverRefused when they cannot be copied one to the other as they are, with what to do."""
    with open_source(source_url) as source, open_session(target_url, **login) as session:
        target = Target(session)
        tables = target.read_tables(without=NOT_COPIED)
        check_migrations("source", source_url, folder=folder)
        check_migrations("target", target_url, folder=folder, **login)
        source.check_tables(tables, without=NOT_COPIED)
        shipped = read_shipped(tables, folder=folder, now=now())
        yield Sides(source, target, Marks(session), tables, shipped, progress)


def check_migrations(side: str, database_url: str, *, folder: Path, **login: Unpack[Login]) -> None:
    found = status(database_url, folder=folder, **login)
    if found.problems:
        raise CutoverRefused(f"the {side}'s migrations: {'; '.join(found.problems)}")
    if found.pending:
        raise CutoverRefused(
            f"the {side} lacks {', '.join(found.pending)}: run `millrace migrations up` on it first"
        )


def read_shipped(tables: list[Table], *, folder: Path, now: datetime) -> dict[str, list[bytes]]:
    """What a database holds that was migrated and never used: found by making one."""
    with TemporaryDirectory() as place:
        scratch_url = f"sqlite://{place}/scratch.db"
        up(scratch_url, folder=folder, now=now)
        with open_source(scratch_url) as scratch:
            return {
                table.name: [
                    row.canonical
                    for row in map(RowReader(table).take, scratch.read(table))
                    if isinstance(row, Converted)
                ]
                for table in tables
            }


def check_empty(sides: Sides) -> None:
    """CutoverRefused when the target holds more than its migrations put there."""
    used = [
        table.name
        for table in sides.tables
        if sides.target.find_foreign(table, shipped=sides.shipped[table.name])
    ]
    if used:
        raise CutoverRefused(
            f"the target holds rows that its migrations did not put there, in {', '.join(used)}: make it "
            "anew (docs/cutover.md) and copy again. (Was it copied already? --verify-only tells.)"
        )
