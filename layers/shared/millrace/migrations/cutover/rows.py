"""Rows on their way: converted, or rejected with the reason, and counted."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from millrace.migrations.cutover.conversion import (
    CONVERT,
    NULL,
    Unconvertible,
    canonical_json,
    document_text,
)
from millrace.migrations.cutover.schema import Table
from millrace.migrations.cutover.tally import Tally

# What the report counts, by the type it has in the target.
COUNTED = {"timestamptz": "times", "bool": "booleans", "jsonb": "JSON documents"}


@dataclass(slots=True)
class Converted:
    """A row as COPY takes it (`line`) and as both sides are compared (`canonical`)."""

    rowid: int
    values: tuple[Any, ...]
    line: bytes
    canonical: bytes

    @property
    def size(self) -> int:
        return len(self.line)


@dataclass(slots=True)
class Rejected:
    """A row that stays behind, and why; `column` where one value is the reason."""

    rowid: int
    values: tuple[Any, ...]
    reason: str
    column: str | None = None

    @property
    def size(self) -> int:
        return sum(len(value) if isinstance(value, str | bytes) else 1 for value in self.values)

    def to_json(self, table: Table) -> str:
        """One line of the rejects file, in ASCII: so that even what is not Unicode can be written down."""
        row = dict(zip((column.name for column in table.columns), self.values, strict=True))
        said = {"table": table.name, "rowid": self.rowid, "column": self.column, "reason": self.reason}
        return json.dumps({**said, "row": row}, default=lambda value: {"hex": value.hex()})


class RowReader:
    """Turns the raw rows of one table into lines, and counts what it has seen."""

    def __init__(self, table: Table):
        self.table = table
        self.read = Tally()
        self.counted: Counter[str] = Counter()
        kinds = [column.kind for column in table.columns]
        self._convert: list[Callable[[Any], str]] = [CONVERT[kind] for kind in kinds]
        self._documents = [place for place, kind in enumerate(kinds) if kind == "jsonb"]
        self._counted = [(place, COUNTED[kind]) for place, kind in enumerate(kinds) if kind in COUNTED]

    def take(self, raw: tuple[Any, ...]) -> Converted | Rejected:
        """`raw`: the rowid, then the values."""
        values = raw[1:]
        try:
            row = self._convert_row(raw[0], values)
        except (Unconvertible, UnicodeEncodeError):
            self.read.add(repr(values).encode("utf-8", "surrogateescape"))
            return self._explain(raw[0], values)
        self.read.add(row.canonical)
        for place, what in self._counted:
            if values[place] is not None:
                self.counted[what] += 1
        return row

    def _convert_row(self, rowid: int, values: tuple[Any, ...]) -> Converted:
        fields = [
            NULL if value is None else convert(value)
            for convert, value in zip(self._convert, values, strict=True)
        ]
        line = canonical = ("\t".join(fields) + "\n").encode()
        if self._documents:
            for place in self._documents:
                if values[place] is not None:
                    fields[place] = canonical_json(document_text(values[place]))
            canonical = ("\t".join(fields) + "\n").encode()
        return Converted(rowid, values, line, canonical)

    def _explain(self, rowid: int, values: tuple[Any, ...]) -> Rejected:
        """Find the value that would not go: one at a time, because only here it matters which."""
        for column, convert, value in zip(self.table.columns, self._convert, values, strict=True):
            try:
                if value is not None:
                    convert(value).encode()
                    if column.kind == "jsonb":
                        canonical_json(document_text(value)).encode()
            except Unconvertible as refusal:
                return Rejected(rowid, values, str(refusal), column.name)
            except UnicodeEncodeError:
                return Rejected(rowid, values, "text that is not valid Unicode", column.name)
        raise AssertionError(f"{self.table.name}, row {rowid}: every value converts, yet the row did not")
