"""Leads are created and changed under the caller's own ids, and deleted with all that is theirs."""

import json
from typing import Any

import pytest

from millrace.errors import BucketError
from millrace.store import judgements
from tests.events import said
from tests.factories import evaluation_of, new_id
from tests.functions.asking import manage
from tests.functions.conftest import World
from tests.functions.deciding import accept, claim, code_of, complete, count_batches, is_charged, moves_of
from tests.functions.uploading import PDF, announce, files, row_of, send, upload

ROBIN = {
    "first_name": "Robin",
    "last_name": "Rivers",
    "email": "robin@example.com",
    "phone": "+1 (555) 010-0100",
    "employment_status": "employed",
    "monthly_income": 6482.5,
    "monthly_rent": 1950,
    "move_in_date": "2026-02-01",
}


def put(world: World, body: Any = None, *, lead: str = "lead_new", **given: Any) -> dict[str, Any]:
    return manage(world, "PUT", f"leads/{lead}", {} if body is None else body, **given)


def get(world: World, lead: str = "lead_new", **given: Any) -> dict[str, Any]:
    return manage(world, "GET", f"leads/{lead}", **given)


def delete(world: World, lead: str = "lead_123", **given: Any) -> dict[str, Any]:
    return manage(world, "DELETE", f"leads/{lead}", **given)


def test_a_lead_is_created_and_shown_as_it_was_said(world: World):
    created, shown = put(world, ROBIN), get(world)

    assert (created["statusCode"], shown["statusCode"]) == (201, 200)
    assert said(created) == said(shown)
    assert said(shown)["data"] == ROBIN | {
        "lead_id": "lead_new",
        "status": "new",
        "created_at": "2025-12-17T10:00:00Z",
        "updated_at": "2025-12-17T10:00:00Z",
    }


def test_a_repeat_changes_nothing_and_what_is_left_out_stays(world: World):
    put(world, ROBIN)
    world.clock.advance(minutes=5)

    answer = put(world, {"monthly_rent": 2100.25, "phone": None})

    assert answer["statusCode"] == 200
    kept = {name: value for name, value in ROBIN.items() if name != "phone"} | {"monthly_rent": 2100.25}
    assert said(answer)["data"].items() >= kept.items()
    assert "phone" not in said(answer)["data"]


def test_an_id_alone_is_enough_for_a_lead(world: World):
    assert put(world)["statusCode"] == 201


def test_a_decision_has_a_time_and_is_taken_back_with_it(world: World):
    put(world, ROBIN)
    world.clock.advance(hours=1)

    approved, reopened = put(world, {"status": "approved"}), put(world, {"status": "new"})

    assert (
        said(approved)["data"].items() >= {"status": "approved", "decided_at": "2025-12-17T11:00:00Z"}.items()
    )
    assert said(reopened)["data"]["status"] == "new"
    assert "decided_at" not in said(reopened)["data"]


def test_what_the_system_decides_is_refused_by_name(world: World):
    answer = put(world, {"status": "ai_evaluated", "email": "nobody", "monthly_rent": -1, "colour": "blue"})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"] == [
        {"field": "email", "message": "is not in the right form"},
        {"field": "monthly_rent", "message": "must be at least 0.0"},
        {"field": "status", "message": "must be one of 'new', 'approved', 'rejected' or 'withdrawn'"},
        {"field": "colour", "message": "is not a known field"},
    ]
    assert code_of(get(world)) == (404, "LeadNotFound")


@pytest.mark.parametrize("day", ["2026-02-30", "soon", 0])
def test_a_day_that_is_none_is_refused_in_words(world: World, day: Any):
    answer = put(world, {"move_in_date": day})

    assert said(answer)["fields"] == [
        {"field": "move_in_date", "message": "must be a date such as 2025-12-17"}
    ]


@pytest.mark.parametrize("act", [put, get, delete])
def test_what_is_another_s_is_answered_as_if_it_were_not_there(world: World, act: Any):
    before = row_of(world, "leads", "lead_of_another")

    assert code_of(act(world, lead="lead_of_another")) == (404, "LeadNotFound")
    assert code_of(act(world, lead="lead_of_another", x_site_id="site_other")) == (404, "SiteNotFound")
    assert row_of(world, "leads", "lead_of_another") == before


