"""Every minute what nobody wants any more goes, from the rows and from the bucket, a part at a time."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.job_pickup.app import handler
from millrace.env import Env
from millrace.errors import BucketError
from millrace.store import erasure
from tests.clock import Clock
from tests.events import Context, read_event, said
from tests.functions.asking import manage
from tests.functions.conftest import World
from tests.functions.deciding import accept
from tests.functions.uploading import PDF, announce, files, row_of, send, upload


def tick(world: World, *, env: Env | None = None) -> None:
    handler(read_event("job_pickup/every_minute"), Context(), env=env or world.engine)


def decide(world: World) -> None:
    assert manage(world, "PUT", "leads/lead_123", {"status": "approved"})["statusCode"] == 200


def documents(world: World) -> list[dict[str, Any]]:
    """What a person sees of them."""
    shown: list[dict[str, Any]] = said(manage(world, "GET", "leads/lead_123/documents"))["data"]
    return shown


def lines(capsys: pytest.CaptureFixture[str], event: str) -> list[dict[str, Any]]:
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in printed if line.get("message") == event]


def test_a_deleted_file_that_came_again_by_its_link_is_erased_once_the_link_is_over(world: World):
    made = said(announce(world))["data"]
    manage(world, "DELETE", f"leads/lead_123/documents/{made['document_id']}")
    key = send(world, made["upload"], PDF)

    tick(world)
    early = key in files(world)
    world.clock.advance(minutes=75)
    tick(world)

    assert early
    assert key not in files(world)
    assert row_of(world, "lead_documents", made["document_id"])["erased_at"] == world.clock.now()


def test_an_upload_that_was_never_complete_goes_a_day_after_its_link(
    world: World, capsys: pytest.CaptureFixture[str]
):
    made = said(announce(world))["data"]
    key = send(world, made["upload"], PDF)
    world.clock.advance(days=1, minutes=14)
    tick(world)
    before = len(documents(world))

    world.clock.advance(minutes=1)
    tick(world)

    assert (before, len(documents(world))) == (2, 1)
    assert key not in files(world)
    assert lines(capsys, "documents_deleted")[0]["reason"] == "abandoned"


def test_documents_go_ninety_days_after_a_lead_was_decided_and_the_lead_stays(world: World):
    upload(world)
    decide(world)
    world.clock.advance(days=90, seconds=-1)
    tick(world)
    before = len(documents(world))

    world.clock.advance(seconds=1)
    tick(world)

    assert (before, documents(world), files(world)) == (2, [], [])
    assert said(manage(world, "GET", "leads/lead_123"))["data"]["first_name"] == "Robin"


def test_for_how_many_days_they_are_kept_is_configured(world: World, clock: Clock):
    decide(world)
    clock.advance(days=30)
    config = type(world.engine.config)(database_url="sqlite:///nowhere.db", document_days=30)

    tick(world, env=Env(config, DB=world.engine.DB, QUEUE=world.doorbell, BUCKET=world.bucket, now=clock.now))

    assert files(world) == []


def test_with_nothing_to_do_nothing_is_said(world: World, capsys: pytest.CaptureFixture[str]):
    tick(world)

    printed = capsys.readouterr().out
    assert "documents_" not in printed
    assert len(files(world)) == 1


class BrokenBucket:
    """A bucket that does not answer."""

    def delete(self, keys: Any) -> None:
        raise BucketError("connection reset")


def test_a_bucket_that_is_down_stops_nothing_else_and_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    world.add_lead("lead_124")
    accept(world, "lead_124")
    decide(world)
    world.clock.advance(days=90)
    monkeypatch.setattr(world.engine, "BUCKET", BrokenBucket())

    with pytest.raises(RuntimeError):
        tick(world)

    assert world.doorbell.rung == [("evaluation", 1, 0)]
    assert documents(world) == []
    assert len(files(world)) == 1
    assert lines(capsys, "fault")[0]["error"] == "BucketError"
    monkeypatch.setattr(world.engine, "BUCKET", world.bucket)
    tick(world)
    assert files(world) == []


def test_a_tick_that_dies_between_the_bucket_and_the_row_does_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    upload(world)
    decide(world)
    world.clock.advance(days=90)
    monkeypatch.setattr(erasure, "mark_erased", lambda *_given, **_more: 1 / 0)
    with pytest.raises(RuntimeError):
        tick(world)
    monkeypatch.undo()

    tick(world)

    rows = world.owner.prepare("SELECT erased_at FROM lead_documents").raw()
    assert (files(world), rows) == ([], [(world.clock.now(),)] * 2)


def test_a_key_that_no_bucket_can_hold_keeps_no_other_file_from_being_erased(world: World):
    """Rows that were copied from elsewhere may hold such keys."""
    upload(world)
    world.owner.prepare(
        "UPDATE lead_documents SET storage_key = '/../slip' WHERE id = 'document_lead_123'"
    ).run()
    decide(world)
    world.clock.advance(days=90)

    tick(world)

    assert files(world) == ["lead_123/pay-slip.txt"]
    assert row_of(world, "lead_documents", "document_lead_123")["erased_at"] == world.clock.now()


def test_what_another_tick_has_done_is_not_done_again(world: World):
    upload(world)
    decide(world)
    now = world.clock.advance(days=90)
    kept = timedelta(days=90)

    done = [erasure.delete_outdated(world.engine.DB, kept=kept, now=now) for _ in range(2)]

    assert done == [2, 0]


def test_only_the_file_itself_leaves_the_folder(world: World, tmp_path: Path):
    _, key = upload(world)
    kept, _ = upload(world)
    folder = tmp_path / "bucket" / "objects"
    before = len(list(folder.iterdir()))
    (document_id,) = [
        one["document_id"]
        for one in documents(world)
        if one["document_id"] not in (kept, "document_lead_123")
    ]

    manage(world, "DELETE", f"leads/lead_123/documents/{document_id}")

    assert len(list(folder.iterdir())) == before - 1
    assert key not in files(world)
