"""Documents are kept for a limited time, and looking for those whose time is over stays cheap."""

from datetime import timedelta

import pytest

from millrace.store import documents, erasure, leads
from millrace.store.documents import NewUpload
from millrace.store.erasure import ABANDONED_AFTER
from millrace.store.leads import Which
from tests.factories import NOW, add_document, add_house, add_lead

LATER = NOW + timedelta(days=1)
KEPT = timedelta(days=90)
LEAD = Which("lead_1", "tenant_a", "site_a")


@pytest.fixture
def api(db, api_db):
    add_house(db)
    return api_db.for_tenant("tenant_a")


def expect(db, document_id, *, expires_at=NOW):
    """A document that is announced and has not come."""
    upload = NewUpload(
        document_id, "pay_slip", "pay.txt", 10, "text/plain", f"t/{document_id}", None, expires_at
    )
    documents.create(db, LEAD, upload=upload, now=NOW)


def test_an_upload_that_never_came_is_deleted_a_day_after_its_link(api, db):
    add_lead(db, "lead_1")
    expect(api, "doc_old")
    expect(api, "doc_new", expires_at=NOW + timedelta(seconds=1))
    expect(api, "doc_there")
    documents.complete(api, LEAD, document_id="doc_there", checksum="ab" * 32, now=NOW)

    assert erasure.delete_abandoned(db, now=NOW + ABANDONED_AFTER - timedelta(seconds=1)) == 0
    assert erasure.delete_abandoned(db, now=NOW + ABANDONED_AFTER) == 1

    assert [row["id"] for row in documents.list_newest(api, LEAD)] == ["doc_there", "doc_new"]


def test_documents_go_so_long_after_a_person_decided(api, db):
    leads.put(api, LEAD, columns={"first_name": "Rosalind", "status": "approved"}, now=NOW)
    for number in (2, 3):
        add_lead(db, f"lead_{number}")
        add_document(db, f"lead_{number}")
    leads.put(api, Which("lead_3", "tenant_a", "site_a"), columns={"status": "rejected"}, now=LATER)
    add_document(db, "lead_1")
    add_document(db, "lead_1")

    assert erasure.delete_outdated(db, kept=KEPT, now=NOW + KEPT - timedelta(seconds=1)) == 0
    assert erasure.delete_outdated(db, kept=KEPT, now=NOW + KEPT) == 2
    assert erasure.delete_outdated(db, kept=KEPT, now=NOW + KEPT) == 0

    assert documents.list_newest(api, LEAD) == []
    assert leads.read(api, LEAD)["first_name"] == "Rosalind"
    left = db.prepare("SELECT lead_id FROM lead_documents WHERE deleted_at IS NULL ORDER BY lead_id").raw()
    assert left == [("lead_2",), ("lead_3",)]


def test_a_decision_that_was_taken_back_keeps_the_documents(api, db):
    leads.put(api, LEAD, columns={"status": "approved"}, now=NOW)
    add_document(db, "lead_1")
    leads.put(api, LEAD, columns={"status": "new"}, now=LATER)

    assert erasure.delete_outdated(db, kept=KEPT, now=NOW + 2 * KEPT) == 0


def test_what_is_uploaded_to_a_lead_whose_documents_went_goes_too(api, db):
    leads.put(api, LEAD, columns={"status": "approved"}, now=NOW)
    erasure.delete_outdated(db, kept=KEPT, now=NOW + KEPT)
    expect(api, "doc_1", expires_at=NOW + KEPT)

    assert erasure.delete_outdated(db, kept=KEPT, now=NOW + KEPT) == 1


def test_the_housekeeping_takes_a_bounded_number_at_a_time(api, db, monkeypatch):
    monkeypatch.setattr(erasure, "MOST_DOCUMENTS", 2)
    monkeypatch.setattr(erasure, "MOST_LEADS", 2)
    for number in range(3):
        which = Which(f"lead_{number}", "tenant_a", "site_a")
        leads.put(api, which, columns={"status": "withdrawn"}, now=NOW)
        add_document(db, which.lead_id)
    later = NOW + KEPT

    assert [erasure.delete_outdated(db, kept=KEPT, now=later) for _ in range(3)] == [2, 1, 0]
    assert len(erasure.find_erasable(db, now=later)) == 2


@pytest.mark.parametrize(
    ("look", "index"),
    [
        (erasure.ABANDONED, "idx_lead_documents_abandoned"),
        (erasure.OUTDATED, "idx_leads_decided"),
        (erasure.ERASABLE, "idx_lead_documents_to_erase"),
    ],
)
def test_what_was_done_before_is_not_looked_at_again(api, db, look, index):
    word = "EXPLAIN" if db.dialect == "postgres" else "EXPLAIN QUERY PLAN"
    if db.dialect == "postgres":
        # With a handful of rows PostgreSQL would rather read them all.
        add_history(db)

    plan = "\n".join(str(line) for line in db.prepare(f"{word} {look}").bind(NOW, 500).raw())

    assert index in plan


def add_history(db):
    """So many leads and documents whose time is over and done with that an index pays."""
    db.prepare("""
        INSERT INTO leads (id, tenant_id, site_id, status, decided_at, documents_deleted_at, created_at,
                           updated_at)
        SELECT 'old_' || number, 'tenant_a', 'site_a', 'approved', ?1, ?1, ?1, ?1
        FROM generate_series(1, 3000) AS number
    """).bind(NOW).run()
    db.prepare("""
        INSERT INTO lead_documents (id, tenant_id, lead_id, document_type, file_name, size_bytes, mime_type,
                                    storage_key, uploaded_at, deleted_at, erased_at)
        SELECT id, 'tenant_a', id, 'pay_slip', '', 1, 'text/plain', id, ?1, ?1, ?1 FROM leads
    """).bind(NOW).run()
