"""Many rows in every table with awkward values in every column, made from the schema alone."""

import json
import re
import sqlite3
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

TABLES = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name"
HISTORY = {"schema_migrations", "migration_checksums"}
# What is awkward on the way: COPY's own signs, quotes, a newline, beyond ASCII and beyond the basic plane.
TEXT = "tab\t back\\slash \\N 'quote' \"double\"\nline two\r é 東京 🏠"


@dataclass
class TableShape:
    """What a row of this table has to look like."""

    name: str
    sql: str
    columns: dict[str, str]
    nullable: set[str]
    parents: dict[str, str] = field(default_factory=dict)

    def choices(self, column: str) -> list[str]:
        """The words that a CHECK allows."""
        listed = re.search(rf"\b{column} IN \(([^)]*)\)", self.sql)
        return re.findall(r"'([^']*)'", listed[1]) if listed else []

    def prefix(self, column: str) -> str:
        """What a CHECK wants a text to begin with."""
        wanted = re.search(rf"\b{column} LIKE '([^%']*)%'", self.sql)
        return wanted[1] if wanted else ""

    def may_be_null(self, column: str) -> bool:
        """Nullable, and no rule of the table asks about it."""
        rules = self.sql.partition("CONSTRAINT")[2]
        return column in self.nullable and not re.search(rf"\b{column}\b", rules)


def read_shapes(connection: sqlite3.Connection) -> list[TableShape]:
    """Parents first."""
    shapes = {name: read_shape(connection, name, sql) for name, sql in connection.execute(TABLES).fetchall()}
    order = TopologicalSorter({name: set(shape.parents.values()) for name, shape in shapes.items()})
    return [shapes[name] for name in order.static_order() if name not in HISTORY]


def read_shape(connection: sqlite3.Connection, name: str, sql: str) -> TableShape:
    columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
    keys = connection.execute(f"PRAGMA foreign_key_list({name})").fetchall()
    return TableShape(
        name=name,
        sql=sql,
        columns={column[1]: column[2] for column in columns},
        nullable={column[1] for column in columns if not column[3] and not column[5]},
        parents={key[3]: key[2] for key in keys},
    )


def fill(connection: sqlite3.Connection, *, rows: int, only: set[str] | None = None) -> list[str]:
    """So many rows in each table, row N referring to row N of its parents. The tables' names."""
    shapes = read_shapes(connection)
    for shape in shapes:
        if only is None or shape.name in only:
            for number in range(rows):
                insert_row(connection, shape, number=number)
    return [shape.name for shape in shapes]


def insert_row(connection: sqlite3.Connection, shape: TableShape, *, number: int) -> None:
    """With a value in every column, or all but one where a rule wants it so (who is live has not ended).

    Where a rule wants that some is left of a limit, nothing is used.
    """
    row = {column: make_value(shape, column, number=number) for column in shape.columns}
    insert = f"INSERT INTO {shape.name} VALUES ({', '.join('?' * len(row))})"
    changes = [{}, *({column: None} for column in sorted(shape.nullable))]
    changes += [{column: 0} for column in row if column == "used"]
    for change in changes:
        try:
            connection.execute(insert, list((row | change).values()))
        except sqlite3.IntegrityError as error:
            refusal = error
        else:
            return
    raise refusal


def make_value(shape: TableShape, column: str, *, number: int) -> object:
    if column in shape.parents:
        return f"{shape.parents[column]}-{number}"
    if column == "id":
        return f"{shape.name}-{number}"
    if number % 5 == 4 and shape.may_be_null(column):
        return None
    if words := shape.choices(column):
        return words[number % len(words)]
    kind = "JSONB" if f"json_valid({column})" in shape.sql else shape.columns[column]
    value = VALUES[kind](number, column)
    return f"{shape.prefix(column)}{value}" if isinstance(value, str) else value


VALUES = {
    "TEXT": lambda number, column: f"{column} {number} {TEXT if number % 3 == 0 else ''}",
    "INTEGER": lambda number, column: 1,
    "BIGINT": lambda number, column: 2**53 + number,
    "DOUBLE PRECISION": lambda number, column: (number % 7) / 7,
    "BOOLEAN": lambda number, column: number % 2,
    "TIMESTAMPTZ": lambda number, column: f"2025-12-{number % 28 + 1:02}T10:{number % 60:02}:00.{number:06}Z",
    "DATE": lambda number, column: f"2026-02-{number % 28 + 1:02}",
    "JSONB": lambda number, column: json.dumps(
        {"text": TEXT, "number": number, "share": number / 7, "large": 1e22, "list": [True, None, {"a": []}]}
    ),
    "BYTEA": lambda number, column: bytes([number % 256, 0, 255]),
}
