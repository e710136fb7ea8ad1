"""Rows that point at nothing: told, and in nobody's way but that of the file that makes them so."""

from collections.abc import Iterator

import pytest

from millrace.errors import MigrationFailed
from tests.migration_bed import Folder

ROOMS_AND_BEDS = (
    """
    CREATE TABLE rooms (id TEXT PRIMARY KEY);
    CREATE TABLE beds (id TEXT PRIMARY KEY, room_id TEXT REFERENCES rooms(id));
    """,
    "DROP TABLE beds;\nDROP TABLE rooms;",
)
DANGLING = ("PRAGMA foreign_keys = OFF", "INSERT INTO beds VALUES ('one', 'nowhere'), ('two', 'nowhere')")


@pytest.fixture
def careless(tmp_path, sqlite_databases) -> Iterator[Folder]:
    """Two rows that something wrote past the application, and that point at nothing."""
    with sqlite_databases.fresh(migrated=False) as database:
        folder = Folder(tmp_path, database)
        folder.write("0001_rooms.sql", *ROOMS_AND_BEDS)
        folder.up()
        folder.execute(*DANGLING)
        yield folder


def test_a_file_is_not_refused_for_rows_that_pointed_at_nothing_before_it(careless):
    rebuild = """
        CREATE TABLE rebuilt (id TEXT PRIMARY KEY, room_id TEXT REFERENCES rooms(id));
        INSERT INTO rebuilt SELECT id, room_id FROM beds ORDER BY id DESC;
        DROP TABLE beds;
        ALTER TABLE rebuilt RENAME TO beds;
    """
    careless.write("0002_rebuilt.sql", rebuild, "SELECT 1;")

    assert careless.up() == ["0002_rebuilt.sql"]
    assert careless.down() == ["0002_rebuilt.sql"]


def test_a_file_is_refused_for_the_rows_that_it_leaves_pointing_at_nothing_itself(careless):
    careless.write("0002_more.sql", "INSERT INTO beds VALUES ('three', 'nowhere');", "SELECT 1;")

    with pytest.raises(MigrationFailed, match=r"0002_more\.sql, at its end: 1 row of beds .* rooms"):
        careless.up()

    assert careless.execute("SELECT COUNT(*) FROM beds") == [(2,)]


def test_a_file_that_mends_such_rows_is_applied(careless):
    careless.write("0002_mended.sql", "INSERT INTO rooms VALUES ('nowhere');", "DELETE FROM rooms;")

    careless.up()

    assert careless.verify() == []
    with pytest.raises(MigrationFailed, match="2 rows of beds point at nothing in rooms"):
        careless.down()


def test_verifying_names_their_table_and_what_they_lack(careless):
    assert careless.verify() == ["rows: 2 rows of beds point at nothing in rooms"]
