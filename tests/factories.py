"""Valid rows in any state, for tests that need something to be there."""

from datetime import UTC, datetime
from itertools import count

from millrace.bindings.database import Database
from millrace.domain.audit import Author
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION, Job
from millrace.domain.judgements import Evaluation
from millrace.store import evaluations, jobs, judgements

NOW = datetime(2025, 12, 17, 10, 0, tzinfo=UTC)

_numbers = count(1)


def new_id(prefix: str = "id") -> str:
    return f"{prefix}_{next(_numbers):08d}"


# Somebody who does what is audited.
BY = Author("user_xyz", "key_demo", "203.0.113.7", new_id)


def add_tenant(db: Database, tenant_id: str = "tenant_a", *, evaluations_a_month: int | None = None) -> str:
    db.prepare("""
        INSERT INTO tenants (id, name, evaluations_a_month, created_at, updated_at)
        VALUES (?1, ?1, ?2, ?3, ?3)
    """).bind(tenant_id, evaluations_a_month, NOW).run()
    return tenant_id


def add_site(
    db: Database,
    site_id: str = "site_a",
    *,
    tenant_id: str = "tenant_a",
    tier: str = "free",
    evaluations_a_month: int | None = None,
) -> str:
    db.prepare("""
        INSERT INTO sites (id, tenant_id, name, tier, evaluations_a_month, created_at, updated_at)
        VALUES (?1, ?2, ?1, ?3, ?4, ?5, ?5)
    """).bind(site_id, tenant_id, tier, evaluations_a_month, NOW).run()
    return site_id


def add_lead(
    db: Database, lead_id: str | None = None, *, site_id: str = "site_a", tenant_id: str = "tenant_a"
) -> str:
    lead_id = lead_id or new_id("lead")
    db.prepare("""
        INSERT INTO leads (id, tenant_id, site_id, first_name, last_name, monthly_rent_microusd,
                           created_at, updated_at)
        VALUES (?1, ?2, ?3, 'Robin', 'Example', 1500000000, ?4, ?4)
    """).bind(lead_id, tenant_id, site_id, NOW).run()
    return lead_id


def add_document(db: Database, lead_id: str, *, tenant_id: str = "tenant_a", key: str | None = None) -> str:
    """A document that has been uploaded; its bytes are for the test to put in the bucket, under its key."""
    document_id = new_id("doc")
    db.prepare("""
        INSERT INTO lead_documents (id, tenant_id, lead_id, document_type, file_name, size_bytes, mime_type,
                                    storage_key, uploaded_at)
        VALUES (?1, ?2, ?3, 'pay_slip', 'pay.txt', 10, 'text/plain', ?4, ?5)
    """).bind(document_id, tenant_id, lead_id, key or f"{tenant_id}/{document_id}", NOW).run()
    return document_id


def add_key(
    db: Database,
    key_hash: str | None = None,
    *,
    tenant_id: str = "tenant_a",
    scopes: tuple[str, ...] = ("evaluations:read", "evaluations:write"),
    expires_at: datetime | None = None,
    revoked_at: datetime | None = None,
) -> str:
    """An API key, by the hash of a token that only the test knows."""
    key_id = new_id("key")
    db.prepare("""
        INSERT INTO api_keys (id, key_hash, key_prefix, user_id, tenant_id, name, scopes, created_at,
                              expires_at, revoked_at)
        VALUES (?1, ?2, 'test', 'user_a', ?3, 'A key', ?4, ?5, ?6, ?7)
    """).bind(key_id, key_hash or key_id, tenant_id, list(scopes), NOW, expires_at, revoked_at).run()
    return key_id


def add_house(db: Database, *, evaluations_a_month: int | None = None) -> None:
    """A tenant with a site."""
    add_tenant(db)
    add_site(db, evaluations_a_month=evaluations_a_month)


