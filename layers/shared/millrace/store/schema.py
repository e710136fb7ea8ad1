"""What tables there are."""

from millrace.bindings.database import Database

# Differs: each database keeps the list of its tables in a table of its own.
LIST = {
    "sqlite": """
        SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' ORDER BY name
    """,
    "postgres": """
        SELECT CAST(tablename AS TEXT) AS name FROM pg_tables WHERE schemaname = 'public'
        ORDER BY tablename COLLATE "C"
    """,
}


def list_tables(db: Database) -> list[str]:
    """Their names in alphabetical order, the migrations' own among them."""
    return [row["name"] for row in db.prepare(LIST[db.dialect]).all().results]
