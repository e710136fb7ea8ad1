"""The command line: what it says when a command is refused, and the commands that look after the schema."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from millrace.command.line import main
from millrace.command.options import without_password
from tests.migration_bed import real_files

LAYER = Path(__file__).parents[2] / "layers/shared"
FILES = real_files("sqlite")
LAST, COUNT = FILES[-1].name, len(FILES)


@pytest.fixture
def database(tmp_path) -> list[str]:
    return ["--database", f"sqlite://{tmp_path / 'millrace.db'}"]


def test_what_is_refused_is_one_line_on_standard_error(capsys):
    exit_code = main(["migrations", "up", "--database", "nowhere"])

    said = capsys.readouterr()
    assert exit_code == 1
    assert said.out == ""
    assert re.fullmatch(r"millrace: the configuration is not valid: DATABASE_URL must be .*\n", said.err)


def test_a_database_that_cannot_be_reached_is_said_to_be_just_that(capsys):
    exit_code = main(["migrations", "status", "--database", "postgresql://postgres@127.0.0.1:1/none"])

    assert exit_code == 1
    assert capsys.readouterr().err.startswith("millrace: the database does not answer: ")


def test_a_database_that_the_server_does_not_have_is_said_in_the_servers_words(capsys, postgres_server_url):
    url = postgres_server_url.rpartition("/")[0] + "/nowhere"

    assert main(["migrations", "status", "--database", url]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        'millrace: the database does not answer: database "nowhere" does not exist (postgresql'
    )
    assert said.endswith("/nowhere)\n")


def test_a_file_that_cannot_be_opened_is_named(capsys):
    assert main(["migrations", "up", "--database", "sqlite:///nowhere/at-all.db"]) == 1
    assert capsys.readouterr().err == (
        "millrace: the database does not answer: unable to open database file (sqlite:///nowhere/at-all.db)\n"
    )


@pytest.mark.parametrize(
    ("folder", "words"), [("a-file", "File exists"), ("a-file/in-it", "Not a directory")]
)
def test_a_folder_that_cannot_be_is_one_line_on_standard_error(capsys, database, tmp_path, folder, words):
    main(["migrations", "up", *database])
    (tmp_path / "a-file").touch()

    assert main(["backup", *database, "--to", str(tmp_path / folder)]) == 1
    assert capsys.readouterr().err == f"millrace: {words}: {tmp_path / folder}\n"


@pytest.mark.parametrize("line", [[], ["migrations"], ["dance"], ["migrations", "down", "0"]])
def test_a_line_that_makes_no_sense_is_answered_with_the_usage(capsys, line):
    with pytest.raises(SystemExit) as ended:
        main(line)

    assert ended.value.code == 2
    assert "usage: millrace" in capsys.readouterr().err


def test_the_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert [word for word in ("migrations", "schema", "backup", "restore") if word not in said] == []


def test_the_environment_names_the_database_where_the_line_does_not(capsys, database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database[1])

    assert main(["migrations", "up"]) == 0
    assert main(["migrations", "status", *database]) == 0


def test_a_status_ends_with_1_while_something_is_pending(capsys, database):
    assert main(["migrations", "status", *database]) == 1
    assert f"pending  {LAST}\n" in capsys.readouterr().out

    main(["migrations", "up", *database])

    assert main(["migrations", "status", *database]) == 0
    assert f"applied  {LAST}\n" in capsys.readouterr().out


def test_who_stops_reading_ends_a_command_without_a_trace(database):
    read_end, write_end = os.pipe()
    os.close(read_end)

    with os.fdopen(write_end, "wb") as nobody_reads:
        done = subprocess.run(
            [sys.executable, "-m", "millrace", "migrations", "up", *database],
            check=False, stdout=nobody_reads, stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(LAYER)},
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (1, b"")


def test_each_file_is_told_as_it_is_begun(capsys, database):
    main(["migrations", "up", *database])
    main(["migrations", "down", *database])

    said = capsys.readouterr().out.splitlines()
    assert said[-5:] == [
        f"Applying {LAST}", f"Applied: {COUNT}.",
        f"On {database[1]}:", f"Rolling back {LAST}", "Rolled back: 1.",
    ]  # fmt: skip


def test_rows_are_not_rolled_back_unasked(capsys, database):
    main(["migrations", "up", *database])

    assert main(["migrations", "down", "99", *database]) == 1
    said = capsys.readouterr()
    assert said.out.endswith(f"On {database[1]}:\n")
    assert "Rolling back 0009_settings.sql deletes what settings holds. --force" in said.err
    assert main(["migrations", "status", *database]) == 0

    assert main(["migrations", "down", "99", "--force", *database]) == 0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://owner:pass:wo%40rd@db.example:5432/prod", "postgresql://owner@db.example:5432/prod"),
        ("postgresql://db.example/prod", "postgresql://db.example/prod"),
        ("sqlite:///tmp/a.db", "sqlite:///tmp/a.db"),
    ],
)
def test_a_database_is_named_without_its_password(url, shown):
    assert without_password(url) == shown


def test_a_dry_run_prints_the_sql_and_changes_nothing(capsys, database, tmp_path):
    assert main(["migrations", "up", "--dry-run", *database]) == 0

    assert "CREATE TABLE tenants (" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []

    main(["migrations", "up", *database])
    assert main(["migrations", "down", "99", "--dry-run", *database]) == 0

    assert "DROP TABLE tenants;" in capsys.readouterr().out
    assert main(["migrations", "status", *database]) == 0


def test_verify_ends_with_1_when_there_is_a_difference(capsys, database):
    main(["migrations", "up", *database])
    assert main(["migrations", "verify", *database]) == 0

    main(["migrations", "down", "99", "--force", *database])

    assert main(["migrations", "verify", *database]) == 1
    assert "missing: table tenants" in capsys.readouterr().out


def test_a_schema_is_listed_and_drawn(capsys, database):
    main(["migrations", "up", *database])
    capsys.readouterr()

    assert main(["schema", "list", *database]) == 0
    assert "column tenants.name: TEXT NOT NULL\n" in capsys.readouterr().out
    assert main(["schema", "draw", *database]) == 0
    assert "tenants ||--o{ sites : tenant_id" in capsys.readouterr().out


def test_a_backup_is_made_and_put_back(capsys, database, tmp_path):
    main(["migrations", "up", *database])

    assert main(["backup", *database, "--to", str(tmp_path / "safe"), "--keep", "1"]) == 0
    [saved] = (tmp_path / "safe").iterdir()
    assert main(["restore", str(saved), *database]) == 1
    assert main(["restore", str(saved), *database, "--force"]) == 0

    said = capsys.readouterr()
    assert f"Saved: {saved}" in said.out
    assert "--force puts it aside" in said.err
