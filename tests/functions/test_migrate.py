"""The part of a deployment that brings the schema up to date."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.migrate.app import handler
from millrace import migrations
from millrace.errors import DatabaseUnavailable
from tests.databases import MIGRATIONS, FreshDatabase, on_postgres
from tests.events import Context
from tests.functions.cloudformation import Answers, env_of, event


def pending(database: FreshDatabase) -> list[str]:
    return migrations.status(database.url, folder=MIGRATIONS).pending


def test_a_first_deployment_makes_the_schema(empty_database: FreshDatabase, answers: Answers):
    handler(event(), Context(), env=env_of(empty_database, answers=answers))

    assert pending(empty_database) == []
    (url, answer) = answers.heard[0]
    assert url == "https://example.com/answer-here"
    assert answer == {
        "Status": "SUCCESS", "Reason": "done", "StackId": "stack-1", "RequestId": "request-1",
        "LogicalResourceId": "Migrations", "PhysicalResourceId": "migrations",
    }  # fmt: skip


def test_an_update_applies_what_is_new_and_keeps_the_resource_s_name(
    database: FreshDatabase, answers: Answers
):
    handler(event("Update", version=2, before=1), Context(), env=env_of(database, answers=answers))

    assert (answers.last["Status"], answers.last["PhysicalResourceId"]) == ("SUCCESS", "migrations")


@pytest.mark.parametrize(
    "told",
    [event("Delete"), event("Update", version=9, before=10), event("Update", version=9, before=9)],
    ids=["deletion", "way back", "change of another property, or its way back"],
)
def test_only_another_version_of_the_migrations_runs_them(
    empty_database: FreshDatabase, answers: Answers, told: dict[str, Any]
):
    handler(told, Context(), env=env_of(empty_database, answers=answers))

    assert answers.last["Status"] == "SUCCESS"
    assert len(pending(empty_database)) > 3


def test_an_older_release_is_deployed_onto_a_newer_schema(
    database: FreshDatabase, answers: Answers, tmp_path: Path
):
    older = tmp_path / "migrations"
    copy_first(older, count=3)

    handler(
        event("Update", version=3, before=2), Context(), env=env_of(database, answers=answers, folder=older)
    )

    assert answers.last["Status"] == "SUCCESS"


def test_a_migration_that_fails_stops_the_deployment_and_says_why(
    empty_database: FreshDatabase, answers: Answers, tmp_path: Path, capsys
):
    (tmp_path / "0001_bad.sql").write_text("-- migrate:up\nCREATE NONSENSE;\n-- migrate:down\nSELECT 1;\n")

    handler(event(), Context(), env=env_of(empty_database, answers=answers, folder=tmp_path))

    assert answers.last["Status"] == "FAILED"
    assert "0001_bad.sql" in answers.last["Reason"]
    assert "MigrationsFailed" in capsys.readouterr().out


def test_a_long_migration_is_left_to_a_person_unless_the_database_is_new(
    database: FreshDatabase, answers: Answers, tmp_path: Path
):
    copy_first(tmp_path, count=1_000)
    long = tmp_path / "0999_fill_everything.sql"
    long.write_text("-- migrate:up\n-- millrace: by hand\nSELECT 1;\n-- migrate:down\nSELECT 1;\n")

    handler(event("Update", version=2), Context(), env=env_of(database, answers=answers, folder=tmp_path))

    assert answers.last["Status"] == "FAILED"
    assert answers.last["Reason"].startswith("0999_fill_everything.sql: to be run by hand")


def test_a_sleeping_database_is_called_until_it_wakes_up(
    database: FreshDatabase, answers: Answers, monkeypatch
):
    calls, read_plan = [], migrations.read_plan

    def doze(*args: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) < 4:
            raise DatabaseUnavailable
        return read_plan(*args, **named)

    monkeypatch.setattr(migrations, "read_plan", doze)
    handler(event(), Context(), env=env_of(database, answers=answers))

    assert (answers.last["Status"], len(calls)) == ("SUCCESS", 4)


def test_the_command_line_may_ask_how_the_schema_stands(database: FreshDatabase, answers: Answers):
    env = env_of(database, answers=answers)

    status = handler({"command": "migrations status"}, Context(), env=env)["facts"]
    other = handler({"command": "migrations down"}, Context(), env=env)

    assert (status["pending"], "0001_tenants.sql" in json.dumps(status["applied"])) == ([], True)
    assert other == {"refused": "The function `migrate` knows no command 'migrations down'."}


@on_postgres
def test_where_iam_decides_who_logs_in_the_functions_roles_are_admitted(database, answers: Answers):
    owner = database.open(role=None)
    owner.prepare("CREATE ROLE rds_iam").run()
    try:
        for _ in range(2):
            handler(event(), Context(), env=env_of(database, answers=answers))
        admitted = owner.prepare("""
            SELECT CAST(pg_get_userbyid(member) AS TEXT) AS name FROM pg_auth_members
            WHERE roleid = (SELECT oid FROM pg_roles WHERE rolname = 'rds_iam') ORDER BY 1
        """).all()
    finally:
        owner.prepare("DROP ROLE rds_iam").run()

    assert [row["name"] for row in admitted.results] == ["millrace_api", "millrace_engine"]
    assert answers.last["Status"] == "SUCCESS"


def copy_first(folder: Path, *, count: int) -> None:
    """The oldest migrations, as an older release has them."""
    for place in (Path(), Path("postgres"), Path("sqlite")):
        (folder / place).mkdir(parents=True, exist_ok=True)
        for path in sorted((MIGRATIONS / place).glob("*.sql")):
            if int(path.name[:4]) < count:
                (folder / place / path.name).write_text(path.read_text())
