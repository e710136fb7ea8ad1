"""The runner: what it applies, what it rolls back, what it refuses, and what a failure leaves behind."""

import pytest

from millrace.errors import MigrationFailed, MigrationInvalid
from tests.migration_bed import BEDS, CHAIRS, LAMPS, Folder

FAILS_IN_LINE_7 = "CREATE TABLE chairs (id TEXT PRIMARY KEY);\n\n-- This one\n-- fails.\nDROP TABLE nowhere;"
empty_postgres = pytest.mark.parametrize("empty_database", ["postgres"], indirect=True)
empty_sqlite = pytest.mark.parametrize("empty_database", ["sqlite"], indirect=True)


@pytest.fixture
def folder(tmp_path, empty_database) -> Folder:
    return Folder(tmp_path, empty_database)


@pytest.fixture
def furnished(folder) -> Folder:
    """Two files, both applied."""
    folder.write("0001_beds.sql", *BEDS)
    folder.write("0002_chairs.sql", *CHAIRS)
    folder.up()
    return folder


def test_files_are_applied_in_number_order_and_said_as_they_are_begun(folder):
    folder.write("0002_chairs.sql", *CHAIRS)
    folder.write("0001_beds.sql", *BEDS, place=folder.database.dialect)
    folder.write(
        "0003_lamps.sql", *LAMPS, place={"sqlite": "postgres"}.get(folder.database.dialect, "sqlite")
    )
    said = []

    done = folder.up(report=said.append)

    assert done == ["0001_beds.sql", "0002_chairs.sql"]
    assert said == ["Applying 0001_beds.sql", "Applying 0002_chairs.sql"]
    assert folder.tables() == ["beds", "chairs"]


def test_a_second_run_finds_nothing_to_do(furnished):
    assert furnished.up() == []
    assert furnished.status().pending == []


def test_a_status_changes_nothing(folder):
    folder.write("0001_beds.sql", *BEDS)

    assert folder.status().pending == ["0001_beds.sql"]
    assert folder.schema() == {}


def test_a_file_remembers_when_it_was_applied(furnished):
    first, *_ = furnished.execute("SELECT CAST(applied_at AS TEXT) FROM schema_migrations")

    assert first[0].startswith("2025-12-17")


def test_down_rolls_back_the_last_and_up_brings_it_again(furnished):
    assert furnished.down() == ["0002_chairs.sql"]
    assert furnished.tables() == ["beds"]
    assert furnished.up() == ["0002_chairs.sql"]
    assert furnished.tables() == ["beds", "chairs"]


def test_down_takes_as_many_as_are_asked_for_and_as_there_are(furnished):
    assert furnished.down(9) == ["0002_chairs.sql", "0001_beds.sql"]
    assert furnished.schema() == {}
    assert furnished.down() == []


def test_an_applied_file_that_was_edited_is_refused_by_name(furnished):
    furnished.write("0001_beds.sql", "CREATE TABLE beds (id TEXT PRIMARY KEY, wide BOOLEAN);", BEDS[1])
    furnished.write("0003_lamps.sql", *LAMPS)

    with pytest.raises(MigrationInvalid, match=r"0001_beds\.sql was edited.*Put it back.*new file"):
        furnished.up()
    with pytest.raises(MigrationInvalid, match=r"0001_beds\.sql was edited"):
        furnished.down()

    assert furnished.tables() == ["beds", "chairs"]
    assert "0001_beds.sql was edited" in furnished.status().problems[0]


def test_other_line_ends_are_no_edit(furnished):
    path = furnished.path / "0001_beds.sql"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert furnished.status().problems == []


def test_an_applied_file_that_is_gone_is_refused_by_name(furnished):
    (furnished.path / "0001_beds.sql").unlink()
    furnished.write("0003_lamps.sql", *LAMPS)

    with pytest.raises(MigrationInvalid, match=r"0001_beds\.sql has been applied, but.*Bring it back"):
        furnished.up()

    assert furnished.tables() == ["beds", "chairs"]


def test_a_file_numbered_before_an_applied_one_is_refused_with_the_number_to_take(furnished):
    furnished.down()
    (furnished.path / "0002_chairs.sql").rename(furnished.path / "0003_chairs.sql")
    furnished.up()
    furnished.write("0002_lamps.sql", *LAMPS)

    with pytest.raises(MigrationInvalid, match=r"0002_lamps\.sql is pending, but 0003.*number after 0003"):
        furnished.up()

    assert furnished.tables() == ["beds", "chairs"]


def test_a_failure_names_file_statement_and_line_and_leaves_the_database_as_it_was(folder):
    folder.write("0001_beds.sql", *BEDS)
    folder.write("0002_broken.sql", FAILS_IN_LINE_7, "DROP TABLE chairs;")

    with pytest.raises(MigrationFailed, match=r"0002_broken\.sql, statement 2 \(line 7\): .*nowhere"):
        folder.up()

    assert folder.tables() == ["beds"]
    assert folder.status().pending == ["0002_broken.sql"]


def test_a_way_down_that_fails_leaves_the_database_as_it_was(furnished):
    furnished.write("0003_lamps.sql", LAMPS[0], "DROP TABLE lamps;\nDROP TABLE lamps;")
    furnished.up()

    with pytest.raises(MigrationFailed, match=r"0003_lamps\.sql, statement 2"):
        furnished.down()

    assert furnished.tables() == ["beds", "chairs", "lamps"]
    assert furnished.status().pending == []


