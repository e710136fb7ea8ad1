"""What a cutover came to: per table the rows and the hash on either side."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from millrace.migrations.cutover.tally import Tally

SHOWN_OF_HASH = 16
LEFT_BEHIND = (
    "Leave them behind, or mend them in the source, make the target anew (docs/cutover.md) if it has the "
    "others already, and copy again."
)
WAY_OUT = (
    "If a copy was interrupted, run it again: it goes on. Else one side was changed since these rows were "
    "copied, or the rejects file is not that copy's: stop who writes, make the target anew (docs/cutover.md) "
    "and copy again."
)


@dataclass(frozen=True, slots=True)
class TableReport:
    """`copied`: what of the source belongs in the target. `target`: what is there; None after a rehearsal."""

    name: str
    read: int
    rejected: int
    copied: Tally
    target: Tally | None
    counted: Counter[str]

    @property
    def differs(self) -> bool:
        return self.target is not None and self.target != self.copied


@dataclass(frozen=True, slots=True)
class Report:
    """All tables, in the order they were copied in."""

    tables: list[TableReport]

    @property
    def rejected(self) -> int:
        return sum(table.rejected for table in self.tables)

    @property
    def differing(self) -> list[str]:
        return [table.name for table in self.tables if table.differs]

    def lines(self) -> Iterator[str]:
        """For a person: a table, what was converted, and the verdict."""
        yield f"{'table':<24}{'source':>12}{'rejected':>10}{'target':>12}  {'hash':<{SHOWN_OF_HASH}}"
        for table in self.tables:
            yield describe(table)
        counted = sum((table.counted for table in self.tables), Counter[str]())
        converted = ", ".join(f"{count:,} {what}" for what, count in sorted(counted.items()))
        yield f"Converted: {converted or 'nothing'}."
        if self.rejected:
            yield f"REJECTED: {self.rejected:,} rows. {LEFT_BEHIND}"
        if self.differing:
            yield f"DIFFERENT: {', '.join(self.differing)}."
            yield WAY_OUT
        elif all(table.target is not None for table in self.tables):
            which = "But for the rejected rows, every" if self.rejected else "Every"
            yield f"{which} table has the same rows and the same hash on both sides."


def describe(table: TableReport) -> str:
    there = "-" if table.target is None else f"{table.target.rows:,}"
    line = f"{table.name:<24}{table.read:>12,}{table.rejected:>10,}{there:>12}  {shorten(table.copied)}"
    return f"{line} here, {shorten(table.target)} there" if table.differs and table.target else line


def shorten(tally: Tally) -> str:
    return tally.digest[:SHOWN_OF_HASH]
