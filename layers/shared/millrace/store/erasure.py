"""What deletion takes away: rows lose what is personal in them, files leave the bucket, counts stay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.audit import Author
from millrace.domain.jobs import EVALUATION
from millrace.errors import DatabaseUnavailable, DocumentNotFound, LeadNotFound
from millrace.store import audit, jobs, leads
from millrace.store.leads import THEIRS, Which

# An upload that nobody has reported complete, so long after its link, is not going to be.
ABANDONED_AFTER = timedelta(days=1)
# An upload that begins in its link's last second takes a while.
LINK_GRACE = timedelta(hours=1)
MOST_DOCUMENTS = 500
MOST_LEADS = 100
# Each time that somebody else's job has come in between.
MOST_TRIES = 8

PERSON_OF_LEAD = """
first_name = NULL, last_name = NULL, email = NULL, phone = NULL, employment_status = NULL,
monthly_income_microusd = NULL, monthly_rent_microusd = NULL, move_in_date = NULL
"""
PERSON_OF_DOCUMENT = "file_name = '', checksum = NULL"
PERSON_OF_EVALUATION = "summary = '', extracted_data = '{}', score_breakdown = '[]', warnings = '[]'"

IF_DELETED = f"lead_id = (SELECT id FROM leads WHERE {THEIRS} AND deleted_at IS NOT NULL)"

CAN_GO = """
deleted_at IS NULL AND NOT EXISTS (
  SELECT 1 FROM ai_evaluation_jobs AS job WHERE job.lead_id = leads.id AND job.completed_at IS NULL)
