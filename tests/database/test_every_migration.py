"""Each real migration, forth, back and forth again; and the schema they make together."""

import pytest

from millrace import migrations
from tests.databases import FreshDatabase, on_sqlite
from tests.factories import count_rows
from tests.migration_bed import Folder, copy_file, real_files
from tests.schema_snapshots import DRAWN, snapshot_path
from tests.valid_rows import add_row, rows_of


@pytest.fixture
def folder(tmp_path, empty_database) -> Folder:
    return Folder(tmp_path, empty_database)


def fill(folder: Folder) -> dict[str, int]:
    """A row in every table that has none. How many rows each has then."""
    db = folder.database.open(role=None)
    there = folder.tables()
    for table in rows_of("a"):
        if table in there and not count_rows(db, table):
            add_row(db, table)
    folder.database.close()
    return count_all(folder.database, there)


def count_all(database: FreshDatabase, tables: list[str]) -> dict[str, int]:
    counts = {table: count_rows(database.open(role=None), table) for table in tables}
    database.close()
    return counts


def test_every_file_goes_up_down_and_up_to_the_same_schema_with_rows_in_the_tables(folder):
    rows: dict[str, int] = {}
    for file in real_files(folder.database.dialect):
        copy_file(file.name, into=folder.path)
        before = folder.schema()

        folder.up()
        after = folder.schema()
        fill(folder)
        folder.down()

        assert folder.schema() == before, file.name
        assert count_all(folder.database, list(rows)) == rows, file.name

        folder.up()
        rows = fill(folder)

        assert folder.schema() == after, file.name
    assert [table for table, count in rows.items() if not count] == []


def test_all_files_go_down_and_up_again(folder):
    for file in real_files(folder.database.dialect):
        copy_file(file.name, into=folder.path)
    folder.up()
    schema = folder.schema()
    fill(folder)

    folder.down(999)
    assert folder.schema() == {}

    folder.up()
    assert folder.schema() == schema


def test_the_schema_is_the_one_that_is_kept(database):
    found = migrations.to_text(migrations.read_schema(database.url))

    assert found == snapshot_path(database.dialect).read_text(), "if that is what you want: make schema"


@on_sqlite
def test_the_schema_is_drawn_as_it_is(database):
    drawn = migrations.draw(migrations.read_schema(database.url))

    assert drawn == DRAWN.read_text(), "if that is what you want: make schema"
