"""The documents of a lead: what is to be uploaded, and what has been."""

from dataclasses import astuple, dataclass
from datetime import datetime

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.documents import MOST_PER_LEAD
from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import DocumentNotFound, LeadNotFound, TooManyDocuments
from millrace.store import idempotency, leads, settings
from millrace.store.idempotency import Accepted
from millrace.store.leads import THEIRS, Which

MOST_LISTED = 100

# ?1 to ?3 as in THEIRS, ?4 document.
FIND = f"""
SELECT * FROM lead_documents
WHERE id = ?4 AND deleted_at IS NULL
  AND lead_id = (SELECT id FROM leads WHERE {THEIRS} AND deleted_at IS NULL)
"""

# Who wants to add a document to the same lead waits here, and then counts what the one before has added.
LOCK = f"UPDATE leads SET documents_deleted_at = NULL WHERE {THEIRS} AND deleted_at IS NULL"

INSERT = f"""
INSERT INTO lead_documents (id, tenant_id, lead_id, document_type, file_name, size_bytes, mime_type,
                            storage_key, checksum, link_expires_at)
SELECT ?4, tenant_id, id, ?5, ?6, ?7, ?8, ?9, ?10, ?11 FROM leads
WHERE {THEIRS} AND deleted_at IS NULL
  AND (SELECT COUNT(*) FROM lead_documents WHERE lead_id = ?1 AND deleted_at IS NULL) < {MOST_PER_LEAD}
"""

FACTS = """
SELECT jsonb_build_object('document_id', id) AS "facts [JSONB]" FROM lead_documents WHERE id = ?1
"""

# With what an evaluation of it hangs on: whether the tenant wants one, and which job has begun or come since.
AUTO_RUN = settings.value_sql("ai_auto_run_on_documents", tenant="?2")
FIND_TO_COMPLETE = f"""
SELECT document.*, COALESCE({AUTO_RUN}, 'false') AS auto_run,
       (SELECT job.id FROM ai_evaluation_jobs AS job
        WHERE job.lead_id = document.lead_id
          AND COALESCE(job.started_at, job.requested_at) >= document.uploaded_at
        ORDER BY job.requested_at DESC, job.id DESC LIMIT 1) AS job_id
FROM ({FIND}) AS document
"""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document whose content is in the bucket under `storage_key`."""

    id: str
    tenant_id: str
    lead_id: str
    document_type: str
    file_name: str
    size_bytes: int
    mime_type: str
    storage_key: str
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What somebody may upload until the link expires, and what they say of it."""

    id: str
    document_type: str
    file_name: str
    size_bytes: int
    mime_type: str
    storage_key: str
    checksum: str | None
    link_expires_at: datetime


def add(db: Database, document: NewDocument, *, now: datetime) -> bool:
    """Note a document that has been uploaded. False when it was there already."""
    statement = db.prepare("""
        INSERT INTO lead_documents (id, tenant_id, lead_id, document_type, file_name, size_bytes, mime_type,
                                    storage_key, checksum, uploaded_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING
    """)
    return statement.bind(*astuple(document), now).run().meta.changes == 1


def create(
    db: Database, which: Which, *, upload: NewUpload, now: datetime, key: IdempotencyKey | None = None
) -> Accepted:
    """Expect a document. SiteNotFound, LeadNotFound, LeadDeleted, TooManyDocuments."""
    body = [
        db.prepare(LOCK).bind(*which.values),
        db.prepare(INSERT).bind(*which.values, *astuple(upload)),
    ]
    facts = db.prepare(FACTS).bind(upload.id)
    accepted = idempotency.accept(db, key, tenant_id=which.tenant_id, now=now, body=body, facts=facts)
    if accepted is None:
        raise leads.find_refusal(db, which) or TooManyDocuments()
    return accepted


def renew(db: Database, which: Which, *, document_id: str, link_expires_at: datetime) -> Row:
    """The document, with a link until then unless it is complete. DocumentNotFound when it was deleted."""
    renewed = db.prepare("""
        UPDATE lead_documents
        SET link_expires_at = CASE WHEN uploaded_at IS NULL THEN ?3 ELSE link_expires_at END
        WHERE id = ?1 AND tenant_id = ?2 AND deleted_at IS NULL RETURNING *
    """).bind(document_id, which.tenant_id, link_expires_at)
    return _found(renewed, db=db, which=which)


def read(db: Database, which: Which, *, document_id: str) -> Row:
    """SiteNotFound, LeadNotFound, LeadDeleted, DocumentNotFound."""
    return _found(db.prepare(FIND).bind(*which.values, document_id), db=db, which=which)


def read_to_complete(db: Database, which: Which, *, document_id: str) -> Row:
    """The same, with `auto_run` ('true' or 'false') and the newest `job_id` that judges it."""
    return _found(db.prepare(FIND_TO_COMPLETE).bind(*which.values, document_id), db=db, which=which)


def complete(db: Database, which: Which, *, document_id: str, checksum: str, now: datetime) -> Row:
    """It has arrived and was checked. When somebody else has said so before, it stays as they said."""
    statement = db.prepare("""
        UPDATE lead_documents SET uploaded_at = ?3, checksum = ?4
        WHERE id = ?1 AND tenant_id = ?2 AND deleted_at IS NULL AND uploaded_at IS NULL RETURNING *
    """).bind(document_id, which.tenant_id, now, checksum)
    row: Row | None = statement.first()
    return row or read(db, which, document_id=document_id)


def list_newest(db: Database, which: Which) -> list[Row]:
    """What is expected or there, the newest first. SiteNotFound, LeadNotFound, LeadDeleted."""
    lead, documents = db.batch(
        [
            db.prepare(f"SELECT id FROM leads WHERE {THEIRS} AND deleted_at IS NULL").bind(*which.values),
            db.prepare(f"""
                SELECT * FROM lead_documents WHERE lead_id = ?1 AND tenant_id = ?2 AND deleted_at IS NULL
                ORDER BY id DESC LIMIT {MOST_LISTED}
            """).bind(which.lead_id, which.tenant_id),
        ]
    )
    if lead.first() is None:
        raise leads.find_refusal(db, which) or LeadNotFound()
    return documents.results


def _found(statement: Statement, *, db: Database, which: Which) -> Row:
    row: Row | None = statement.first()
    if row is None:
        raise leads.find_refusal(db, which) or DocumentNotFound()
    return row
