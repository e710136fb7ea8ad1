"""What exports and videos leave in the bucket goes, at once or in the minute, and never what is used."""

from datetime import timedelta
from typing import Any

import pytest

from functions.job_pickup.app import handler
from millrace.errors import BucketError
from millrace.store.leftovers import LINKS_LIVE
from tests.events import Context, read_event, said
from tests.factories import NOW, count_rows
from tests.functions.conftest import World
from tests.functions.rendering import FILM, Studio
from tests.functions.uploading import files, send

A_DAY_AFTER_ITS_LINK = timedelta(hours=25)
CANCELLED = {"status": "cancelled", "completed_at": NOW}


class BrokenBucket:
    """A bucket that does not answer."""

    def delete(self, keys: Any) -> None:
        raise BucketError("connection reset")


@pytest.fixture
def studio(world: World) -> Studio:
    return Studio(world)


def tick(studio: Studio) -> None:
    handler(read_event("job_pickup/every_minute"), Context(), env=studio.world.engine)


def outputs(studio: Studio) -> list[str]:
    return [key.rpartition("/")[2] for key in files(studio.world) if "/exports/" in key]


def inputs(studio: Studio) -> list[str]:
    return [key for key in files(studio.world) if "/videos/" in key]


def leave(studio: Studio, job_id: str, *, attempt: int) -> None:
    """As an attempt does that has uploaded, and came to nothing."""
    for ending in ("mp4", "tsv"):
        key = f"tenants/tenant_demo/exports/{job_id}/{attempt}.{ending}"
        studio.world.bucket.put(key, FILM, content_type="video/mp4")


def test_a_video_that_nobody_reported_complete_goes_a_day_after_its_link(studio, capsys):
    made = said(studio.announce())["data"]
    send(studio.world, made["upload"], FILM)
    studio.world.clock.advance(seconds=A_DAY_AFTER_ITS_LINK.total_seconds() - 1)
    tick(studio)
    early = (len(inputs(studio)), count_rows(studio.world.owner, "videos"))

    studio.world.clock.advance(seconds=1)
    tick(studio)

    assert early == (1, 1)
    assert (inputs(studio), count_rows(studio.world.owner, "videos")) == ([], 0)
    assert said(studio.complete(made["video_id"]))["error"] == "VideoNotFound"
    assert '"videos_erased"' in capsys.readouterr().out


def test_a_video_that_is_complete_stays(studio):
    key = studio.upload()
    studio.world.clock.advance(days=400)

    tick(studio)

    assert inputs(studio) == [key]


def test_a_video_that_was_given_up_can_not_be_complete_any_more(studio, monkeypatch):
    made = said(studio.announce())["data"]
    send(studio.world, made["upload"], FILM)
    studio.world.clock.advance(days=2)
    monkeypatch.setattr(studio.world.engine, "BUCKET", BrokenBucket())
    with pytest.raises(RuntimeError):
        tick(studio)

    answer = studio.complete(made["video_id"])

    assert (answer["statusCode"], said(answer)["error"]) == (404, "VideoNotFound")
    monkeypatch.setattr(studio.world.engine, "BUCKET", studio.world.bucket)
    tick(studio)
    assert (inputs(studio), count_rows(studio.world.owner, "videos")) == ([], 0)


def test_what_earlier_attempts_have_uploaded_goes_when_no_link_is_left_and_the_result_stays(studio):
    job_id = studio.prepare()
    studio.render(job_id)
    studio.set_job(attempt=3, output_video_key=f"tenants/tenant_demo/exports/{job_id}/3.mp4")
    for attempt in (1, 2, 3):
        leave(studio, job_id, attempt=attempt)
    studio.world.clock.advance(seconds=LINKS_LIVE.total_seconds() - 1)
    tick(studio)
    early = len(outputs(studio))

    studio.world.clock.advance(seconds=1)
    tick(studio)

    assert early == 6
    assert outputs(studio) == ["3.mp4", "3.tsv"]
    assert len(inputs(studio)) == 1
    assert said(studio.show(job_id))["data"]["status"] == "complete"