@pytest.mark.parametrize(
    "way_down",
    [
        "DROP TABLE chairs;",
        'drop table if exists beds, "chairs";',
        "ALTER TABLE chairs DROP COLUMN id;",
        "-- Why.\nALTER TABLE chairs\n  RENAME TO seats, DROP legs;",
    ],
)
def test_rows_that_a_way_down_would_delete_stop_all_of_it(furnished, way_down):
    furnished.write("0003_seats.sql", "SELECT 1;", way_down)
    furnished.write("0004_lamps.sql", *LAMPS)
    furnished.up()
    furnished.execute("INSERT INTO chairs VALUES ('one')")

    with pytest.raises(
        MigrationInvalid, match=r"^Rolling back 0003_seats\.sql deletes what chairs holds\. --fo"
    ):
        furnished.down(2, keep_rows=True)

    assert furnished.tables() == ["beds", "chairs", "lamps"]
    assert furnished.down(1, keep_rows=True) == ["0004_lamps.sql"]


def test_a_way_down_that_deletes_no_rows_is_gone_with_rows_in_the_tables(furnished):
    furnished.write("0003_index.sql", "CREATE INDEX chairs_by_id ON chairs (id);", "DROP INDEX chairs_by_id;")
    furnished.up()
    furnished.execute("INSERT INTO chairs VALUES ('one')")

    assert furnished.down(keep_rows=True) == ["0003_index.sql"]


@empty_postgres
def test_a_rule_is_dropped_with_rows_in_the_table(furnished):
    way_up = "ALTER TABLE chairs ADD CONSTRAINT named CHECK (id <> '');"
    furnished.write("0003_named.sql", way_up, "ALTER TABLE chairs DROP CONSTRAINT named;")
    furnished.up()
    furnished.execute("INSERT INTO chairs VALUES ('one')")

    assert furnished.down(keep_rows=True) == ["0003_named.sql"]


@empty_postgres
def test_a_database_that_a_cutover_has_not_left_is_neither_migrated_nor_rolled_back(furnished):
    furnished.execute("CREATE SCHEMA millrace_cutover", "CREATE TABLE millrace_cutover.marks (id TEXT)")
    furnished.write("0003_lamps.sql", *LAMPS)

    for move in (furnished.up, furnished.down):
        with pytest.raises(MigrationInvalid, match=r"cutover .* has begun and not ended.*copy again.*anew"):
            move()

    assert furnished.tables() == ["beds", "chairs"]


def test_what_is_checked_at_the_end_of_a_file_fails_with_its_name(folder):
    deferred = """
        CREATE TABLE rooms (id TEXT PRIMARY KEY);
        CREATE TABLE beds (room_id TEXT REFERENCES rooms(id) DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO beds VALUES ('no such room');
    """
    folder.write("0001_rooms.sql", deferred, "DROP TABLE beds;\nDROP TABLE rooms;")

    with pytest.raises(MigrationFailed, match=r"0001_rooms\.sql, at its end"):
        folder.up()

    assert folder.tables() == []


@empty_sqlite
def test_rebuilding_a_parent_table_keeps_its_children(folder):
    folder.write(
        "0001_rooms.sql",
        """
        CREATE TABLE rooms (id TEXT PRIMARY KEY);
        CREATE TABLE beds (room_id TEXT REFERENCES rooms(id) ON DELETE CASCADE);
        INSERT INTO rooms VALUES ('attic');
        INSERT INTO beds VALUES ('attic');
        """,
        "DROP TABLE beds;\nDROP TABLE rooms;",
    )
    rebuild = """
        CREATE TABLE rebuilt (id TEXT PRIMARY KEY, floor INTEGER);
        INSERT INTO rebuilt (id) SELECT id FROM rooms;
        DROP TABLE rooms;
        ALTER TABLE rebuilt RENAME TO rooms;
    """
    folder.write("0002_floors.sql", rebuild, "ALTER TABLE rooms DROP COLUMN floor;")

    folder.up()

    assert folder.execute("SELECT room_id FROM beds") == [("attic",)]


@empty_sqlite
def test_a_trigger_is_one_statement_whatever_is_in_it(folder):
    trigger = """
        CREATE TABLE beds (id TEXT PRIMARY KEY, made BOOLEAN);
        CREATE TRIGGER make_bed AFTER INSERT ON beds BEGIN
          UPDATE beds SET made = TRUE; -- it's made; or so they say
          UPDATE beds SET id = 'a;b';
        END;
        CREATE TABLE lamps (id TEXT PRIMARY KEY);
    """
    folder.write("0001_beds.sql", trigger, "DROP TABLE lamps;\nDROP TABLE beds;")

    folder.up()

    assert {"trigger make_bed", "table lamps"} <= folder.schema().keys()


@empty_postgres
def test_a_trigger_of_postgres_ends_at_its_semicolon(folder):
    trigger = """
        CREATE TABLE beds (id TEXT PRIMARY KEY);
        CREATE FUNCTION make_bed() RETURNS TRIGGER LANGUAGE plpgsql AS $$
        BEGIN
          RETURN new; -- it's made; or so they say
        END
        $$;
        CREATE TRIGGER make_bed BEFORE INSERT ON beds FOR EACH ROW EXECUTE FUNCTION make_bed();
        SELECT nothing;
    """
    folder.write("0001_beds.sql", trigger, "DROP TABLE beds;\nDROP FUNCTION make_bed();")

    with pytest.raises(MigrationFailed, match=r"statement 4 \(line 11\)"):
        folder.up()
