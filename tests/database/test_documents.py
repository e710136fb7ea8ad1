"""A lead's documents: announced, uploaded, complete; ten at most, however many ask at once."""

from collections import Counter
from datetime import timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import (
    DocumentNotFound,
    IdempotencyKeyReused,
    LeadDeleted,
    LeadNotFound,
    Refusal,
    SiteNotFound,
    TooManyDocuments,
)
from millrace.store import documents, erasure, settings
from millrace.store.documents import NewUpload
from millrace.store.leads import Which
from tests.database.test_races import in_parallel
from tests.factories import BY, NOW, accept_job, add_house, add_lead, add_site, count_rows, new_id

LATER = NOW + timedelta(minutes=10)
LEAD = Which("lead_1", "tenant_a", "site_a")
CHECKSUM = "ab" * 32


@pytest.fixture
def api(db, api_db):
    add_house(db)
    add_lead(db, "lead_1")
    return api_db.for_tenant("tenant_a")


def upload_of(document_id=None, *, checksum=None):
    document_id = document_id or new_id("doc")
    return NewUpload(
        document_id, "pay_slip", "slip.pdf", 10, "application/pdf", f"t/{document_id}", checksum, LATER
    )


def create(db, document_id=None, *, which=LEAD, key=None):
    """The id of a document that is expected from now on."""
    made = documents.create(db, which, upload=upload_of(document_id), now=NOW, key=key)
    return made.facts["document_id"]


def complete(db, document_id, *, checksum=CHECKSUM, now=NOW):
    return documents.complete(db, LEAD, document_id=document_id, checksum=checksum, now=now)


def test_an_announced_document_is_expected_and_a_complete_one_is_there(api):
    document_id = create(api)

    expected = documents.read(api, LEAD, document_id=document_id)
    uploaded = complete(api, document_id)

    assert (expected["uploaded_at"], expected["checksum"], expected["link_expires_at"]) == (None, None, LATER)
    assert (expected["tenant_id"], expected["size_bytes"]) == ("tenant_a", 10)
    assert (uploaded["uploaded_at"], uploaded["checksum"]) == (NOW, CHECKSUM)
    assert documents.read(api, LEAD, document_id=document_id) == uploaded


def test_what_was_said_first_stays(api):
    document_id = create(api)
    complete(api, document_id)

    again = complete(api, document_id, checksum="cd" * 32, now=LATER)

    assert (again["uploaded_at"], again["checksum"]) == (NOW, CHECKSUM)


def test_a_lead_has_ten_documents_at_most_and_room_again_when_one_is_deleted(api):
    ids = [create(api) for _ in range(10)]

    with pytest.raises(TooManyDocuments):
        create(api)
    erasure.delete_document(api, LEAD, document_id=ids[3], now=NOW)

    assert create(api)
    assert len(documents.list_newest(api, LEAD)) == 10


def test_of_thirty_announced_at_once_exactly_ten_are_accepted(api, db):
    outcomes = in_parallel(lambda _: create(api), range(30))

    said = Counter(outcome.code if isinstance(outcome, Refusal) else "accepted" for outcome in outcomes)
    assert said == {"accepted": 10, "TooManyDocuments": 20}
    assert count_rows(db, "lead_documents") == 10


def test_the_same_request_twice_is_one_document(api, db):
    key = IdempotencyKey("once", "fingerprint")

    outcomes = in_parallel(lambda _: create(api, key=key), range(12))

    assert len(set(outcomes)) == 1
    assert count_rows(db, "lead_documents") == 1
    with pytest.raises(IdempotencyKeyReused):
        create(api, key=IdempotencyKey("once", "another"))


def test_a_refused_request_leaves_its_key_free(api):
    key = IdempotencyKey("once", "fingerprint")
    with pytest.raises(LeadNotFound):
        create(api, which=Which("nobody", "tenant_a", "site_a"), key=key)

    assert create(api, key=key)


def test_a_key_s_facts_hold_nothing_of_a_person(api, db):
    create(api, "doc_1", key=IdempotencyKey("once", "fingerprint"))

    assert db.prepare("SELECT facts FROM idempotency_keys").first("facts") == {"document_id": "doc_1"}


def test_a_link_is_renewed_until_its_document_is_deleted(api):
    document_id = create(api)

    renewed = documents.renew(api, LEAD, document_id=document_id, link_expires_at=LATER + timedelta(hours=1))
    erasure.delete_document(api, LEAD, document_id=document_id, now=NOW)

    assert renewed["link_expires_at"] == LATER + timedelta(hours=1)
    with pytest.raises(DocumentNotFound):
        documents.renew(api, LEAD, document_id=document_id, link_expires_at=LATER)


def test_the_newest_are_listed_first_and_the_deleted_not_at_all(api):
    first, second, third = (create(api, f"doc_{number}") for number in range(3))
    erasure.delete_document(api, LEAD, document_id=second, now=NOW)

    assert [row["id"] for row in documents.list_newest(api, LEAD)] == [third, first]


def test_what_is_another_s_is_not_there(api, db):
    document_id = create(api)
    add_site(db, "site_a2")
    add_lead(db, "lead_2")
    asks = [
        lambda which: documents.read(api, which, document_id=document_id),
        lambda which: documents.read_to_complete(api, which, document_id=document_id),
        lambda which: erasure.delete_document(api, which, document_id=document_id, now=NOW),
    ]

    for which, refusal in (
        (Which("lead_2", "tenant_a", "site_a"), DocumentNotFound),
        (Which("lead_1", "tenant_a", "site_a2"), LeadNotFound),
        (Which("lead_1", "tenant_a", "site_b"), SiteNotFound),
        (Which("nobody", "tenant_a", "site_a"), LeadNotFound),
    ):
        for ask in asks:
            with pytest.raises(refusal):
                ask(which)
        if refusal is not DocumentNotFound:
            with pytest.raises(refusal):
                documents.list_newest(api, which)
            with pytest.raises(refusal):
                create(api, which=which)
    assert documents.read(api, LEAD, document_id=document_id)


def test_a_deleted_lead_s_documents_are_gone_with_it(api):
    document_id = create(api)
    erasure.delete_lead(api, LEAD, move_id=new_id("move"), by=BY, now=NOW)

    for ask in (
        lambda: documents.read(api, LEAD, document_id=document_id),
        lambda: complete(api, document_id),
        lambda: documents.list_newest(api, LEAD),
        lambda: create(api),
        lambda: erasure.delete_document(api, LEAD, document_id=document_id, now=NOW),
    ):
        with pytest.raises(LeadDeleted):
            ask()


def test_whether_documents_are_judged_by_themselves_is_the_tenant_s_choice(api, db):
    document_id = create(api)

    before = documents.read_to_complete(api, LEAD, document_id=document_id)["auto_run"]
    settings.change(api, {"ai_auto_run_on_documents": True}, tenant_id="tenant_a", by=BY, now=NOW)

    assert before == "false"
    assert documents.read_to_complete(api, LEAD, document_id=document_id)["auto_run"] == "true"


def test_the_job_that_was_asked_for_since_the_upload_is_known(api, db):
    accept_job(db, "lead_1", now=NOW - timedelta(minutes=1))
    document_id = create(api)
    complete(api, document_id)
    before = documents.read_to_complete(api, LEAD, document_id=document_id)["job_id"]
    db.prepare("UPDATE ai_evaluation_jobs SET status = 'cancelled', completed_at = ?1").bind(NOW).run()

    since = accept_job(db, "lead_1")

    assert before is None
    assert documents.read_to_complete(api, LEAD, document_id=document_id)["job_id"] == since
