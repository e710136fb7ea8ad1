"""Projects are named, and videos uploaded by a link and checked where they lie."""

import pytest

from millrace.errors import BucketError, ObjectExists
from tests.events import said
from tests.factories import count_rows
from tests.functions.conftest import World
from tests.functions.rendering import FILM, Studio
from tests.functions.uploading import send


@pytest.fixture
def studio(world: World) -> Studio:
    return Studio(world)


def data(answer):
    return said(answer)["data"]


def test_a_project_is_made_and_named_anew(studio):
    made = studio.put_project()
    named = studio.put_project(name="The final", person="somebody")

    assert (made["statusCode"], named["statusCode"]) == (201, 200)
    shown = data(studio.ask("manage", "GET", "projects/project_1"))
    assert shown == data(named)
    assert (shown["project_id"], shown["name"], shown["user_id"]) == ("project_1", "The final", "user_xyz")


def test_a_project_of_another_tenant_is_not_there(studio):
    studio.put_project()

    for answer in (
        studio.put_project(tenant_id="tenant_other", name="Stolen"),
        studio.ask("manage", "GET", "projects/project_1", tenant_id="tenant_other"),
    ):
        assert (answer["statusCode"], said(answer)["error"]) == (404, "ProjectNotFound")


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", None])
def test_a_project_needs_a_name(studio, name):
    assert studio.put_project(name=name)["statusCode"] == 400


def test_a_video_gets_a_link_under_its_tenant_where_nobody_guesses_it(studio):
    first, second = (data(studio.announce()) for _ in range(2))

    upload = first["upload"]
    assert first["input_video_key"].startswith("tenants/tenant_demo/videos/")
    assert first["input_video_key"] != second["input_video_key"]
    assert (upload["method"], upload["expires_at"]) == ("PUT", "2025-12-17T11:00:00Z")
    assert upload["headers"] == {
        "Content-Type": "video/mp4", "Content-Length": str(len(FILM)), "If-None-Match": "*",
    }  # fmt: skip


def test_five_gigabytes_are_taken_and_no_more(studio):
    assert studio.announce(size=5_000_000_000)["statusCode"] == 201

    answer = studio.announce(size=5_000_000_001)

    assert (answer["statusCode"], said(answer)["fields"][0]["field"]) == (400, "size")


def test_an_upload_is_checked_and_complete(studio):
    made = data(studio.announce())
    send(studio.world, made["upload"], FILM)

    shown = data(studio.complete(made["video_id"]))

    assert (shown["status"], shown["size"], shown["filename"]) == ("uploaded", len(FILM), "match.mp4")
    assert data(studio.complete(made["video_id"])) == shown


def test_an_upload_that_has_not_arrived_is_not_complete(studio):
    made = data(studio.announce())

    answer = studio.complete(made["video_id"])

    assert (answer["statusCode"], said(answer)["error"]) == (409, "UploadMissing")


@pytest.mark.parametrize(("content", "problem"), [(b"%PDF-" + bytes(100), "type"), (FILM + b"!", "size")])
def test_an_upload_that_is_not_what_was_said_is_refused(studio, content, problem):
    made = data(studio.announce(size=105 if problem == "type" else len(FILM)))
    studio.world.bucket.put(made["input_video_key"], content, content_type="video/mp4")

    answer = studio.complete(made["video_id"])

    assert (answer["statusCode"], said(answer)["error"]) == (422, "VideoInvalid")
    assert said(answer)["problem"] == problem
    assert said(studio.create(made["input_video_key"]))["error"] == "ProjectNotFound"
    studio.put_project()
    assert said(studio.create(made["input_video_key"]))["error"] == "VideoNotFound"


def test_a_link_takes_one_video_so_what_was_checked_is_what_is_rendered(studio):
    made = data(studio.announce())
    send(studio.world, made["upload"], FILM)
    other = FILM[:-1] + b"!"

    with pytest.raises(ObjectExists):
        send(studio.world, made["upload"], other)

    assert made["upload"]["headers"]["If-None-Match"] == "*"
    assert studio.world.bucket.get(made["input_video_key"]) == FILM


@pytest.mark.parametrize("is_uploaded", [True, False])
def test_a_field_that_complete_does_not_know_is_refused(studio, is_uploaded):
    made = data(studio.announce())
    if is_uploaded:
        send(studio.world, made["upload"], FILM)

    answer = studio.complete(made["video_id"], body={"sha256": "00"})

    assert (answer["statusCode"], said(answer)["fields"][0]["field"]) == (400, "sha256")
    assert studio.complete(made["video_id"], body={})["statusCode"] == (200 if is_uploaded else 409)


def test_a_bucket_that_does_not_answer_is_no_fault_of_the_upload(studio, monkeypatch):
    made = data(studio.announce())

    def fail(key, **_):
        raise BucketError("connection reset")

    monkeypatch.setattr(studio.world.bucket, "open", fail)

    assert said(studio.complete(made["video_id"]))["error"] == "StorageUnavailable"


def test_a_repeated_announcement_is_one_video_with_a_link_that_lives_an_hour_from_then(studio):
    first = studio.announce(key="once")
    studio.world.clock.advance(minutes=30)

    again = studio.announce(key="once")

    assert again["headers"]["Idempotent-Replayed"] == "true"
    assert data(again)["input_video_key"] == data(first)["input_video_key"]
    assert data(again)["upload"]["expires_at"] == "2025-12-17T11:30:00Z"
    assert count_rows(studio.world.owner, "videos") == 1


def test_a_video_of_another_tenant_is_not_there(studio):
    made = data(studio.announce())

    answer = studio.complete(made["video_id"], tenant_id="tenant_other")

    assert (answer["statusCode"], said(answer)["error"]) == (404, "VideoNotFound")
