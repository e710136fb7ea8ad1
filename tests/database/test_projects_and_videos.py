"""What exports are made of: a project with an owner, and a video that is uploaded and then checked."""

from datetime import timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import IdempotencyKeyReused, ProjectNotFound, VideoNotFound
from millrace.store import projects, videos
from tests.databases import on_postgres
from tests.factories import NOW, add_tenant, count_rows

LATER = NOW + timedelta(hours=1)
KEY = IdempotencyKey("once", "fingerprint")


@pytest.fixture
def two_tenants(db):
    add_tenant(db)
    add_tenant(db, "tenant_b")
    return db


def put(db, *, tenant_id="tenant_a", name="A match", person="alice", now=NOW):
    return projects.put(db, "project_1", tenant_id=tenant_id, name=name, person=person, now=now)


def announce(db, video_id="video_1", *, tenant_id="tenant_a", key=None, **changes):
    said = {
        "storage_key": f"tenants/{tenant_id}/videos/{video_id}", "file_name": "match.mp4",
        "content_type": "video/mp4", "size_bytes": 5_000_000_000, "requested_by": "alice",
        "link_expires_at": LATER,
    } | changes  # fmt: skip
    return videos.create(db, videos.NewVideo(video_id, tenant_id, **said), now=NOW, key=key)


def test_a_project_is_made_once_and_belongs_to_who_made_it(two_tenants):
    made, is_new = put(two_tenants)
    named, is_new_again = put(two_tenants, name="The final", person="bob", now=LATER)

    assert (is_new, is_new_again) == (True, False)
    assert (made["name"], made["user_id"], made["created_at"]) == ("A match", "alice", NOW)
    assert (named["name"], named["user_id"]) == ("The final", "alice")
    assert (named["created_at"], named["updated_at"]) == (NOW, LATER)
    assert projects.read(two_tenants, "project_1", tenant_id="tenant_a") == named


def test_a_project_of_another_tenant_is_neither_found_nor_changed(two_tenants):
    put(two_tenants)

    with pytest.raises(ProjectNotFound):
        put(two_tenants, tenant_id="tenant_b", name="Stolen")
    with pytest.raises(ProjectNotFound):
        projects.read(two_tenants, "project_1", tenant_id="tenant_b")

    assert projects.read(two_tenants, "project_1", tenant_id="tenant_a")["name"] == "A match"


def test_a_video_is_expected_and_then_there(two_tenants):
    announce(two_tenants)
    expected = videos.read(two_tenants, "video_1", tenant_id="tenant_a")

    there = videos.complete(two_tenants, "video_1", tenant_id="tenant_a", etag="abc", now=LATER)

    assert (expected["uploaded_at"], expected["size_bytes"]) == (None, 5_000_000_000)
    assert (there["uploaded_at"], there["etag"]) == (LATER, "abc")


def test_a_video_that_is_there_stays_as_it_was_first_found(two_tenants):
    announce(two_tenants)
    first = videos.complete(two_tenants, "video_1", tenant_id="tenant_a", etag="abc", now=NOW)

    assert videos.complete(two_tenants, "video_1", tenant_id="tenant_a", etag="xyz", now=LATER) == first


def test_a_video_announced_twice_with_the_same_key_is_one_with_a_link_that_lives_on(two_tenants):
    first = announce(two_tenants, key=KEY)
    again = announce(two_tenants, "video_2", key=KEY)

    row = videos.renew(two_tenants, "video_1", tenant_id="tenant_a", link_expires_at=LATER)

    assert (again.replayed, again.facts) == (True, first.facts)
    assert count_rows(two_tenants, "videos") == 1
    assert row["link_expires_at"] == LATER
    with pytest.raises(IdempotencyKeyReused):
        announce(two_tenants, "video_3", key=IdempotencyKey("once", "another"))


def test_a_video_of_another_tenant_is_not_found(two_tenants):
    announce(two_tenants)
    whose = {"tenant_id": "tenant_b"}

    for attempt in (
        lambda: videos.read(two_tenants, "video_1", **whose),
        lambda: videos.renew(two_tenants, "video_1", **whose, link_expires_at=NOW),
        lambda: videos.complete(two_tenants, "video_1", **whose, etag="xyz", now=NOW),
    ):
        with pytest.raises(VideoNotFound):
            attempt()

    assert videos.read(two_tenants, "video_1", tenant_id="tenant_a")["uploaded_at"] is None


@on_postgres
def test_the_api_makes_projects_and_videos_for_its_own_tenant_alone(two_tenants, api_db):
    put(two_tenants, tenant_id="tenant_b")
    own = api_db.for_tenant("tenant_a")

    announce(own)

    assert videos.complete(own, "video_1", tenant_id="tenant_a", etag="abc", now=NOW)["uploaded_at"] == NOW
    with pytest.raises(ProjectNotFound):
        put(own)
