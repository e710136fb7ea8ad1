"""A document goes to the bucket by a link, and counts once it is what was said of it."""

import hashlib
from typing import Any

import pytest

from millrace.bindings.links import FolderLinks
from millrace.errors import BucketError, LinkRefused, ObjectExists
from tests.events import said
from tests.functions.asking import manage
from tests.functions.conftest import World
from tests.functions.deciding import code_of
from tests.functions.uploading import PDF, announce, complete, row_of, send, upload

DIGEST = hashlib.sha256(PDF).hexdigest()


def get(world: World, document_id: str, *, lead_id: str = "lead_123", **given: Any) -> dict[str, Any]:
    return manage(world, "GET", f"leads/{lead_id}/documents/{document_id}", **given)


def test_an_announced_document_gets_a_link_for_exactly_this_file(world: World):
    answer = announce(world)

    made = said(answer)["data"]
    assert answer["statusCode"] == 201
    assert made["document_id"].startswith("doc_")
    assert made["upload"]["method"] == "PUT"
    assert made["upload"]["headers"] == {
        "Content-Type": "application/pdf", "Content-Length": str(len(PDF)), "If-None-Match": "*",
    }  # fmt: skip
    assert made["upload"]["expires_at"] == "2025-12-17T10:15:00Z"
    with pytest.raises(LinkRefused):
        send(world, made["upload"], PDF + b" ")
    send(world, made["upload"], PDF)
    world.clock.advance(minutes=15)
    with pytest.raises(LinkRefused):
        send(world, made["upload"], PDF)


def test_it_lies_where_neither_its_name_nor_a_person_s_can_be_read(world: World):
    _, first = upload(world)
    _, second = upload(world)

    secrets = [key.removeprefix("tenants/tenant_demo/leads/id-lead_123/") for key in (first, second)]
    assert [len(secret) for secret in secrets] == [64, 64]
    assert secrets[0] != secrets[1]


def test_a_document_counts_once_it_is_complete(world: World):
    made = said(announce(world, sha256=DIGEST.upper()))["data"]
    before = said(get(world, made["document_id"]))["data"]
    send(world, made["upload"], PDF)
    world.clock.advance(seconds=20)

    answer = complete(world, made["document_id"])

    assert answer["statusCode"] == 200
    assert before["status"] == "awaiting_upload"
    assert "download" not in before
    assert said(answer)["data"] == {
        "document_id": made["document_id"],
        "lead_id": "lead_123",
        "document_type": "pay_slip",
        "file_name": "Slip of Robin.pdf",
        "mime_type": "application/pdf",
        "size": len(PDF),
        "sha256": DIGEST,
        "status": "uploaded",
        "uploaded_at": "2025-12-17T10:00:20Z",
    }


def test_said_twice_it_is_answered_alike(world: World):
    document_id, _ = upload(world)
    world.clock.advance(minutes=5)

    again = complete(world, document_id)

    assert (again["statusCode"], said(again)["data"]["uploaded_at"]) == (200, "2025-12-17T10:00:00Z")


def test_said_again_a_file_that_was_exchanged_meanwhile_is_refused(world: World):
    document_id, key = upload(world)
    world.bucket.put(key, PDF.replace(b"1,500", b"9,500"), content_type="application/pdf")

    again = complete(world, document_id)

    assert (code_of(again), said(again)["problem"]) == ((422, "DocumentInvalid"), "checksum")
    assert row_of(world, "lead_documents", document_id)["checksum"] == DIGEST


def test_what_has_not_arrived_is_not_complete(world: World):
    document_id = said(announce(world))["data"]["document_id"]

    assert code_of(complete(world, document_id)) == (409, "UploadMissing")
    assert row_of(world, "lead_documents", document_id)["uploaded_at"] is None


