"""Looking without touching: comparing both sides, and rehearsing a copy."""

from collections.abc import Callable
from pathlib import Path

from millrace.migrations.cutover.rejects import LeftBehind, RejectsFile
from millrace.migrations.cutover.report import Report, TableReport
from millrace.migrations.cutover.rows import Converted, Rejected, RowReader
from millrace.migrations.cutover.schema import Table
from millrace.migrations.cutover.sides import Sides, check_empty
from millrace.migrations.cutover.tally import Tally


def verify(sides: Sides, *, rejects: Path) -> Report:
    """Read both sides to the end and compare.

    Rows that cannot be converted count as rejected, and those that the copy wrote to the rejects file, if
    they still are as they were then.
    """
    return Report(
        [
            read_table(sides, table, is_behind=LeftBehind(rejects, table).has, compare=True)
            for table in sides.tables
        ]
    )


def rehearse(sides: Sides, *, rejects: Path) -> Report:
    """Convert everything and write nothing but the rejects. What only the target can refuse is not found."""
    if not sides.marks.exist():
        check_empty(sides)
    with RejectsFile(rejects) as file:
        return Report([read_table(sides, table, reject=file.add) for table in sides.tables])


def read_table(
    sides: Sides,
    table: Table,
    *,
    reject: Callable[[Table, Rejected], None] = lambda table, row: None,
    is_behind: Callable[[Converted], bool] = lambda row: False,
    compare: bool = False,
) -> TableReport:
    reader, readable, rejected = RowReader(table), Tally(), 0
    with sides.progress.of(f"reading {table.name}", total=sides.source.count(table)) as report:
        for row in map(reader.take, sides.source.read(table)):
            if isinstance(row, Rejected):
                rejected += 1
                reject(table, row)
            elif is_behind(row):
                rejected += 1
            else:
                readable.add(row.canonical)
            report(1)
    target = tally_target(sides, table, expected=readable.rows) if compare else None
    return TableReport(table.name, reader.read.rows, rejected, readable, target, reader.counted)


def tally_target(sides: Sides, table: Table, *, expected: int) -> Tally:
    with sides.progress.of(f"comparing {table.name}", total=expected) as report:
        return sides.target.tally(table, report=report)
