"""What deletion removes and what it keeps; no race and no half-done deletion leaves a person behind."""

import json
from datetime import timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.errors import LeadNotFound, ResourceNotFound, SiteNotFound
from millrace.store import documents, erasure, jobs, judgements, leads
from millrace.store.documents import NewUpload
from millrace.store.erasure import LINK_GRACE
from millrace.store.leads import Which
from tests.database.test_races import in_parallel
from tests.factories import (
    BY,
    NOW,
    accept_job,
    add_document,
    add_house,
    add_lead,
    add_site,
    begin_paid_work,
    claim_job,
    complete_job,
    count_rows,
    ledger_sum,
    new_id,
    recount,
    used,
)

LATER = NOW + timedelta(days=1)
KEPT = timedelta(days=90)
LEAD = Which("lead_1", "tenant_a", "site_a")
PERSON = {
    "first_name": "Rosalind",
    "last_name": "Quimby",
    "email": "rosalind.quimby@example.com",
    "phone": "555-86-42",
    "employment_status": "self-employed baker",
    "monthly_income_microusd": 4_321_987_000,
    "monthly_rent_microusd": 1_234_567_000,
}
# Of the person, in any row.
TRACES = ("Rosalind", "Quimby", "quimby", "555-86", "baker", "4321987000", "Harbour Bakery", "Pays on time",
          "Too few", "pay.txt", "because she", "2026-02-01")  # fmt: skip


@pytest.fixture
def api(db, api_db):
    add_house(db)
    return api_db.for_tenant("tenant_a")


@pytest.fixture
def judged(api, db):
    """A lead with everything that a lead may have."""
    leads.put(api, LEAD, columns=PERSON, now=NOW)
    add_document(db, "lead_1", key="t/slip")
    accept_job(db, "lead_1")
    complete_job(db, claim_job(db))
    evaluation = db.prepare("SELECT id FROM lead_ai_evaluations").first("id")
    db.prepare("""
        INSERT INTO evaluation_overrides (id, tenant_id, lead_id, evaluation_id, new_recommendation, reason,
                                          overridden_by, overridden_at)
        VALUES ('override_1', 'tenant_a', 'lead_1', ?1, 'approve', 'because she is kind', 'user_a', ?2)
    """).bind(evaluation, NOW).run()
    return api


def delete(db, which=LEAD, *, now=NOW):
    return erasure.delete_lead(db, which, move_id=new_id("move"), by=BY, now=now)


def row_of(db, table):
    (row,) = db.prepare(f"SELECT * FROM {table}").all().results
    return row


def everything(db):
    """Every value of every row about leads, as one text."""
    tables = ("leads", "lead_documents", "lead_ai_evaluations", "evaluation_overrides", "ai_evaluation_jobs",
              "job_events", "quota_entries", "ai_evaluation_usage", "idempotency_keys")  # fmt: skip
    rows = [dict(row) for table in tables for row in db.prepare(f"SELECT * FROM {table}").all().results]
    return json.dumps(rows, default=str)


def expect(db, document_id, *, expires_at=NOW):
    """A document that is announced and has not come."""
    upload = NewUpload(
        document_id, "pay_slip", "pay.txt", 10, "text/plain", f"t/{document_id}", None, expires_at
    )
    documents.create(db, LEAD, upload=upload, now=NOW)


def test_deletion_takes_out_what_is_personal_and_keeps_what_is_counted(judged, db):
    assert "Quimby" in everything(db)

    deleted = delete(judged, now=LATER)

    assert [trace for trace in TRACES if trace in everything(db)] == []
    lead, evaluation = row_of(db, "leads"), row_of(db, "lead_ai_evaluations")
    assert (lead["status"], lead["deleted_at"], deleted.deleted_at) == ("deleted", LATER, LATER)
    assert (evaluation["score"], evaluation["label"], evaluation["recommendation"]) == (85, "A", "approve")
    assert (evaluation["summary"], evaluation["extracted_data"], evaluation["score_breakdown"]) == (
        "",
        {},
        [],
    )
    assert row_of(db, "evaluation_overrides")["new_recommendation"] == "approve"
    assert row_of(db, "ai_evaluation_jobs")["status"] == "completed"
    assert used(db) == ledger_sum(db) == recount(db) == 1
    assert [file.storage_key for file in deleted.files] == ["t/slip"]


def test_a_second_deletion_answers_like_the_first_and_changes_nothing(judged, db):
    first = delete(judged)
    before = everything(db)

    assert delete(judged, now=LATER) == first
    assert everything(db) == before


def test_who_is_not_its_site_deletes_nothing_and_cancels_nothing(judged, db):
    add_site(db, "site_a2")
    accept_job(db, "lead_1", force_refresh=True)
    before = everything(db)

    with pytest.raises(LeadNotFound):
        delete(judged, Which("lead_1", "tenant_a", "site_a2"))
    with pytest.raises(SiteNotFound):
        delete(judged, Which("lead_1", "tenant_a", "site_b"))
    with pytest.raises(LeadNotFound):
        delete(judged, Which("nobody", "tenant_a", "site_a"))

    assert everything(db) == before


