"""The tables to be copied, as the target's catalog has them, each after those it refers to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from millrace.errors import CutoverRefused
from millrace.migrations.cutover.conversion import CONVERT

COLUMNS = """
SELECT c.relname, a.attname, t.typname
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
ORDER BY c.relname, a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """`kind`: PostgreSQL's name of its type."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table, with its columns in the target's order."""

    name: str
    columns: tuple[Column, ...]

    @property
    def quoted(self) -> str:
        return quote(self.name)

    @property
    def column_list(self) -> str:
        return ", ".join(quote(column.name) for column in self.columns)


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def make_tables(columns: Iterable[tuple[str, str, str]], *, without: frozenset[str]) -> dict[str, Table]:
    """The tables by name. CutoverRefused when a column has a type that nobody taught us to convert."""
    found: defaultdict[str, list[Column]] = defaultdict(list)
    for table, column, kind in columns:
        if table in without:
            continue
        if kind not in CONVERT:
            raise CutoverRefused(
                f"{table}.{column} is of type {kind}, which copy does not know how to convert"
            )
        found[table].append(Column(column, kind))
    return {name: Table(name, tuple(listed)) for name, listed in found.items()}


def order_tables(tables: dict[str, Table], *, foreign_keys: Iterable[tuple[str, str]]) -> list[Table]:
    """Parents first."""
    parents: dict[str, set[str]] = {name: set() for name in sorted(tables)}
    for child, parent in foreign_keys:
        if child in parents and parent in parents:
            parents[child].add(parent)
    try:
        return [tables[name] for name in TopologicalSorter(parents).static_order()]
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise CutoverRefused(f"these tables refer to each other in a circle: {circle}") from error
