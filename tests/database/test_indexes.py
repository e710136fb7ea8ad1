"""Indexes that are built outside a transaction: whole, or not there."""

import pytest

from millrace.errors import MigrationFailed
from tests.migration_bed import BEDS, Folder

pytestmark = pytest.mark.parametrize("empty_database", ["postgres"], indirect=True)


@pytest.fixture
def folder(tmp_path, empty_database) -> Folder:
    return Folder(tmp_path, empty_database)


def test_a_file_that_opts_out_of_the_transaction_can_build_an_index_concurrently(folder):
    folder.write("0001_beds.sql", *BEDS)
    write_index(folder)

    folder.up()

    assert "index beds_by_id" in folder.schema()
    assert folder.verify() == []
    assert folder.down() == ["0002_index.sql"]
    assert "index beds_by_id" not in folder.schema()


def test_an_index_that_could_not_be_built_leaves_nothing_behind(folder):
    folder.write("0001_beds.sql", "CREATE TABLE beds (id TEXT);", BEDS[1])
    write_index(folder, kind="UNIQUE INDEX")
    folder.execute("CREATE TABLE beds (id TEXT)", "INSERT INTO beds VALUES ('one'), ('one')")
    (folder.path / "0001_beds.sql").unlink()

    with pytest.raises(MigrationFailed, match=r"0002_index\.sql, statement 1 \(line 3\): 23505"):
        folder.up()
    assert "index beds_by_id" not in folder.schema()

    folder.execute("DELETE FROM beds")
    assert folder.up() == ["0002_index.sql"]


@pytest.mark.parametrize("name", ["beds_by_id", "Beds_By_Id", '"beds by id; it\'s"'])
def test_an_index_that_fails_twice_is_not_taken_for_built(folder, name):
    folder.write("0001_beds.sql", "CREATE TABLE beds (id TEXT);", BEDS[1])
    folder.up()
    folder.execute("INSERT INTO beds VALUES ('one'), ('one')")
    write_index(folder, kind="UNIQUE INDEX", name=name)

    for _ in range(2):
        with pytest.raises(MigrationFailed, match=r"0002_index\.sql, statement 1 \(line 3\): 23505"):
            folder.up()

    assert folder.status().pending == ["0002_index.sql"]
    assert [thing for thing in folder.schema() if thing.startswith("index")] == []
    folder.execute("DELETE FROM beds")
    assert folder.up() == ["0002_index.sql"]
    assert folder.verify() == []


# It stands for whatever leaves an index broken without a word.
BREAK_EVERY_INDEX = """
CREATE FUNCTION break_every_index() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass('beds_by_id');
END
$$
"""


def test_an_index_that_is_not_whole_when_its_build_has_ended_is_a_failure(folder):
    folder.write("0001_beds.sql", *BEDS)
    folder.up()
    folder.execute(
        BREAK_EVERY_INDEX,
        "CREATE EVENT TRIGGER at_the_end ON ddl_command_end WHEN TAG IN ('CREATE INDEX')"
        " EXECUTE FUNCTION break_every_index()",
    )
    write_index(folder)

    with pytest.raises(MigrationFailed, match=r"0002_index\.sql: beds_by_id was not built to its end"):
        folder.up()

    assert folder.status().pending == ["0002_index.sql"]
    assert "index beds_by_id" not in folder.schema()


def test_an_index_left_half_built_by_a_dead_runner_is_built_anew(folder):
    folder.write("0001_beds.sql", *BEDS)
    folder.up()
    broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'beds_by_id'::regclass"
    folder.execute("CREATE INDEX beds_by_id ON beds (id)", broken)
    write_index(folder)

    folder.up()

    assert "never built" not in folder.schema()["index beds_by_id"]


def write_index(folder: Folder, *, kind: str = "INDEX", name: str = "beds_by_id") -> None:
    folder.write(
        "0002_index.sql",
        f"CREATE {kind} CONCURRENTLY IF NOT EXISTS {name} ON beds (id);",
        f"DROP INDEX CONCURRENTLY IF EXISTS {name};",
        place="postgres",
        option=" transaction:false",
    )
