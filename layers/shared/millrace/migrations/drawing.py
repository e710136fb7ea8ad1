"""The schema drawn for people: a diagram of how the tables hang together, then each table."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from millrace.migrations.targets import Schema

HEAD = """\
# The schema

Made by `make schema` from what the migrations make on SQLite, and held against it by a test: do not edit it.
PostgreSQL has the same tables, and row-level security besides. `schema_migrations` and `migration_checksums`,
which are not shown, keep which migrations have been applied.

The lines of the diagram are foreign keys, and in the boxes are the columns that are keys. There is no line
where a row may outlive what it tells of: metering (`usage_records`, `daily_usage`), events, the ledger, the
audit log.
`api_usage` is no such metering: it tells of the single calls of an enrichment and is deleted with it.

Money is in columns that end in `_microusd`, in whole millionths of a US dollar. Only the setting
`daily_spend_limit` is in dollars (`100.0`).
"""
FOREIGN_KEY = re.compile(r"FOREIGN KEY \((\w+)\) REFERENCES (\w+)")
PRIMARY_KEY = re.compile(r"PRIMARY KEY \(([^)]*)\)")
INDEX = re.compile(r"CREATE (UNIQUE )?INDEX \w+ ON (\w+) ?(.*)", re.IGNORECASE)


@dataclass(slots=True)
class Table:
    name: str
    columns: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    indexes: dict[str, str] = field(default_factory=dict)

    @property
    def foreign_keys(self) -> list[tuple[str, str]]:
        """Column, and the table it points at."""
        found = (FOREIGN_KEY.search(rule) for rule in self.rules.values())
        return [(key[1], key[2]) for key in found if key]

    @property
    def primary_key(self) -> list[str]:
        alone = [column for column, text in self.columns.items() if "PRIMARY KEY" in text]
        found = (PRIMARY_KEY.search(rule) for rule in self.rules.values())
        return next((key[1].split(", ") for key in found if key), alone)


def draw(schema: Schema) -> str:
    """Markdown. The schema is one of SQLite, whose things come in the order they were made."""
    tables = list(_gather(schema).values())
    views = {thing.removeprefix("view "): text for thing, text in schema.items() if thing.startswith("view ")}
    lines = [HEAD, "```mermaid", "erDiagram", *_lines_of_diagram(tables), "```"]
    for table in tables:
        lines += ["", f"## {table.name}", "", *_lines_of_table(table)]
    lines += ["", "## Views", ""]
    lines += [f"- **{name}**: `{text.partition(' AS ')[2]}`" for name, text in views.items()]
    return "\n".join(lines) + "\n"


def _gather(schema: Schema) -> dict[str, Table]:
    tables = {name: Table(name) for kind, name in map(_split, schema) if kind == "table"}
    for thing, text in schema.items():
        kind, name = _split(thing)
        if kind == "index" and (found := INDEX.match(text)):
            unique, table, rest = found.groups()
            tables[table].indexes[name] = f"{'unique ' if unique else ''}{rest}"
        elif kind in ("column", "constraint"):
            table, _, part = name.replace(": ", ".", 1).partition(".")
            if kind == "column":
                tables[table].columns[part] = text
            else:
                tables[table].rules[part if text else f"({len(tables[table].rules)})"] = text or part
    return tables


def _split(thing: str) -> tuple[str, str]:
    kind, _, name = thing.partition(" ")
    return kind, name


def _lines_of_diagram(tables: list[Table]) -> Iterator[str]:
    for table in tables:
        for column, parent in table.foreign_keys:
            always = "NOT NULL" in table.columns.get(column, "")
            yield f"  {parent} {'||' if always else '|o'}--o{{ {table.name} : {column}"
    for table in tables:
        marks = dict.fromkeys(table.primary_key, "PK")
        marks |= {column: "FK" for column, _ in table.foreign_keys if column not in marks}
        yield f"  {table.name} {{"
        for column, mark in marks.items():
            yield f"    {table.columns[column].partition(' ')[0]} {column} {mark}"
        yield "  }"


def _lines_of_table(table: Table) -> Iterator[str]:
    yield "| column | is |"
    yield "|---|---|"
    for column, text in table.columns.items():
        yield f"| {column} | {_cell(text)} |"
    for title, parts in (("Rules", table.rules), ("Indexes", table.indexes)):
        if parts:
            yield ""
            yield f"{title}:"
            yield ""
            for name, text in parts.items():
                yield f"- `{text}`" if name.startswith("(") else f"- **{name}**: `{text}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
