"""A table with a column of every type that is used, for tests of the database face."""

from datetime import UTC, datetime

AT = datetime(2025, 12, 17, 10, 0, 0, 120, tzinfo=UTC)


def make_things(db):
    db.prepare("""
        CREATE TABLE things (
          id TEXT PRIMARY KEY, whole BIGINT, part DOUBLE PRECISION, yes BOOLEAN, at TIMESTAMPTZ, day DATE,
          facts JSONB, raw BYTEA, size INTEGER NOT NULL DEFAULT 0, CONSTRAINT size_is_small CHECK (size < 10)
        )
    """).run()
    db.prepare("CREATE UNIQUE INDEX one_thing_per_whole ON things(whole, size) WHERE yes").run()
    return db


def add(db, thing_id, **columns):
    names = ["id", *columns]
    places = ", ".join(f"?{place}" for place in range(1, len(names) + 1))
    insert = db.prepare(f"INSERT INTO things ({', '.join(names)}) VALUES ({places})")
    return insert.bind(thing_id, *columns.values())


def one(db, column):
    return db.prepare(f"SELECT {column} FROM things").first(column)


def ids(db):
    return [row["id"] for row in db.prepare("SELECT id FROM things ORDER BY id").all().results]
