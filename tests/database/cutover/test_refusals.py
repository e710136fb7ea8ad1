"""Two databases that do not fit each other are refused, with what to do, and nothing is changed."""

import pytest

from millrace import migrations
from millrace.errors import CutoverRefused
from millrace.migrations import cutover
from millrace.migrations.on_postgres import ADVISORY_LOCK
from tests.databases import MIGRATIONS


@pytest.mark.parametrize(
    "used",
    [
        "INSERT INTO tenants (id, name, created_at, updated_at) VALUES ('t', 't', now(), now())",
        "UPDATE settings SET value = 'changed' WHERE key = 'llm_model'",
    ],
)
def test_a_target_that_has_been_used_is_refused(move, used):
    move.fill(rows=2)
    move.edit_target(used)
    before = move.contents(move.target)

    with pytest.raises(CutoverRefused, match=r"did not put there, in (tenants|settings)"):
        move.copy()

    assert move.contents(move.target) == before
    with pytest.raises(CutoverRefused):
        move.rehearse()


@pytest.mark.parametrize("side", ["source", "target"])
def test_sides_with_different_migrations_are_refused_with_what_to_do(move, side):
    migrations.down(getattr(move, side).url, folder=MIGRATIONS)

    with pytest.raises(CutoverRefused, match=f"the {side} lacks .*millrace migrations up"):
        move.copy()


def test_a_target_that_is_not_postgresql_is_refused(move):
    move.target.url = move.source.url

    with pytest.raises(CutoverRefused, match="copy writes to postgresql://"):
        move.copy()


def test_a_source_that_is_not_there_is_refused(move, tmp_path):
    move.source.url = f"sqlite://{tmp_path}/nowhere.db"

    with pytest.raises(CutoverRefused, match=r"a file must be there: .*nowhere\.db"):
        move.copy()

    assert not (tmp_path / "nowhere.db").exists()


def test_a_login_that_policies_bind_is_refused(move):
    owner = move.target.url
    move.target.url = owner.replace("postgres@", "millrace_api@")

    with pytest.raises(CutoverRefused, match="log in as the owner"):
        move.copy()


def test_a_table_that_only_the_source_has_is_not_left_behind_unseen(move):
    move.spoil("CREATE TABLE notes (id TEXT PRIMARY KEY)")

    with pytest.raises(CutoverRefused, match="notes"):
        move.copy()


def test_a_second_copy_is_refused_while_one_is_at_work(move, monkeypatch):
    monkeypatch.setattr(cutover.target, "LOCK_TRIES", 1)
    at_work = move.target.open(role=None)
    at_work.prepare(f"SELECT pg_advisory_lock({ADVISORY_LOCK}) IS NULL AS locked").run()

    with pytest.raises(CutoverRefused, match="at work"):
        move.copy()
