"""What was written down of migrations: by us, by dbmate, and what is gone."""

import pytest

from millrace.errors import MigrationInvalid
from tests.migration_bed import BEDS, CHAIRS, LAMPS, Folder


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


def test_a_history_that_dbmate_began_is_taken_over(folder):
    folder.write("0001_beds.sql", *BEDS)
    folder.write("0002_chairs.sql", *CHAIRS)
    folder.execute(
        "CREATE TABLE schema_migrations (version VARCHAR(128) PRIMARY KEY)",
        "INSERT INTO schema_migrations (version) VALUES ('0001')",
        BEDS[0],
    )

    assert folder.status().pending == ["0002_chairs.sql"]
    assert folder.up() == ["0002_chairs.sql"]

    folder.write("0001_beds.sql", BEDS[0], "DROP TABLE IF EXISTS beds;")
    assert "0001_beds.sql was edited" in folder.status().problems[0]


def test_what_dbmate_applied_after_us_is_taken_over(furnished):
    furnished.write("0003_lamps.sql", *LAMPS)
    furnished.execute(LAMPS[0], "INSERT INTO schema_migrations (version) VALUES ('0003')")

    assert furnished.verify() == []
    assert furnished.up() == []

    furnished.write("0003_lamps.sql", LAMPS[0], "DROP TABLE IF EXISTS lamps;")
    assert "0003_lamps.sql was edited" in furnished.status().problems[0]


def test_a_file_whose_checksum_is_gone_is_not_taken_as_it_is_now(furnished):
    furnished.execute("DELETE FROM migration_checksums")
    furnished.write("0001_beds.sql", "CREATE TABLE beds (id TEXT, wide BOOLEAN);", BEDS[1])

    for move in (furnished.up, furnished.down):
        with pytest.raises(
            MigrationInvalid, match=r"checksum of 0001_beds\.sql is gone.*DROP TABLE migration_ch"
        ):
            move()


def test_without_their_table_the_checksums_are_kept_anew(furnished):
    furnished.execute("DROP TABLE migration_checksums")

    assert furnished.up() == []
    assert furnished.status().problems == []


def test_what_dbmate_rolled_back_may_be_edited_and_applied_anew(furnished):
    furnished.execute("DROP TABLE chairs", "DELETE FROM schema_migrations WHERE version = '0002'")
    furnished.write("0002_chairs.sql", "CREATE TABLE chairs (id TEXT, legs INTEGER);", CHAIRS[1])

    assert furnished.up() == ["0002_chairs.sql"]
    assert furnished.status().problems == []
