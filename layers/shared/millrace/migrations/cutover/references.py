"""Rows that refer to what is not in the target: found by one question for each foreign key."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from millrace.migrations.cutover.rows import Converted, Rejected
from millrace.migrations.cutover.schema import Table, quote
from millrace.migrations.cutover.session import Session

FOREIGN_KEYS = """
SELECT child.relname, k.conname, parent.relname, here.attname, there.attname
FROM pg_constraint k
JOIN pg_class child ON child.oid = k.conrelid
JOIN pg_class parent ON parent.oid = k.confrelid
CROSS JOIN unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair(here, there, place)
JOIN pg_attribute here ON here.attrelid = k.conrelid AND here.attnum = pair.here
JOIN pg_attribute there ON there.attrelid = k.confrelid AND there.attnum = pair.there
WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
ORDER BY child.relname, k.conname, pair.place
"""
# A reference with a NULL in it refers to nothing, and may.
DANGLING = """
SELECT child.place FROM jsonb_to_recordset($1::jsonb) AS child(place int, {columns})
WHERE {given} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {same})
"""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`pairs`: each column of the child, and the parent's that it names."""

    name: str
    child: str
    parent: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def reason(self) -> str:
        columns = ", ".join(here for here, _ in self.pairs)
        return f"23503: nothing in {self.parent} has this {columns} ({self.name})"


def read_foreign_keys(session: Session) -> list[ForeignKey]:
    keys = groupby(session.execute(FOREIGN_KEYS), key=lambda row: tuple(row[:3]))
    return [
        ForeignKey(name, child, parent, tuple((row[3], row[4]) for row in rows))
        for (child, name, parent), rows in keys
    ]


def find_dangling(
    session: Session, keys: Iterable[ForeignKey], *, table: Table, rows: Sequence[Converted]
) -> list[Rejected]:
    """Those of the rows that refer to nothing, each with the first key that says so."""
    found: dict[int, Rejected] = {}
    for key in keys:
        column = key.pairs[0][0] if len(key.pairs) == 1 else None
        for place in ask(session, key, table=table, rows=rows):
            row = rows[place]
            found.setdefault(place, Rejected(row.rowid, row.values, key.reason, column))
    return [found[place] for place in sorted(found)]


def ask(session: Session, key: ForeignKey, *, table: Table, rows: Sequence[Converted]) -> list[int]:
    """At which places of `rows` the reference is to nothing."""
    places = {column.name: place for place, column in enumerate(table.columns)}
    columns = [(here, table.columns[places[here]].kind) for here, _ in key.pairs]
    references = [
        {"place": number} | {here: row.values[places[here]] for here, _ in columns}
        for number, row in enumerate(rows)
    ]
    sql = DANGLING.format(
        columns=", ".join(f"{quote(here)} {kind}" for here, kind in columns),
        given=" AND ".join(f"child.{quote(here)} IS NOT NULL" for here, _ in key.pairs),
        parent=quote(key.parent),
        same=" AND ".join(f"parent.{quote(there)} = child.{quote(here)}" for here, there in key.pairs),
    )
    # Bytes as PostgreSQL reads them.
    asked = json.dumps(references, default=lambda value: rf"\x{value.hex()}")
    return [row[0] for row in session.execute(sql, asked)]
