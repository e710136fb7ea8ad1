"""Rows that point at nothing: SQLite has some when something wrote past the application."""

from collections import Counter

# One answer for each such row: its table, and the table that has not what it points at.
FIND = 'SELECT "table", parent FROM pragma_foreign_key_check'


def describe(found: Counter[tuple[str, str]]) -> list[str]:
    """A line for each table and parent, to read."""
    return [
        f"{count} {'row' if count == 1 else 'rows'} of {table} {'points' if count == 1 else 'point'}"
        f" at nothing in {parent}"
        for (table, parent), count in sorted(found.items())
    ]