def test_of_an_export_that_came_to_nothing_all_that_was_uploaded_goes(studio):
    job_id = studio.prepare()
    studio.set_job(**CANCELLED, attempt=2)
    leave(studio, job_id, attempt=1)
    leave(studio, job_id, attempt=2)
    studio.world.clock.advance(seconds=LINKS_LIVE.total_seconds())

    tick(studio)

    assert (outputs(studio), len(inputs(studio))) == ([], 1)


def test_an_export_is_swept_once_for_each_time_that_it_ends(studio, monkeypatch):
    job_id = studio.prepare()
    studio.set_job(status="error", completed_at=NOW, attempt=1)
    studio.world.clock.advance(seconds=LINKS_LIVE.total_seconds())
    tick(studio)
    deleted: list[str] = []
    monkeypatch.setattr(studio.world.bucket, "delete", deleted.extend)
    tick(studio)
    once = list(deleted)

    studio.retry(job_id)
    studio.world.clock.advance(minutes=5)
    studio.set_job(status="error", attempt=2, completed_at=studio.world.clock.now())
    studio.world.clock.advance(seconds=LINKS_LIVE.total_seconds())
    tick(studio)

    assert once == []
    assert [key.rpartition("/")[2] for key in deleted] == ["1.mp4", "1.tsv", "2.mp4", "2.tsv"]


def test_a_live_export_is_left_alone_however_old_it_is(studio):
    job_id = studio.prepare()
    studio.set_job(status="processing", attempt=2, worker_id="w", locked_until=NOW + timedelta(days=9))
    leave(studio, job_id, attempt=1)
    studio.world.clock.advance(days=8)

    tick(studio)

    assert outputs(studio) == ["1.mp4", "1.tsv"]


def test_an_export_is_deleted_though_the_bucket_is_down_and_its_files_go_in_the_minute(studio, monkeypatch):
    job_id = studio.prepare()
    studio.render(job_id)
    monkeypatch.setattr(studio.world.bucket, "delete", BrokenBucket().delete)
    answer = studio.delete(job_id)
    left = len(outputs(studio))
    monkeypatch.undo()

    tick(studio)

    assert (answer["statusCode"], said(answer)["data"]["status"]) == (200, "deleted")
    assert (left, outputs(studio), len(inputs(studio))) == (2, [], 1)


def test_what_a_late_worker_of_a_deleted_export_uploads_goes_once_no_link_is_left(studio):
    job_id = studio.prepare()
    studio.render(job_id)
    studio.delete(job_id)
    leave(studio, job_id, attempt=1)
    tick(studio)
    early = len(outputs(studio))

    studio.world.clock.advance(seconds=LINKS_LIVE.total_seconds())
    tick(studio)

    assert (early, outputs(studio)) == (2, [])
    assert count_rows(studio.world.owner, "removed_exports") == 0


def test_of_an_export_that_nobody_began_nothing_is_to_be_erased(studio):
    job_id = studio.prepare()
    studio.delete(job_id)

    studio.delete(job_id)

    assert count_rows(studio.world.owner, "removed_exports") == 0


def test_a_bucket_that_is_down_is_asked_again_the_next_minute(studio, monkeypatch, capsys):
    job_id = studio.prepare()
    studio.set_job(**CANCELLED, attempt=1)
    leave(studio, job_id, attempt=1)
    studio.world.clock.advance(seconds=LINKS_LIVE.total_seconds())
    monkeypatch.setattr(studio.world.engine, "BUCKET", BrokenBucket())
    with pytest.raises(RuntimeError):
        tick(studio)
    monkeypatch.setattr(studio.world.engine, "BUCKET", studio.world.bucket)

    tick(studio)

    assert outputs(studio) == []
    assert '"exports_swept"' in capsys.readouterr().out