@pytest.mark.parametrize(("act", "missing"), [(put, "X-User-Id"), (delete, "X-User-Id"), (get, "X-Site-Id")])
def test_who_asks_for_which_site_must_be_said(world: World, act: Any, missing: str):
    answer = act(world, **{missing.lower().replace("-", "_"): ""})

    assert code_of(answer) == (400, "MissingHeaders")
    assert said(answer)["missing"] == [missing]


@pytest.mark.parametrize("act", [put, delete])
def test_a_key_that_may_only_read_changes_nothing(world: World, act: Any):
    assert code_of(act(world, scopes="evaluations:read")) == (403, "MissingScope")


@pytest.mark.parametrize("act", [put, get])
def test_each_is_one_round_trip(world: World, monkeypatch: pytest.MonkeyPatch, act: Any):
    put(world, ROBIN)
    sizes = count_batches(world, monkeypatch)

    act(world)

    assert len(sizes) == 1


def test_a_deleted_lead_is_gone_with_its_documents_and_its_id_is_not_free_again(world: World):
    upload(world)
    world.clock.advance(hours=2)

    answer = delete(world)

    assert answer["statusCode"] == 200
    assert said(answer)["data"] == {
        "lead_id": "lead_123", "status": "deleted", "deleted_at": "2025-12-17T12:00:00Z",
    }  # fmt: skip
    assert files(world) == []
    assert code_of(get(world, "lead_123")) == (410, "LeadDeleted")
    assert code_of(put(world, ROBIN, lead="lead_123")) == (410, "LeadDeleted")
    assert row_of(world, "leads", "lead_123")["first_name"] is None


def test_a_second_deletion_has_the_same_answer(world: World):
    first = delete(world)
    world.clock.advance(minutes=5)

    assert said(delete(world)) == said(first)


def test_a_live_job_is_cancelled_and_given_back(world: World):
    accept(world)

    delete(world)

    job = world.job()
    assert job["status"] == "cancelled"
    assert ("cancel", "user_xyz") in moves_of(world, job["id"])
    assert is_charged(world, 0)


def test_the_result_of_a_worker_that_is_late_is_dropped(world: World):
    accept(world)
    job = claim(world)

    delete(world)

    moved = {"move_id": new_id("move"), "now": world.clock.now()}
    assert not judgements.complete(world.engine.DB, job, evaluation=evaluation_of(), **moved)
    assert world.owner.prepare("SELECT * FROM lead_ai_evaluations").all().results == []


def test_a_result_loses_what_is_personal_and_stays_counted(world: World):
    accept(world)
    evaluation_id = complete(world)

    delete(world)

    evaluation = row_of(world, "lead_ai_evaluations", evaluation_id)
    assert (evaluation["summary"], evaluation["score"]) == ("", 85)
    assert is_charged(world, 1)


class BrokenBucket:
    def delete(self, keys: Any) -> None:
        raise BucketError("connection reset")


def test_with_the_bucket_down_the_rows_are_deleted_and_the_files_are_left_to_the_minute(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    document_id, key = upload(world)
    world.clock.advance(hours=2)
    monkeypatch.setattr(world.api, "BUCKET", BrokenBucket())

    answer = delete(world)

    assert answer["statusCode"] == 200
    assert key in files(world)
    row = row_of(world, "lead_documents", document_id)
    assert (row["file_name"], row["deleted_at"], row["erased_at"]) == ("", world.clock.now(), None)
    faults = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"fault"' in line]
    assert [(fault["error"], fault["reason"]) for fault in faults] == [("BucketError", "connection reset")]


def test_a_file_that_may_still_be_uploaded_is_erased_now_and_again_later(world: World):
    made = said(announce(world))["data"]
    key = send(world, made["upload"], PDF)

    delete(world)

    assert key not in files(world)
    assert row_of(world, "lead_documents", made["document_id"])["erased_at"] is None
    assert row_of(world, "lead_documents", "document_lead_123")["erased_at"] == world.clock.now()


def test_neither_an_answer_s_log_line_nor_a_deletion_s_tells_of_a_person(
    world: World, capsys: pytest.CaptureFixture[str]
):
    put(world, ROBIN)
    put(world, ROBIN | {"email": "nobody"})
    delete(world, "lead_new")

    printed = capsys.readouterr().out
    assert "lead_deleted" in printed
    assert [word for word in ("Robin", "Rivers", "example.com", "555", "6482") if word in printed] == []