"""

# What the minute looks for. Each has a partial index that holds nothing of what was done before.
ABANDONED = """
SELECT id FROM lead_documents WHERE uploaded_at IS NULL AND deleted_at IS NULL AND link_expires_at <= ?1
ORDER BY link_expires_at LIMIT ?2
"""
OUTDATED = """
SELECT id FROM leads WHERE decided_at <= ?1 AND documents_deleted_at IS NULL ORDER BY decided_at LIMIT ?2
"""
ERASABLE = """
SELECT id, storage_key FROM lead_documents
WHERE deleted_at IS NOT NULL AND erased_at IS NULL AND (link_expires_at IS NULL OR link_expires_at <= ?1)
ORDER BY deleted_at LIMIT ?2
"""


@dataclass(frozen=True, slots=True)
class Erasable:
    """A deleted document whose file may still be in the bucket."""

    document_id: str
    storage_key: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """When it was deleted, now or before, and what is still to be erased of it."""

    deleted_at: datetime
    files: list[Erasable]


def delete_lead(db: Database, which: Which, *, move_id: str, by: Author, now: datetime) -> Deleted:
    """Cancel its live job and take out what is personal; a second time, nothing. SiteNotFound, LeadNotFound.

    The job comes first, as in the batch that completes one, or the two could wait for each other. Whoever
    accepts one at the same moment may hold the lead before us: then we begin anew, and find the job.
    """
    for _ in range(MOST_TRIES):
        row, files = _delete_lead(db, which, move_id=move_id, by=by, now=now)
        if row is None:
            raise leads.find_refusal(db, which) or LeadNotFound()
        if row["deleted_at"]:
            return Deleted(row["deleted_at"], erasable(files))
    raise DatabaseUnavailable("Others keep asking for evaluations of this lead. Repeat the request.")


def _delete_lead(
    db: Database, which: Which, *, move_id: str, by: Author, now: datetime
) -> tuple[Row | None, list[Row]]:
    """The lead, whose `deleted_at` is None while a job of its is live, and the documents to be erased."""
    whose = {"lead_id": which.lead_id, "tenant_id": which.tenant_id, "site_id": which.site_id}
    *_, lead, files = db.batch(
        [
            *jobs.cancelling(db, EVALUATION, whose=whose, move_id=move_id, now=now, person=by.person),
            *_forget_lead(db, which, by=by, now=now),
            db.prepare(f"SELECT deleted_at FROM leads WHERE {THEIRS}").bind(*which.values),
            db.prepare(f"""
                SELECT id, storage_key FROM lead_documents WHERE {IF_DELETED} AND erased_at IS NULL
                ORDER BY id LIMIT {MOST_DOCUMENTS}
            """).bind(*which.values),
        ]
    )
    return lead.first(), files.results


def delete_document(db: Database, which: Which, *, document_id: str, now: datetime) -> Deleted:
    """A second time, nothing. SiteNotFound, LeadNotFound, LeadDeleted, DocumentNotFound."""
    its = f"id = ?4 AND lead_id = (SELECT id FROM leads WHERE {THEIRS} AND deleted_at IS NULL)"
    _, found = db.batch(
        [
            db.prepare(f"""
                UPDATE lead_documents SET deleted_at = ?5, {PERSON_OF_DOCUMENT}
                WHERE {its} AND deleted_at IS NULL
            """).bind(*which.values, document_id, now),
            db.prepare(f"SELECT * FROM lead_documents WHERE {its}").bind(*which.values, document_id),
        ]
    )
    row = found.first()
    if row is None:
        raise leads.find_refusal(db, which) or DocumentNotFound()
    return Deleted(row["deleted_at"], [] if row["erased_at"] else erasable([row]))


def delete_abandoned(db: Database, *, now: datetime) -> int:
    """Documents that were announced and never came. How many."""
    statement = db.prepare(f"""
        UPDATE lead_documents SET deleted_at = ?3, {PERSON_OF_DOCUMENT}
        WHERE uploaded_at IS NULL AND deleted_at IS NULL AND id IN ({ABANDONED})
    """)
    return statement.bind(now - ABANDONED_AFTER, MOST_DOCUMENTS, now).run().meta.changes


def delete_outdated(db: Database, *, kept: timedelta, now: datetime) -> int:
    """Documents of leads on whom a person decided so long ago. How many."""
    found = db.prepare(OUTDATED).bind(now - kept, MOST_LEADS).all().results
    pairs = [_forget_documents(db, row["id"], decided=now - kept, now=now) for row in found]
    results = db.batch([statement for pair in pairs for statement in pair]) if pairs else []
    return sum(result.meta.changes for result in results[1::2])


def find_erasable(db: Database, *, now: datetime) -> list[Erasable]:
    """What was deleted and can be erased for good, because nobody can upload it anew. The oldest first."""
    return erasable(db.prepare(ERASABLE).bind(now - LINK_GRACE, MOST_DOCUMENTS).all().results)


def mark_erased(db: Database, files: Sequence[Erasable], *, now: datetime) -> int:
    """These are no longer in the bucket. How many of them can also not come back."""
    mark = db.prepare("""
        UPDATE lead_documents SET erased_at = ?2
        WHERE id = ?1 AND deleted_at IS NOT NULL AND erased_at IS NULL
          AND (link_expires_at IS NULL OR link_expires_at <= ?3)
    """)
    marks = [mark.bind(file.document_id, now, now - LINK_GRACE) for file in files]
    return sum(result.meta.changes for result in db.batch(marks)) if marks else 0


def erasable(rows: Sequence[Row]) -> list[Erasable]:
    return [Erasable(row["id"], row["storage_key"]) for row in rows]


def _forget_lead(db: Database, which: Which, *, by: Author, now: datetime) -> list[Statement]:
    """Each after the deletion takes effect once the lead is deleted, by this batch or by one before it."""
    return [
        # Held first, so that of two who delete it one is noted, the one who did, and no job comes meanwhile.
        db.prepare(f"UPDATE leads SET updated_at = updated_at WHERE {THEIRS}").bind(*which.values),
        audit.note(
            db, by, action="lead_deleted", subject=which.lead_id, tenant_id=which.tenant_id, now=now,
            before="jsonb_build_object('status', status)", after="?10",
            where=f"FROM leads WHERE id = ?5 AND tenant_id = ?3 AND site_id = ?9 AND {CAN_GO}",
            values=(which.site_id, {"status": "deleted"}),
        ),
        db.prepare(f"""
            UPDATE leads SET status = 'deleted', deleted_at = ?4, updated_at = ?4, {PERSON_OF_LEAD}
            WHERE {THEIRS} AND {CAN_GO}
        """).bind(*which.values, now),
        db.prepare(f"""
            UPDATE lead_documents SET deleted_at = COALESCE(deleted_at, ?4), {PERSON_OF_DOCUMENT}
            WHERE {IF_DELETED}
        """).bind(*which.values, now),
        db.prepare(f"UPDATE lead_ai_evaluations SET {PERSON_OF_EVALUATION} WHERE {IF_DELETED}").bind(
            *which.values
        ),
        db.prepare(f"UPDATE evaluation_overrides SET reason = '' WHERE {IF_DELETED}").bind(*which.values),
    ]  # fmt: skip


def _forget_documents(db: Database, lead_id: str, *, decided: datetime, now: datetime) -> list[Statement]:
    """Of a lead that is still decided, and whose documents nobody else has just deleted."""
    return [
        db.prepare("""
            UPDATE leads SET documents_deleted_at = ?2
            WHERE id = ?1 AND decided_at <= ?3 AND documents_deleted_at IS NULL
        """).bind(lead_id, now, decided),
        db.prepare(f"""
            UPDATE lead_documents SET deleted_at = ?2, {PERSON_OF_DOCUMENT}
            WHERE lead_id = ?1 AND deleted_at IS NULL
              AND EXISTS (SELECT 1 FROM leads WHERE id = ?1 AND documents_deleted_at = ?2)
        """).bind(lead_id, now),
    ]