def test_another_lead_is_left_as_it_is(judged, db):
    add_lead(db, "lead_2")
    add_document(db, "lead_2")
    accept_job(db, "lead_2")
    complete_job(db, claim_job(db))

    delete(judged)

    other = db.prepare("SELECT * FROM lead_ai_evaluations WHERE lead_id = 'lead_2'").first()
    assert (other["summary"], other["extracted_data"]) == ("Pays on time.", {"employer": "Harbour Bakery"})
    assert leads.read(judged, Which("lead_2", "tenant_a", "site_a"))["first_name"] == "Robin"
    assert len(documents.list_newest(judged, Which("lead_2", "tenant_a", "site_a"))) == 1


@pytest.mark.parametrize(("begun", "charged"), [(None, 0), (False, 0), (True, 1)])
def test_a_live_job_is_cancelled_and_charged_only_if_the_model_was_asked(api, db, begun, charged):
    leads.put(api, LEAD, columns=PERSON, now=NOW)
    job_id = accept_job(db, "lead_1")
    job = None if begun is None else claim_job(db)
    if begun:
        begin_paid_work(db, job)

    delete(api)

    assert row_of(db, "ai_evaluation_jobs")["status"] == "cancelled"
    assert used(db) == ledger_sum(db) == recount(db) == charged
    moves = db.prepare("SELECT move FROM job_events WHERE job_id = ?1").bind(job_id).raw()
    assert ("cancel",) in moves
    if job:
        assert not complete_job(db, job)
        assert count_rows(db, "lead_ai_evaluations") == 0


def test_a_job_that_is_claimed_after_the_deletion_finds_no_lead(api, db):
    """Its creation came between the deletion's look for a job and the end of the deletion."""
    leads.put(api, LEAD, columns=PERSON, now=NOW)
    accept_job(db, "lead_1")
    job = claim_job(db)
    db.prepare("UPDATE leads SET status = 'deleted', deleted_at = ?1").bind(NOW).run()

    with pytest.raises(ResourceNotFound):
        judgements.load_case(db, job, most_documents=10)


def claim_of(db, lead_id):
    """The lead's job. Others that wait are of deleted leads: they were asked for during the deletion."""
    while (job := claim_job(db)) and job.row["lead_id"] != lead_id:
        with pytest.raises(ResourceNotFound) as gone:
            judgements.load_case(db, job, most_documents=10)
        jobs.fail(db, EVALUATION, job, error=gone.value, move_id=new_id("move"), now=NOW, jitter=0.0)
    return job


def test_deletions_that_race_with_judgements_leave_nothing_of_the_person(api, db):
    db.prepare("UPDATE sites SET evaluations_a_month = 1000").run()
    for number in range(25):
        which = Which(f"lead_{number}", "tenant_a", "site_a")
        leads.put(api, which, columns=PERSON, now=NOW)
        accept_job(db, which.lead_id)
        job = claim_of(db, which.lead_id)
        racers = [
            lambda job=job: complete_job(db, job),
            lambda which=which: delete(api, which),
            lambda which=which: delete(api, which),
            lambda which=which: accept_job(db, which.lead_id, force_refresh=True),
            lambda which=which: leads.put(api, which, columns=PERSON, now=NOW),
        ]
        in_parallel(lambda race: race(), racers)

    assert claim_of(db, "nobody") is None
    assert [trace for trace in TRACES if trace in everything(db)] == []
    assert used(db) == ledger_sum(db) == recount(db)


def test_a_deleted_document_loses_its_name_and_keeps_its_size(api, db):
    add_lead(db, "lead_1")
    document_id = add_document(db, "lead_1", key="t/slip")

    deleted = erasure.delete_document(api, LEAD, document_id=document_id, now=NOW)
    again = erasure.delete_document(api, LEAD, document_id=document_id, now=LATER)

    row = row_of(db, "lead_documents")
    assert (row["file_name"], row["checksum"], row["size_bytes"], row["deleted_at"]) == ("", None, 10, NOW)
    assert deleted == again
    assert [file.storage_key for file in deleted.files] == ["t/slip"]


def test_what_nobody_can_upload_anew_is_erased_for_good(api, db):
    add_lead(db, "lead_1")
    linked = NOW + timedelta(minutes=15)
    expect(api, "doc_1", expires_at=linked)
    add_document(db, "lead_1", key="t/slip")
    delete(api)

    early = erasure.find_erasable(db, now=linked + LINK_GRACE - timedelta(seconds=1))
    late = erasure.find_erasable(db, now=linked + LINK_GRACE)

    assert [file.storage_key for file in early] == ["t/slip"]
    assert sorted(file.storage_key for file in late) == ["t/doc_1", "t/slip"]
    assert erasure.mark_erased(db, late, now=NOW) == 1
    assert erasure.mark_erased(db, late, now=linked + LINK_GRACE) == 1
    assert erasure.mark_erased(db, late, now=linked + LINK_GRACE) == 0
    assert erasure.find_erasable(db, now=LATER) == []


def test_a_document_that_was_not_deleted_is_never_marked_as_erased(api, db):
    add_lead(db, "lead_1")
    document_id = add_document(db, "lead_1")

    assert erasure.mark_erased(db, [erasure.Erasable(document_id, "t")], now=LATER) == 0
    assert erasure.mark_erased(db, [], now=LATER) == 0
