"""The questions about exports: one, those under way in a project, a user's latest."""

from datetime import timedelta

import pytest

from millrace.errors import JobNotFound
from millrace.store import exports
from tests.factories import NOW
from tests.valid_rows import add_all, add_row

ENDED = {"completed_at": NOW}


@pytest.fixture
def exports_db(db):
    """Two tenants, each with a project and a waiting export."""
    for letter in "ab":
        add_all(db, letter=letter, until="enrichment_jobs")
    return db


def ids(rows):
    return [row["id"] for row in rows]


def test_an_export_is_read_with_its_params(exports_db):
    row = exports.read(exports_db, "export_a", tenant_id="tenant_a")

    assert row["params"] == {"effect_type": "blur"}
    assert (row["status"], row["progress"], row["cost_microusd"]) == ("pending", 0, 0)


def test_an_export_of_another_tenant_is_not_found(exports_db):
    with pytest.raises(JobNotFound):
        exports.read(exports_db, "export_b", tenant_id="tenant_a")


def test_the_active_exports_of_a_project_are_those_that_wait_or_run_newest_first(exports_db):
    lease = {"worker_id": "worker", "locked_until": NOW}
    for minute, (status, facts) in enumerate(
        [("processing", lease), ("complete", ENDED | {"output_video_key": "out"}), ("error", ENDED),
         ("cancelled", ENDED), ("pending", {})], start=1,
    ):  # fmt: skip
        at = NOW + timedelta(minutes=minute)
        add_row(exports_db, "export_jobs", id=status, status=status, created_at=at, **facts)

    active = exports.list_active(exports_db, "project_a", tenant_id="tenant_a")

    assert ids(active) == ["pending", "processing", "export_a"]
    assert exports.list_active(exports_db, "project_a", tenant_id="tenant_b") == []


def test_a_users_latest_exports_are_those_of_all_their_projects_newest_first(exports_db):
    add_row(exports_db, "projects", id="second", user_id="alice")
    add_row(exports_db, "projects", id="not_hers", user_id="bob")
    for minute, project in enumerate(["second", "project_a", "not_hers"], start=1):
        at = NOW + timedelta(minutes=minute)
        add_row(exports_db, "export_jobs", id=f"of_{project}", project_id=project, created_at=at)

    recent = exports.list_recent(exports_db, "alice", tenant_id="tenant_a")

    assert ids(recent) == ["of_project_a", "of_second", "export_a"]


def test_a_users_latest_exports_are_twenty_at_most(exports_db):
    for number in range(25):
        at = NOW + timedelta(seconds=number)
        add_row(exports_db, "export_jobs", id=f"export_{number:02}", created_at=at)

    recent = exports.list_recent(exports_db, "alice", tenant_id="tenant_a")

    assert len(recent) == 20
    assert recent[0]["id"] == "export_24"
