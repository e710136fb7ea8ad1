"""Holding a database against its migrations: what they would make, and what is there."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Unpack

from millrace.errors import MigrationFailed, StatementInvalid
from millrace.migrations import history
from millrace.migrations.files import Migration, read_folder
from millrace.migrations.opening import opened
from millrace.migrations.targets import Login, Schema, Target

CONCURRENTLY = re.compile(r"\bCONCURRENTLY\b", re.IGNORECASE)
PART = re.compile(r"(?:column|constraint) (\w+)")


def verify(database_url: str, *, folder: Path, **login: Unpack[Login]) -> list[str]:
    """Each difference as a line to read; none is what one hopes for. It changes nothing.

    What is wrong with the history comes first, what is pending among it, and rows that point at nothing last.
    """
    with opened(database_url, for_reading=True, **login) as target:
        files = read_folder(folder, dialect=target.dialect)
        plan = history.make_plan(target, files=files)
        past = [*plan.problems, *(f"{file.name} is pending" for file in plan.pending)]
        found, roles, rows = target.read_schema(), target.list_unbound_roles(), target.list_dangling()
        with target.scratch() as scratch:
            differences = compare(found, wanted=build(scratch, files))
    return [
        *(f"history: {line}" for line in past),
        *differences,
        *(f"roles: {line}" for line in roles),
        *(f"rows: {line}" for line in rows),
    ]


def read_schema(database_url: str, **login: Unpack[Login]) -> Schema:
    with opened(database_url, for_reading=True, **login) as target:
        return target.read_schema()


def to_text(schema: Schema) -> str:
    """A line for each thing, in an order of its own: made for comparing."""
    return "".join(f"{thing}: {schema[thing]}".rstrip(": ") + "\n" for thing in sorted(schema))


def build(scratch: Target, files: list[Migration]) -> Schema:
    """What the files make of an empty database."""
    history.prepare(scratch, files=files)
    for file in files:
        for step in file.up.steps:
            # All of it happens in one transaction, where nothing can be built CONCURRENTLY.
            sql = CONCURRENTLY.sub("", step.sql) if file.up.alone else step.sql
            try:
                scratch.execute(sql)
            except StatementInvalid as error:
                where = f"{file.name}, line {step.line}"
                raise MigrationFailed(f"{where}: {error}. The database itself was not touched.") from error
    return scratch.read_schema()


def compare(found: Schema, *, wanted: Schema) -> list[str]:
    differences = []
    for thing in _without_parts_of_missing_tables(found.keys() | wanted.keys(), found, wanted):
        if thing not in found:
            differences.append(f"missing: {thing}")
        elif thing not in wanted:
            differences.append(f"in the database only: {thing}")
        elif found[thing] != wanted[thing]:
            differences.append(describe(thing, found[thing], wanted[thing]))
    return differences + list(_compare_orders(_list_columns(found), wanted=_list_columns(wanted)))


def describe(thing: str, found: str, wanted: str) -> str:
    return f"differs: {thing}: it is [{found}], it should be [{wanted}]"


def _compare_orders(found: dict[str, list[str]], *, wanted: dict[str, list[str]]) -> Iterator[str]:
    """Tables with the same columns in another order."""
    for table in sorted(found.keys() & wanted.keys()):
        if found[table] != wanted[table] and sorted(found[table]) == sorted(wanted[table]):
            orders = (", ".join(columns[table]) for columns in (found, wanted))
            yield describe(f"order of columns in {table}", *orders)


def _list_columns(schema: Schema) -> dict[str, list[str]]:
    """By table, in the order they were read in, which is their own."""
    listed = defaultdict(list)
    for thing in schema:
        kind, _, name = thing.partition(" ")
        if kind == "column":
            table, _, column = name.partition(".")
            listed[table].append(column)
    return listed


def _without_parts_of_missing_tables(things: set[str], *both: Schema) -> list[str]:
    """Sorted. Where a whole table is on one side only, its columns and rules need no line each."""
    return [
        thing
        for thing in sorted(things)
        if not (part := PART.match(thing)) or all(f"table {part[1]}" in schema for schema in both)
    ]
