"""The questions about exports: one, those under way in a project, a user's latest, what happened to one."""

from datetime import timedelta

import pytest

from millrace.domain.jobs import EXPORT
from millrace.domain.pages import Page
from millrace.errors import JobNotFound
from millrace.store import export_history, exports, jobs
from tests.counting import Counted, plan_of
from tests.factories import NOW, new_id
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


def listed(db, *, tenant_id="tenant_a", limit=20, **wanted):
    return export_history.list_exports(db, tenant_id=tenant_id, page=Page(limit), **wanted)


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

    assert ids(listed(exports_db, project_id="project_a", active=True)) == [
        "pending", "processing", "export_a",
    ]  # fmt: skip
    assert ids(listed(exports_db, status="error")) == ["error"]
    assert listed(exports_db, status="error", active=True) == []
    assert listed(exports_db, project_id="project_a", tenant_id="tenant_b") == []


def test_a_users_latest_exports_are_those_of_all_their_projects_newest_first(exports_db):
    add_row(exports_db, "projects", id="second", user_id="alice")
    add_row(exports_db, "projects", id="not_hers", user_id="bob")
    for minute, project in enumerate(["second", "project_a", "not_hers"], start=1):
        at = NOW + timedelta(minutes=minute)
        add_row(exports_db, "export_jobs", id=f"of_{project}", project_id=project, created_at=at)

    assert ids(listed(exports_db, user_id="alice")) == ["of_project_a", "of_second", "export_a"]
    assert ids(listed(exports_db)) == ["of_not_hers", "of_project_a", "of_second", "export_a"]


def test_a_list_is_read_page_by_page_without_a_gap_and_without_params(exports_db):
    for number in range(7):
        add_row(exports_db, "export_jobs", id=f"export_{number}", created_at=NOW)
    seen, page = [], Page(3)

    while True:
        rows, cursor = page.cut(
            export_history.list_exports(exports_db, tenant_id="tenant_a", page=page), at="created_at"
        )
        seen += ids(rows)
        if cursor is None:
            break
        page = Page.of(limit=3, cursor=cursor)

    assert seen == ["export_a", *(f"export_{number}" for number in reversed(range(7)))]
    assert "params" not in rows[0]


def test_a_list_is_read_from_an_index_in_its_order(exports_db):
    counted = Counted(exports_db)

    listed(counted)
    listed(counted, project_id="project_a")

    if exports_db.dialect == "sqlite":
        plans = [plan_of(exports_db, statement) for (statement,) in counted.batches]
        assert "idx_export_jobs_newest" in plans[0]
        assert "idx_export_jobs_project_newest" in plans[1]
        assert not any("TEMP B-TREE" in plan for plan in plans)
    assert [len(batch) for batch in counted.batches] == [1, 1]


def test_what_happened_to_an_export_is_told_newest_first_to_whom_it_belongs(exports_db):
    job = jobs.claim(exports_db, EXPORT, worker_id="worker", move_id=new_id("move"), now=NOW)
    whose, later = {"tenant_id": job.tenant_id}, NOW + timedelta(minutes=1)
    jobs.cancel(exports_db, EXPORT, job.id, **whose, move_id=new_id("move"), now=later)

    rows = export_history.list_events(exports_db, job.id, **whose, page=Page())

    assert [(row["move"], row["created_at"]) for row in rows] == [("cancel", later), ("claim", NOW)]
    with pytest.raises(JobNotFound):
        export_history.list_events(exports_db, job.id, tenant_id="tenant_c", page=Page())
