"""A database on SQLite and one on PostgreSQL, to be copied from the one to the other."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from millrace.bindings.database import Database
from millrace.migrations import cutover
from millrace.migrations.cutover import Report, Sides
from tests.databases import MIGRATIONS, FreshDatabase
from tests.every_table import fill, read_shapes
from tests.factories import NOW

# Small, so that a few rows are many chunks.
CHUNK_ROWS = 3

Row = dict[str, Any]


@dataclass
class Move:
    """From `source` to `target`."""

    source: FreshDatabase
    target: FreshDatabase
    rejects: Path

    def fill(self, *, rows: int) -> list[str]:
        """So many rows in every table of the source. The tables' names, parents first."""
        with self.source_connection() as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            return fill(connection, rows=rows)

    def spoil(self, sql: str, *values: Any) -> None:
        """Write to the source what its rules forbid."""
        with self.source_connection() as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(sql, values)

    def edit_target(self, sql: str) -> None:
        self.target.open(role=None).prepare(sql).run()

    def copy(self, *, progress: Any = None) -> Report:
        def copy_and_finish(sides: Sides) -> Report:
            report = cutover.copy(sides, rejects=self.rejects, chunk_rows=CHUNK_ROWS)
            cutover.finish(sides, report)
            return report

        return self._with_sides(copy_and_finish, progress=progress)

    def verify(self) -> Report:
        return self._with_sides(lambda sides: cutover.verify(sides, rejects=self.rejects))

    def rehearse(self) -> Report:
        return self._with_sides(lambda sides: cutover.rehearse(sides, rejects=self.rejects))

    def tables(self) -> list[str]:
        with self.source_connection() as connection:
            return [shape.name for shape in read_shapes(connection)]

    def contents(self, side: FreshDatabase) -> dict[str, list[Row]]:
        """Every row of every table as `env.DB` reads it: the comparison that knows nothing of hashes."""
        db = side.open(role=None)
        return {table: read_rows(db, table) for table in self.tables()}

    def has_marks(self) -> bool:
        found = self.target.open(role=None).prepare("SELECT to_regclass('millrace_cutover.marks') IS NULL")
        return found.raw() == [(False,)]

    @contextmanager
    def source_connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.source.url.removeprefix("sqlite://"))
        try:
            with connection:
                yield connection
        finally:
            connection.close()

    def _with_sides(self, act: Callable[[Sides], Report], *, progress: Any = None) -> Report:
        progress = progress or cutover.Progress(StringIO(), now=lambda: NOW)
        with cutover.open_sides(
            self.source.url, self.target.url, folder=MIGRATIONS, now=lambda: NOW, progress=progress
        ) as sides:
            return act(sides)


def read_rows(db: Database, table: str) -> list[Row]:
    """In an order of our own, by all that is not a document: those have keys in no order."""
    rows = [dict(sorted(row.items())) for row in db.prepare(f"SELECT * FROM {table}").all().results]
    return sorted(rows, key=lambda row: repr([v for v in row.values() if not isinstance(v, dict | list)]))


def read_rejects(move: Move) -> list[dict[str, Any]]:
    return [json.loads(line) for line in move.rejects.read_text().splitlines()]
