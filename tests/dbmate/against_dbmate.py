"""dbmate itself, given our files: it makes the same schema of them as we do, and rolls all of them back.

Not part of the suite, because it asks for npm: `make dbmate` installs dbmate and runs this.
"""

import os
import subprocess

import pytest

from millrace import migrations
from tests.databases import MIGRATIONS, FreshDatabase
from tests.factories import NOW
from tests.migration_bed import real_files
from tests.schema_snapshots import snapshot_path


class Dbmate:
    def __init__(self, database: FreshDatabase):
        # Differs: dbmate asks for TLS where it is not told otherwise.
        self._url = database.url + ("?sslmode=disable" if database.dialect == "postgres" else "")
        self._folders = ["-d", str(MIGRATIONS), "-d", str(MIGRATIONS / database.dialect)]

    def run(self, command: str) -> str:
        done = subprocess.run(
            [os.environ["DBMATE"], "--url", self._url, *self._folders, "--no-dump-schema", command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def dbmate(empty_database) -> Dbmate:
    return Dbmate(empty_database)


def test_dbmate_makes_the_same_schema(dbmate, empty_database):
    dbmate.run("migrate")

    schema = migrations.read_schema(empty_database.url)
    assert migrations.to_text(schema) == snapshot_path(empty_database.dialect).read_text()
    assert migrations.verify(empty_database.url, folder=MIGRATIONS) == []


def test_what_dbmate_applied_our_runner_takes_over(dbmate, empty_database):
    dbmate.run("migrate")

    assert migrations.up(empty_database.url, folder=MIGRATIONS, now=NOW) == []
    assert migrations.status(empty_database.url, folder=MIGRATIONS).problems == []


def test_what_our_runner_applied_dbmate_takes_over_and_rolls_back(dbmate, empty_database):
    migrations.up(empty_database.url, folder=MIGRATIONS, now=NOW)

    assert "Applying" not in dbmate.run("migrate")
    for _ in real_files(empty_database.dialect):
        dbmate.run("rollback")

    assert migrations.read_schema(empty_database.url) == {}


def test_dbmate_rolls_back_what_it_applied(dbmate, empty_database):
    dbmate.run("migrate")
    for _ in real_files(empty_database.dialect):
        dbmate.run("rollback")

    assert migrations.read_schema(empty_database.url) == {}
