"""What a model learns of a lead, and what becomes of documents that cannot be fetched."""

import hashlib

import pytest

from millrace.bindings.folder import FolderBucket
from millrace.domain.questions import Document
from millrace.domain.scoring import FRAUD_SIGNALS, REPORTED_RISKS
from millrace.env import Config, Env
from millrace.errors import BucketError, InsufficientDocuments, StorageError
from millrace.workloads.evaluation import MOST_BYTES, MOST_DOCUMENT_BYTES, MOST_DOCUMENTS, ask_about, fetch
from tests.factories import NOW

LEAD = {
    "id": "lead_a",
    "first_name": "Robin",
    "last_name": "Example",
    "email": "robin@example.com",
    "phone": "555-0100",
    "employment_status": "employed",
    "monthly_income_microusd": 5_250_500_000,
    "monthly_rent_microusd": 1_500_000_000,
    "move_in_date": None,
}
SLIP = Document("Document 1", "text/plain", b"Net pay $1,500.00")


def question_about(**changes):
    return ask_about({**LEAD, **changes}, documents=(SLIP,), today=NOW.date())


def env_of(bucket):
    return Env(Config(database_url="sqlite:///nowhere.db"), BUCKET=bucket, now=lambda: NOW)


@pytest.fixture
def bucket(tmp_path):
    return FolderBucket(tmp_path, now=lambda: NOW)


def row(key, *, file_name="Robin Example pay slip.txt", checksum=None):
    return {
        "id": "doc_1",
        "storage_key": key,
        "mime_type": "text/plain",
        "file_name": file_name,
        "checksum": checksum,
    }


@pytest.mark.parametrize(
    "person",
    [
        {"id": "lead_b", "first_name": "Oluwaseun", "last_name": "Papadopoulou-Nguyen"},
        {"first_name": None, "last_name": None},
        {"email": "someone.else@example.org", "phone": "+44 20 7946 0000"},
    ],
)
def test_two_leads_that_differ_only_in_the_person_get_the_same_question(person):
    assert question_about(**person) == question_about()


def test_a_question_holds_two_amounts_the_day_and_the_documents_and_nothing_else():
    question = question_about()

    assert question.given == {
        "today": "2025-12-17",
        "monthly_rent": "1500.00",
        "stated_monthly_income": "5250.50",
    }
    assert question.documents == (SLIP,)


def test_an_unknown_amount_is_left_out_rather_than_sent_as_nothing():
    question = question_about(monthly_income_microusd=None, monthly_rent_microusd=None)

    assert question.given == {"today": "2025-12-17"}


def test_the_instructions_say_what_must_not_be_considered_and_list_what_may_be_said():
    said = question_about().instructions

    for ground in ("race", "ethnicity", "religion", "family status", "disability", "gender", "age"):
        assert ground in said.lower()
    assert all(word in said for word in (*REPORTED_RISKS, *FRAUD_SIGNALS))


def test_documents_are_named_by_their_place_since_file_names_hold_names(bucket):
    bucket.put("t/slip", b"Net pay", content_type="text/plain")

    readable = fetch([row("t/slip")], env=env_of(bucket), until=NOW)

    assert readable.documents == (Document("Document 1", "text/plain", b"Net pay"),)
    assert "Robin" not in repr(readable)


def test_a_document_that_is_missing_empty_or_too_large_is_a_warning(bucket):
    bucket.put("t/empty", b"", content_type="text/plain")
    bucket.put("t/slip", b"Net pay", content_type="text/plain")
    bucket.put("t/large", b"x" * (MOST_DOCUMENT_BYTES + 1), content_type="text/plain")

    readable = fetch(
        [row("t/gone"), row("t/empty"), row("t/slip"), row("t/large")], env=env_of(bucket), until=NOW
    )

    assert [document.name for document in readable.documents] == ["Document 3"]
    assert readable.warnings == (
        "Document 1 was not read: the file is missing.",
        "Document 2 was not read: it is empty.",
        "Document 4 was not read: it is larger than 5,000,000 bytes.",
    )


def test_of_many_documents_the_newest_are_read_and_it_is_said(bucket):
    for number in range(MOST_DOCUMENTS + 2):
        bucket.put(f"t/{number}", f"slip {number}".encode(), content_type="text/plain")

    readable = fetch(
        [row(f"t/{number}") for number in range(MOST_DOCUMENTS + 2)], env=env_of(bucket), until=NOW
    )

    assert [document.content for document in readable.documents] == [
        f"slip {number}".encode() for number in range(2, MOST_DOCUMENTS + 2)
    ]
    assert readable.warnings == ("Only the newest 10 documents were read.",)


def test_documents_that_are_too_large_together_are_left_out_from_where_they_are(bucket):
    fitting = MOST_BYTES // MOST_DOCUMENT_BYTES
    for number in range(fitting):
        bucket.put(f"t/{number}", b"x" * MOST_DOCUMENT_BYTES, content_type="text/plain")
    bucket.put("t/one too many", b"x", content_type="text/plain")
    keys = [*(f"t/{number}" for number in range(fitting)), "t/one too many"]

    readable = fetch([row(key) for key in keys], env=env_of(bucket), until=NOW)

    assert len(readable.documents) == fitting
    assert readable.warnings == (
        f"Document {fitting + 1} was not read: together the documents are larger than 20,000,000 bytes.",
    )


def test_a_document_is_read_while_it_is_the_one_that_was_checked(bucket):
    checked = hashlib.sha256(b"Net pay").hexdigest()
    bucket.put("t/slip", b"Net pay", content_type="text/plain")
    bucket.put("t/other", b"Net pay, and more", content_type="text/plain")

    readable = fetch(
        [row("t/slip", checksum=checked), row("t/other", checksum=checked)], env=env_of(bucket), until=NOW
    )

    assert [document.content for document in readable.documents] == [b"Net pay"]
    assert readable.warnings == ("Document 2 was not read: it was changed after it was checked.",)


@pytest.mark.parametrize("rows", [[], [row("t/gone"), row("t/gone too")]])
def test_with_no_document_at_all_the_job_is_over(bucket, rows):
    with pytest.raises(InsufficientDocuments):
        fetch(rows, env=env_of(bucket), until=NOW)


def test_with_no_document_at_all_it_is_said_why_of_each(bucket):
    bucket.put("t/empty", b"", content_type="text/plain")

    with pytest.raises(InsufficientDocuments) as failed:
        fetch([row("t/gone"), row("t/empty")], env=env_of(bucket), until=NOW)

    assert failed.value.message == (
        "The lead has no documents that can be read. Upload some and ask again. "
        "Document 1 was not read: the file is missing. Document 2 was not read: it is empty."
    )


def test_many_reasons_are_cut(bucket):
    with pytest.raises(InsufficientDocuments) as failed:
        fetch([row("t/gone")] * (MOST_DOCUMENTS + 2), env=env_of(bucket), until=NOW)

    assert 400 < len(failed.value.message) <= 500
    assert failed.value.message.endswith(" …")


def test_a_bucket_that_fails_is_tried_again_later():
    class Broken:
        def get(self, key, *, most_bytes):
            raise BucketError("connection reset")

    with pytest.raises(StorageError) as failed:
        fetch([row("t/slip")], env=env_of(Broken()), until=NOW)

    assert failed.value.transient
    assert isinstance(failed.value.__cause__, BucketError)