@pytest.mark.parametrize(
    ("content", "said_of", "problem"),
    [
        (b"Net pay 1,500.00", {}, "type"),
        (b"PK\x03\x04" + b"\x00" * 40, {}, "type"),
        (PDF, {"mime_type": "image/png"}, "type"),
        (PDF, {"mime_type": "text/plain"}, "type"),
        (PDF, {"sha256": "0" * 64}, "checksum"),
    ],
)
def test_what_is_not_as_it_was_said_is_refused(
    world: World, content: bytes, said_of: dict[str, Any], problem: str
):
    made = said(announce(world, content=content, **said_of))["data"]
    send(world, made["upload"], content)

    answer = complete(world, made["document_id"])

    assert code_of(answer) == (422, "DocumentInvalid")
    assert said(answer)["problem"] == problem
    assert said(get(world, made["document_id"]))["data"]["status"] == "awaiting_upload"


def test_after_a_wrong_file_the_right_one_is_announced_anew(world: World):
    wrong = said(announce(world))["data"]
    send(world, wrong["upload"], PDF[::-1])
    refused = complete(world, wrong["document_id"])

    deleted = manage(world, "DELETE", f"leads/lead_123/documents/{wrong['document_id']}")
    right, _ = upload(world)

    assert code_of(refused) == (422, "DocumentInvalid")
    assert "Delete this document, and announce the right one." in said(refused)["message"]
    assert (deleted["statusCode"], said(get(world, right))["data"]["status"]) == (200, "uploaded")


def test_a_document_once_complete_is_not_exchanged_though_its_link_still_lives(world: World):
    made = said(announce(world, idempotency_key="once"))["data"]
    again = said(announce(world, idempotency_key="once"))["data"]
    key = send(world, made["upload"], PDF)
    complete(world, made["document_id"])
    world.clock.advance(minutes=14)

    for link in (made["upload"], again["upload"]):
        with pytest.raises(ObjectExists):
            send(world, link, PDF.replace(b"1,500", b"9,500"))

    assert world.bucket.get(key) == PDF
    assert complete(world, made["document_id"])["statusCode"] == 200


def test_a_link_does_not_take_an_upload_that_would_replace_what_is_there(world: World):
    made = said(announce(world))["data"]["upload"]
    made["headers"].pop("If-None-Match")

    with pytest.raises(LinkRefused, match="once"):
        send(world, made, PDF)


@pytest.mark.parametrize(("size", "problem"), [(6_000_000, "size"), (10, "size")])
def test_the_size_is_measured_and_not_believed(world: World, size: int, problem: str):
    """Whoever has another way into the bucket than our link, or a bucket that does not check the link."""
    made = said(announce(world))["data"]
    key = row_of(world, "lead_documents", made["document_id"])["storage_key"]
    world.bucket.put(key, b"%PDF-".ljust(size), content_type="application/pdf")

    answer = complete(world, made["document_id"])

    assert (code_of(answer), said(answer)["problem"]) == ((422, "DocumentInvalid"), problem)


def test_with_the_bucket_down_nothing_is_complete_and_a_repeat_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    class BrokenBucket:
        def get(self, key: str, *, most_bytes: int) -> bytes:
            raise BucketError("connection reset")

    made = said(announce(world))["data"]
    send(world, made["upload"], PDF)
    monkeypatch.setattr(world.api, "BUCKET", BrokenBucket())

    answer = complete(world, made["document_id"])

    assert code_of(answer) == (503, "StorageUnavailable")
    assert row_of(world, "lead_documents", made["document_id"])["uploaded_at"] is None


def test_a_link_is_signed_for_the_document_alone(world: World):
    first = said(announce(world))["data"]["upload"]
    key = row_of(world, "lead_documents", "document_lead_123")["storage_key"]
    query = first["url"].partition("?")[2]

    with pytest.raises(LinkRefused):
        FolderLinks("http://bucket.test", "a secret of the test").check(
            "PUT", key=key, query=query, content_type="application/pdf", content_length=len(PDF),
            now=world.clock.now(),
        )  # fmt: skip
