"""What the live database says of its own tables, in the same words on both."""

import re
from dataclasses import dataclass

from millrace.bindings.database import Database
from tests.databases import FreshDatabase

TYPES = {
    "character varying": "TEXT",
    "varchar(255)": "TEXT",
    "timestamp with time zone": "TIMESTAMPTZ",
}


@dataclass(frozen=True, slots=True)
class Column:
    type: str
    nullable: bool


def columns_of(database: FreshDatabase, table: str) -> dict[str, Column]:
    """As its owner sees it: the schema's own tables are nobody else's."""
    db = database.open(role=None)
    described = {
        "sqlite": """
            SELECT name, type, "notnull" = 0 AND pk = 0 AS nullable FROM pragma_table_info(?1)
        """,
        "postgres": """
            SELECT CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS type,
                   is_nullable = 'YES' AS nullable
            FROM information_schema.columns WHERE table_schema = 'public' AND table_name = ?1
        """,
    }
    rows = db.prepare(described[db.dialect]).bind(table).all().results
    return {row["name"]: Column(_type(row["type"]), bool(row["nullable"])) for row in rows}


def list_constraints(db: Database) -> set[str]:
    """The names of all checks and of all unique indexes that are not a primary key's."""
    if db.dialect == "sqlite":
        made = "\n".join(sql for (sql,) in db.prepare("SELECT sql FROM sqlite_master WHERE sql > ''").raw())
        return set(re.findall(r"(?:CONSTRAINT|UNIQUE INDEX) (\w+) (?:CHECK|ON)", made))
    named = """
        SELECT CAST(conname AS TEXT) FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace
        UNION ALL
        SELECT CAST(relname AS TEXT) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE indisunique AND NOT indisprimary AND relnamespace = 'public'::regnamespace
    """
    return {str(name) for (name,) in db.prepare(named).raw()}


def _type(name: str) -> str:
    return TYPES.get(name.lower(), name.upper())
