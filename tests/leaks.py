"""Finds a secret wherever it was written down: whole or in part, as it is or in another alphabet."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping

from millrace.bindings.database import Database, Statement

# Enough that it is no chance, and a third of what a key's secret is.
SHORTEST = 16
# A key with enough of its secret to be no mere display prefix.
ANY_KEY = re.compile(rf"mrk_(?:live|test)_[0-9a-f]{{32}}_[0-9A-Za-z]{{{SHORTEST},}}")
ANY_SIGNATURE = re.compile(r"(?:X-Amz-Signature|signature)=[0-9a-f]{32,}")


def find_leaks(text: str, *, secrets: Mapping[str, str]) -> set[str]:
    """The names of the secrets that stand in the text, in part at least."""
    return {name for name, secret in secrets.items() if any(piece in text for piece in pieces_of(secret))}


def pieces_of(secret: str) -> Iterator[str]:
    for written in alphabets(secret):
        for start in range(len(written) - SHORTEST + 1):
            yield written[start : start + SHORTEST]


def alphabets(secret: str) -> Iterator[str]:
    """As it is, in hexadecimal, and in base 64 wherever in a text it was before that was encoded."""
    yield secret
    yield secret.encode().hex()
    for before in range(3):
        # The first and the last signs hold bits of what stood around it.
        yield b64encode(b" " * before + secret.encode()).decode().rstrip("=")[4:-1]


def find_any(text: str) -> list[str]:
    """Whatever looks like a key of ours or like a link's signature, cut short so as not to be told again."""
    return [found[0][:24] + "…" for pattern in (ANY_KEY, ANY_SIGNATURE) for found in pattern.finditer(text)]


def text_of(db: Database) -> str:
    """Every row of every table, as one text. `db` is the owner's, who sees all."""
    tables = {
        "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    }
    selects = [rows_as_text(db, table) for (table,) in db.prepare(tables[db.dialect]).raw()]
    return "\n".join(row[0] for result in db.batch(selects) for row in result.tuples)


def rows_as_text(db: Database, table: str) -> Statement:
    """By the database's own words, since a test may have left what we would not read."""
    if db.dialect == "postgres":
        return db.prepare(f"SELECT CAST({table} AS TEXT) FROM {table}")
    columns = db.prepare("SELECT name FROM pragma_table_info(?1)").bind(table).raw()
    written = " || ' ' || ".join(f"quote({name})" for (name,) in columns)
    return db.prepare(f"SELECT {written} FROM {table}")
