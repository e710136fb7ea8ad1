"""Documents are announced once, shown and downloaded by those whose they are, and go for good."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.events import said
from tests.factories import count_rows
from tests.functions.asking import manage
from tests.functions.conftest import World
from tests.functions.deciding import code_of, count_batches
from tests.functions.uploading import PDF, announce, complete, files, row_of, send, upload


def get(world: World, document_id: str, *, lead_id: str = "lead_123", **given: Any) -> dict[str, Any]:
    return manage(world, "GET", f"leads/{lead_id}/documents/{document_id}", **given)


def delete(world: World, document_id: str, *, lead_id: str = "lead_123", **given: Any) -> dict[str, Any]:
    return manage(world, "DELETE", f"leads/{lead_id}/documents/{document_id}", **given)


def listed(world: World, **given: Any) -> list[dict[str, Any]]:
    documents: list[dict[str, Any]] = said(manage(world, "GET", "leads/lead_123/documents", **given))["data"]
    return documents


def test_a_document_is_downloaded_under_its_own_name(world: World):
    document_id, key = upload(world)

    download = said(get(world, document_id))["data"]["download"]

    assert download["url"].startswith(f"http://bucket.test/{key}?filename=Slip%20of%20Robin")
    assert download["expires_at"] == "2025-12-17T10:15:00Z"


def test_the_newest_is_listed_first_and_no_list_holds_a_link(world: World):
    first, _ = upload(world)
    world.clock.advance(seconds=1)
    second, _ = upload(world)

    documents = listed(world)

    assert [one["document_id"] for one in documents] == ["document_lead_123", second, first]
    assert [one for one in documents if "download" in one] == []


def test_ten_are_enough(world: World):
    for _ in range(9):
        announce(world)

    answer = announce(world)

    assert code_of(answer) == (409, "TooManyDocuments")
    assert count_rows(world.owner, "lead_documents") == 10


def test_a_repeat_with_the_same_key_is_the_same_document_with_a_fresh_link(world: World):
    first = announce(world, idempotency_key="once")
    world.clock.advance(minutes=30)

    again = announce(world, idempotency_key="once")

    before, after = said(first)["data"], said(again)["data"]
    assert (again["statusCode"], again["headers"]["Idempotent-Replayed"]) == (201, "true")
    assert after["document_id"] == before["document_id"]
    assert after["upload"]["expires_at"] == "2025-12-17T10:45:00Z"
    assert (
        send(world, after["upload"], PDF)
        == row_of(world, "lead_documents", before["document_id"])["storage_key"]
    )
    assert row_of(world, "lead_documents", before["document_id"])["link_expires_at"] == world.clock.advance(
        minutes=15
    )


def test_a_repeat_after_the_document_is_complete_gets_no_link_to_exchange_it_by(world: World):
    made = said(announce(world, idempotency_key="once"))["data"]
    send(world, made["upload"], PDF)
    complete(world, made["document_id"])
    before = row_of(world, "lead_documents", made["document_id"])
    world.clock.advance(minutes=30)

    again = announce(world, idempotency_key="once")

    assert (again["statusCode"], said(again)["data"]) == (201, {"document_id": made["document_id"]})
    assert row_of(world, "lead_documents", made["document_id"]) == before


def test_a_repeat_after_the_document_was_deleted_gets_no_link_to_it(world: World):
    document_id = said(announce(world, idempotency_key="once"))["data"]["document_id"]
    delete(world, document_id)

    assert code_of(announce(world, idempotency_key="once")) == (404, "DocumentNotFound")


def test_another_announcement_with_the_same_key_is_refused(world: World):
    announce(world, idempotency_key="once")

    answer = announce(world, idempotency_key="once", document_type="bank_statement")

    assert code_of(answer) == (422, "IdempotencyKeyReused")


def test_a_deleted_document_is_gone_and_a_repeat_says_so_again(world: World):
    document_id, key = upload(world)
    world.clock.advance(hours=2)

    first = delete(world, document_id)
    world.clock.advance(minutes=1)
    again = delete(world, document_id)

    assert first["statusCode"] == 200
    assert said(first)["data"] == said(again)["data"] == {
        "document_id": document_id, "status": "deleted", "deleted_at": "2025-12-17T12:00:00Z",
    }  # fmt: skip
    assert key not in files(world)
    assert code_of(get(world, document_id)) == (404, "DocumentNotFound")
    assert code_of(complete(world, document_id)) == (404, "DocumentNotFound")
    assert row_of(world, "lead_documents", document_id)["erased_at"] is not None


@pytest.mark.parametrize("ask", [get, delete, complete])
def test_what_is_another_s_is_answered_as_if_it_were_not_there(world: World, ask: Callable[..., Any]):
    document_id, _ = upload(world)
    world.add_lead("lead_124")

    assert code_of(ask(world, document_id, lead_id="lead_124")) == (404, "DocumentNotFound")
    assert code_of(ask(world, document_id, lead_id="lead_of_another")) == (404, "LeadNotFound")
    assert code_of(ask(world, "doc_0")) == (404, "DocumentNotFound")
    assert code_of(announce(world, "lead_of_another")) == (404, "LeadNotFound")
    assert get(world, document_id)["statusCode"] == 200


def test_a_deleted_lead_takes_no_documents_and_shows_none(world: World):
    document_id, _ = upload(world)
    manage(world, "DELETE", "leads/lead_123")

    assert code_of(announce(world)) == (410, "LeadDeleted")
    assert code_of(manage(world, "GET", "leads/lead_123/documents")) == (410, "LeadDeleted")
    for ask in (get, delete, complete):
        assert code_of(ask(world, document_id)) == (410, "LeadDeleted")


@pytest.mark.parametrize(
    ("ask", "most"),
    [
        (lambda world, _: announce(world), 1),
        (lambda world, _: announce(world, idempotency_key="once"), 1),
        (lambda world, _: listed(world), 1),
        (get, 1),
        (complete, 2),
        (delete, 2),
    ],
)
def test_each_is_as_few_round_trips_as_can_be(
    world: World, monkeypatch: pytest.MonkeyPatch, ask: Callable[..., Any], most: int
):
    made = said(announce(world))["data"]
    send(world, made["upload"], PDF)
    sizes = count_batches(world, monkeypatch)

    ask(world, made["document_id"])

    assert len(sizes) == most


def test_no_log_line_tells_a_file_s_name_its_place_or_its_link(
    world: World, capsys: pytest.CaptureFixture[str]
):
    document_id, key = upload(world)
    get(world, document_id)
    delete(world, document_id)

    printed = capsys.readouterr().out
    secret = key.rpartition("/")[2]
    assert [word for word in (secret, "Robin", "signature") if word in printed] == []
    assert [json.loads(line) for line in printed.splitlines()]
