"""Copying: chunk by chunk, each committed together with the mark that says it was."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from millrace.errors import CutoverRefused
from millrace.migrations.cutover.comparing import tally_target
from millrace.migrations.cutover.marks import Mark
from millrace.migrations.cutover.rejects import RejectsFile
from millrace.migrations.cutover.report import Report, TableReport
from millrace.migrations.cutover.rows import Converted, Rejected, RowReader
from millrace.migrations.cutover.schema import Table
from millrace.migrations.cutover.sides import Sides, check_empty
from millrace.migrations.cutover.tally import Tally

CHUNK_ROWS = 5_000
# A few large documents are a chunk too, so that memory does not grow with them.
CHUNK_BYTES = 4 << 20


@dataclass(slots=True)
class Chunk:
    """Rows that are committed together. `read`: what the table came to at their end, all before included."""

    converted: list[Converted] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    read: Tally = field(default_factory=Tally)
    last_rowid: int = 0
    size: int = 0

    @property
    def rows(self) -> int:
        return len(self.converted) + len(self.rejected)

    def add(self, row: Converted | Rejected) -> None:
        self.last_rowid = row.rowid
        self.size += row.size
        if isinstance(row, Converted):
            self.converted.append(row)
        else:
            self.rejected.append(row)

    def ended(self, read: Tally) -> Self:
        self.read = replace(read)
        return self


def copy(sides: Sides, *, rejects: Path, chunk_rows: int = CHUNK_ROWS) -> Report:
    """Begin, or go on where a copy was interrupted; then compare both sides.

    The marks stay in the target until `finish`, so until then it can always be run again.
    """
    sides.target.lock()
    RejectsFile(rejects).check()
    if not sides.marks.exist():
        begin(sides)
    marks = sides.marks.read()
    done = []
    for table in sides.tables:
        mark = marks.get(table.name, Mark())
        done.append((mark, copy_table(sides, table, mark=mark, chunk_rows=chunk_rows)))
    rejected = sides.marks.count_rejects()
    sides.marks.write_rejects(rejects)
    sides.target.analyze(sides.tables)
    return Report([compare(sides, mark, reader, rejected=rejected) for mark, reader in done])


def finish(sides: Sides, report: Report) -> None:
    """Once the report is safe: take the marks away, unless the sides differ and must be compared again."""
    if not report.differing:
        sides.marks.drop()


def compare(sides: Sides, mark: Mark, reader: RowReader, *, rejected: dict[str, int]) -> TableReport:
    table = reader.table
    target = tally_target(sides, table, expected=mark.copied.rows)
    return TableReport(
        table.name, mark.read.rows, rejected.get(table.name, 0), mark.copied, target, reader.counted
    )


def begin(sides: Sides) -> None:
    """Take away what the migrations put there, for the source has its own, and set up the marks."""
    with sides.target.transaction():
        sides.target.keep_others_out(sides.tables)
        check_empty(sides)
        sides.target.empty(reversed(sides.tables))
        sides.marks.create()


def copy_table(sides: Sides, table: Table, *, mark: Mark, chunk_rows: int) -> RowReader:
    """Move the mark to the table's end."""
    reader = RowReader(table)
    if mark.last_rowid is not None:
        check_unchanged(sides, reader, mark=mark)
    total = sides.source.count(table, after=mark.last_rowid)
    chunks = cut(reader, raw=sides.source.read(table, after=mark.last_rowid), most=chunk_rows)
    with sides.progress.of(f"copying {table.name}", total=total) as report:
        for chunk in read_ahead(chunks):
            store(sides, table, chunk=chunk, mark=mark)
            report(chunk.rows)
    return reader


def read_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """Convert the next chunk while the server takes in this one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        following = pool.submit(next, chunks, None)
        while chunk := following.result():
            following = pool.submit(next, chunks, None)
            yield chunk


def check_unchanged(sides: Sides, reader: RowReader, *, mark: Mark) -> None:
    """Read again what was read before: what is copied must be the table as it is now."""
    with sides.progress.of(f"checking {reader.table.name}", total=mark.read.rows) as report:
        for row in sides.source.read(reader.table, until=mark.last_rowid):
            reader.take(row)
            report(1)
    if reader.read != mark.read:
        raise CutoverRefused(
            f"the source's {reader.table.name} has changed since the interrupted copy read it: stop all that "
            "writes to the source, make the target anew (drop, create, migrate), and copy again"
        )


def cut(reader: RowReader, *, raw: Iterator[tuple[Any, ...]], most: int) -> Iterator[Chunk]:
    """Chunks of at most so many rows, or of about CHUNK_BYTES."""
    chunk = Chunk()
    for row in map(reader.take, raw):
        chunk.add(row)
        if chunk.rows >= most or chunk.size >= CHUNK_BYTES:
            yield chunk.ended(reader.read)
            chunk = Chunk()
    if chunk.rows:
        yield chunk.ended(reader.read)


def store(sides: Sides, table: Table, *, chunk: Chunk, mark: Mark) -> None:
    """One chunk, its rejects and the mark: all of it or nothing."""
    with sides.target.transaction():
        refused = sides.target.store(table, chunk.converted)
        behind = {row.rowid for row in refused}
        for row in chunk.converted:
            if row.rowid not in behind:
                mark.copied.add(row.canonical)
        mark.last_rowid, mark.read = chunk.last_rowid, chunk.read
        rejects = sorted(chunk.rejected + refused, key=lambda reject: reject.rowid)
        sides.marks.keep_rejects(table, rejects)
        sides.marks.set(table, mark)