def order_for(lead_id: str, *, force_refresh: bool = False, **changes: str) -> evaluations.Order:
    whose = {"tenant_id": "tenant_a", "site_id": "site_a", "requested_by": "user_a"} | changes
    return evaluations.Order(
        lead_id=lead_id, force_refresh=force_refresh, model_version="local/rules", **whose
    )


def accept_job(
    db: Database,
    lead_id: str,
    *,
    now: datetime = NOW,
    key: IdempotencyKey | None = None,
    force_refresh: bool = False,
    **changes: str,
) -> str:
    """Create a job as the API does. Its id."""
    order = order_for(lead_id, force_refresh=force_refresh, **changes)
    facts = evaluations.create(db, order, job_id=new_id("job"), now=now, key=key).facts
    return str(facts["job_id"])


def claim_job(db: Database, *, now: datetime = NOW) -> Job | None:
    return jobs.claim(db, EVALUATION, worker_id="worker_a", move_id=new_id("move"), now=now)


def begin_paid_work(db: Database, job: Job, *, now: datetime = NOW, most_microusd: int = 0) -> bool:
    told = {"progress_message": "Asking", "most_microusd": most_microusd}
    return jobs.begin_paid_work(db, EVALUATION, job, now=now, **told)


def evaluation_of(evaluation_id: str | None = None, *, now: datetime = NOW) -> Evaluation:
    return Evaluation(
        id=evaluation_id or new_id("eval"),
        score=85,
        label="A",
        recommendation="approve",
        summary="Pays on time.",
        risk_flags=["documents_incomplete"],
        fraud_signals=[],
        extracted_data={"employer": "Harbour Bakery"},
        score_breakdown=[{"reason": "documents_incomplete", "points": -10, "explanation": "Too few."}],
        warnings=[],
        model_version="local/rules",
        evaluated_at=now,
    )


def complete_job(db: Database, job: Job, *, now: datetime = NOW) -> bool:
    return judgements.complete(db, job, evaluation=evaluation_of(now=now), move_id=new_id("move"), now=now)


def count_rows(db: Database, table: str) -> int:
    return int(db.prepare(f"SELECT COUNT(*) AS n FROM {table}").first("n"))


def used(db: Database, *, site_id: str = "site_a", month: str = "2025-12") -> int:
    counter = db.prepare("SELECT evaluation_count FROM ai_evaluation_usage WHERE site_id = ?1 AND month = ?2")
    return int(counter.bind(site_id, month).first("evaluation_count") or 0)


def recount(db: Database, *, site_id: str = "site_a", month: str = "2025-12") -> int:
    """What the counter must say: by the jobs themselves, not by the ledger.

    What was kept before a job was retried its row has forgotten; the timeline has not.
    """
    kept = db.prepare("""
        SELECT (SELECT COUNT(*) FROM ai_evaluation_jobs AS job
                WHERE job.site_id = ?1 AND job.charged_period = ?2 AND (
                  job.status IN ('pending', 'processing', 'completed')
                  OR (job.status = 'cancelled' AND job.model_called_at IS NOT NULL)
                  OR (job.status = 'failed' AND job.error_code = 'ModelAnswerInvalid')))
             + (SELECT COUNT(*) FROM job_events AS kept
                JOIN ai_evaluation_jobs AS job ON job.id = kept.job_id AND job.site_id = ?1
                WHERE kept.move = 'fail' AND kept.detail ->> 'error_code' = 'ModelAnswerInvalid'
                  AND EXISTS (SELECT 1 FROM job_events AS retry
                              WHERE retry.job_id = job.id AND retry.move = 'retry'
                                AND retry.attempt >= kept.attempt)) AS n
    """)
    return int(kept.bind(site_id, month).first("n"))


def ledger_sum(db: Database, *, site_id: str = "site_a", month: str = "2025-12") -> int:
    total = db.prepare("""
        SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS n FROM quota_entries
        WHERE meter = 'evaluations' AND subject = ?1 AND period = ?2
    """)
    return int(total.bind(site_id, month).first("n"))
