"""What nobody wants is found by its index and noted as gone; what somebody wants is never among it."""

from datetime import timedelta

import pytest

from millrace.errors import VideoNotFound
from millrace.store import leftovers, videos
from millrace.store.erasure import ABANDONED_AFTER
from tests.database.test_races import in_parallel
from tests.databases import on_postgres, on_sqlite
from tests.factories import NOW, count_rows
from tests.valid_rows import add_row

LATER = NOW + timedelta(days=30)
ENDED = {"status": "cancelled", "completed_at": NOW, "attempt": 2}


@pytest.fixture
def api(db, api_db):
    for table in ("tenants", "sites", "projects"):
        add_row(db, table)
    return api_db.for_tenant("tenant_a")


def announce(db, video_id, **changes):
    add_row(
        db, "videos", id=video_id, storage_key=video_id,
        **{"uploaded_at": None, "link_expires_at": NOW, **changes},
    )  # fmt: skip


def complete(db, video_id):
    try:
        videos.complete(db, video_id, tenant_id="tenant_a", etag="etag", now=LATER)
    except VideoNotFound:
        return False
    return True


def test_a_video_is_given_up_a_day_after_its_link_and_only_if_it_is_not_complete(api, db):
    announce(db, "late", link_expires_at=NOW + timedelta(seconds=1))
    announce(db, "abandoned")
    announce(db, "complete", uploaded_at=NOW)

    assert leftovers.give_up_videos(db, now=NOW + ABANDONED_AFTER) == 1

    (found,) = leftovers.find_videos(db)
    assert (found.id, found.keys) == ("abandoned", ["abandoned"])
    leftovers.forget_videos(db, [found])
    assert count_rows(db, "videos") == 2


def test_who_says_complete_while_a_video_is_given_up_has_it_or_is_told_that_it_is_gone(api, db):
    for number in range(20):
        announce(db, f"video_{number}")
        racers = [
            lambda: leftovers.give_up_videos(db, now=LATER),
            lambda number=number: complete(api, f"video_{number}"),
        ]
        given_up, is_complete = in_parallel(lambda race: race(), racers)

        assert given_up + is_complete == 1

    row = "SELECT COUNT(*) AS n FROM videos WHERE uploaded_at IS NOT NULL AND deleted_at IS NOT NULL"
    assert db.prepare(row).first("n") == 0


def test_only_what_was_given_up_is_forgotten(api, db):
    announce(db, "video_1")

    leftovers.forget_videos(db, [leftovers.Leftover("video_1", [], NOW)])

    assert count_rows(db, "videos") == 1


def test_an_export_that_was_reopened_meanwhile_is_not_noted_as_swept(api, db):
    add_row(db, "export_jobs", **ENDED)
    found = leftovers.find_unswept(db, now=LATER)
    db.prepare("UPDATE export_jobs SET completed_at = ?1").bind(NOW + timedelta(days=1)).run()

    leftovers.note_swept(db, found, now=LATER)

    assert len(leftovers.find_unswept(db, now=LATER)) == 1


def plans(db, *, word):
    """How the database looks for what is to go, when there is a lot that is not."""
    searches = {
        "idx_videos_abandoned": (leftovers.ABANDONED, (NOW, 5)),
        "idx_export_jobs_unswept": (leftovers.UNSWEPT, (NOW, 5)),
        "idx_removed_exports_erase_at": (leftovers.TO_ERASE, (NOW, 5)),
    }
    return {
        index: str(db.prepare(f"{word} {sql}").bind(*values).raw())
        for index, (sql, values) in searches.items()
    }


@on_sqlite
def test_on_sqlite_each_search_reads_its_own_index(api, db):
    for index, plan in plans(db, word="EXPLAIN QUERY PLAN").items():
        assert index in plan


@on_postgres
def test_on_postgresql_each_search_reads_its_own_index(api, db):
    db.prepare("SET enable_seqscan = off").run()
    for index, plan in plans(db, word="EXPLAIN").items():
        assert index in plan
