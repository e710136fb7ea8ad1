"""Overrides: what a person recommends instead, kept beside the evaluation that stays as it was."""

from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database
from millrace.domain.audit import Author
from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import EvaluationNotFound, LeadNotFound, Refusal, SiteNotFound
from millrace.store import audit, idempotency
from millrace.store.idempotency import Accepted

# The lead's latest evaluation, or none if that is no longer the one the person saw (?4).
OF_LEAD = """
lead.id = ?1 AND lead.tenant_id = ?2 AND lead.site_id = ?3 AND lead.deleted_at IS NULL
AND lead.latest_evaluation_id = COALESCE(CAST(?4 AS TEXT), lead.latest_evaluation_id)
"""

# The lead's row comes first: who is deleting the lead, or judging it, is waited for or waits.
HOLD = f"UPDATE leads AS lead SET updated_at = ?5 WHERE {OF_LEAD}"

INSERT = f"""
INSERT INTO evaluation_overrides (id, tenant_id, lead_id, evaluation_id, new_recommendation, reason,
                                  overridden_by, overridden_at)
SELECT ?6, lead.tenant_id, lead.id, lead.latest_evaluation_id, ?7, ?8, ?9, ?5
FROM leads AS lead WHERE {OF_LEAD}
"""

# Without the reason: it may tell of the person, and a kept answer is not erased with the lead.
FACTS = """
SELECT jsonb_build_object(
  'override_id', override.id, 'lead_id', override.lead_id, 'evaluation_id', override.evaluation_id,
  'recommendation', evaluation.recommendation, 'new_recommendation', override.new_recommendation,
  'overridden_by', override.overridden_by, 'overridden_at', override.overridden_at) AS "facts [JSONB]"
FROM evaluation_overrides AS override
JOIN lead_ai_evaluations AS evaluation ON evaluation.id = override.evaluation_id
WHERE override.id = ?1
"""


# For the audit log, without the reason too.
NOTED = """
FROM evaluation_overrides AS override
JOIN lead_ai_evaluations AS evaluation ON evaluation.id = override.evaluation_id
WHERE override.id = ?9
"""
BEFORE = "jsonb_build_object('recommendation', evaluation.recommendation)"
AFTER = """
jsonb_build_object('recommendation', override.new_recommendation, 'evaluation_id', override.evaluation_id)
"""


@dataclass(frozen=True, slots=True)
class NewOverride:
    """`evaluation_id` is the evaluation that the person saw. None: whichever is the latest."""

    id: str
    tenant_id: str
    site_id: str
    lead_id: str
    evaluation_id: str | None
    new_recommendation: str
    reason: str
    overridden_by: str


def create(
    db: Database, override: NewOverride, *, by: Author, now: datetime, key: IdempotencyKey | None = None
) -> Accepted:
    """Keep it beside the lead's latest evaluation. LeadNotFound or EvaluationNotFound when there is none."""
    whose = (override.lead_id, override.tenant_id, override.site_id, override.evaluation_id)
    said = (override.id, override.new_recommendation, override.reason, override.overridden_by)
    noted = audit.note(
        db, by, action="evaluation_overridden", subject=override.lead_id, tenant_id=override.tenant_id,
        now=now, before=BEFORE, after=AFTER, where=NOTED, values=(override.id,),
    )  # fmt: skip
    body = [db.prepare(HOLD).bind(*whose, now), db.prepare(INSERT).bind(*whose, now, *said), noted]
    facts = db.prepare(FACTS).bind(override.id)
    accepted = idempotency.accept(db, key, tenant_id=override.tenant_id, now=now, body=body, facts=facts)
    if accepted is None:
        raise find_refusal(db, override)
    return accepted


def find_refusal(db: Database, override: NewOverride) -> Refusal:
    """Why there was nothing to override."""
    found = db.prepare("""
        SELECT lead.id AS lead_id, lead.latest_evaluation_id
        FROM sites AS site LEFT JOIN leads AS lead
          ON lead.id = ?3 AND lead.site_id = site.id AND lead.tenant_id = site.tenant_id
          AND lead.deleted_at IS NULL
        WHERE site.tenant_id = ?1 AND site.id = ?2
    """)
    row = found.bind(override.tenant_id, override.site_id, override.lead_id).first()
    if row is None:
        return SiteNotFound()
    if row["lead_id"] is None:
        return LeadNotFound()
    if override.evaluation_id is None or row["latest_evaluation_id"] is None:
        return EvaluationNotFound()
    return EvaluationNotFound("This is not the lead's latest evaluation. Read that, and decide about it.")
