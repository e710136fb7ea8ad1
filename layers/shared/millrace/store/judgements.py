"""What an evaluation is made from, and its end: the judgement of one lead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from millrace.bindings.database import Database, Row, Statement
from millrace.domain.jobs import EVALUATION, Job
from millrace.domain.judgements import Evaluation
from millrace.domain.questions import PaidCall
from millrace.errors import JobFailure, ModelAnswerInvalid, ResourceNotFound
from millrace.store import jobs, usage
from millrace.store.ledger import Booking

# What a person has decided, no model changes.
UNDECIDED = "('new', 'ai_evaluated', 'manual_review')"

# Whose job it is. ?1 job, ?2 the move that must have taken place.
THE_LEAD = """
id = (SELECT job.lead_id FROM ai_evaluation_jobs AS job WHERE job.id = ?1 AND job.last_move_id = ?2)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """What an evaluation is made from."""

    lead: Row
    documents: list[Row]


def load_case(db: Database, job: Job, *, most_documents: int) -> Case:
    """The lead and its newest documents, oldest first. ResourceNotFound when the lead is gone."""
    lead, documents = db.batch(
        [
            db.prepare("SELECT * FROM leads WHERE id = ?1 AND deleted_at IS NULL").bind(job.row["lead_id"]),
            db.prepare("""
                SELECT * FROM (
                  SELECT * FROM lead_documents
                  WHERE lead_id = ?1 AND deleted_at IS NULL AND uploaded_at IS NOT NULL
                  ORDER BY uploaded_at DESC, id DESC LIMIT ?2
                ) AS newest ORDER BY uploaded_at, id
            """).bind(job.row["lead_id"], most_documents),
        ]
    )
    row = lead.first()
    if row is None:
        raise ResourceNotFound("The lead is gone.")
    return Case(lead=row, documents=documents.results)


def complete(
    db: Database, job: Job, *, evaluation: Evaluation, calls: Sequence[PaidCall] = (), move_id: str,
    now: datetime,
) -> bool:  # fmt: skip
    """The end of a job with its result: the lead's score, the evaluation and the settled charge, or nothing.

    The calls are recorded whoever has ended the job.
    """
    result = [
        _update_lead(db, job, evaluation=evaluation, move_id=move_id, now=now),
        _insert_evaluation(db, job, evaluation=evaluation, move_id=move_id),
    ]
    return jobs.complete(
        db, EVALUATION, job, result=result, columns={"evaluation_id": evaluation.id},
        booked=usage.book(db, EVALUATION, job, calls=calls, now=now), move_id=move_id, now=now,
    )  # fmt: skip


def fail(
    db: Database, job: Job, *, error: JobFailure, calls: Sequence[PaidCall], move_id: str, now: datetime,
    jitter: float,
) -> Row | None:  # fmt: skip
    """The end of an attempt without a judgement, as `jobs.fail` has it, and the calls in any case.

    A lead whose documents no model could make sense of waits for a person.
    """
    booked = usage.book(db, EVALUATION, job, calls=calls, all_known=not error.cost_unknown, now=now)
    if isinstance(error, ModelAnswerInvalid):
        booked.append(Booking("leads", holds=(_ask_for_review(db, job, move_id=move_id, now=now),)))
    return jobs.fail(db, EVALUATION, job, error=error, booked=booked, move_id=move_id, now=now, jitter=jitter)


def _insert_evaluation(db: Database, job: Job, *, evaluation: Evaluation, move_id: str) -> Statement:
    """After the lead's own statement, which waits for a deletion. Of a deleted lead nothing is inserted, and
    then the job's key points to nothing and undoes the batch.
    """
    return db.prepare("""
        INSERT INTO lead_ai_evaluations (id, tenant_id, lead_id, site_id, job_id, score, label,
          recommendation, summary, risk_flags, fraud_signals, extracted_data, score_breakdown, warnings,
          model_version, evaluated_at)
        SELECT ?3, job.tenant_id, job.lead_id, job.site_id, job.id, ?4, ?5,
          ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14
        FROM ai_evaluation_jobs AS job JOIN leads AS lead ON lead.id = job.lead_id
        WHERE job.id = ?1 AND job.last_move_id = ?2 AND lead.deleted_at IS NULL
    """).bind(
        job.id, move_id, evaluation.id, evaluation.score, evaluation.label, evaluation.recommendation,
        evaluation.summary, evaluation.risk_flags, evaluation.fraud_signals, evaluation.extracted_data,
        evaluation.score_breakdown, evaluation.warnings, evaluation.model_version, evaluation.evaluated_at,
    )  # fmt: skip


def _update_lead(db: Database, job: Job, *, evaluation: Evaluation, move_id: str, now: datetime) -> Statement:
    return db.prepare(f"""
        UPDATE leads
        SET ai_score = ?3, ai_label = ?4, latest_evaluation_id = ?5, updated_at = ?6,
            status = CASE WHEN status IN {UNDECIDED} THEN 'ai_evaluated' ELSE status END
        WHERE deleted_at IS NULL AND {THE_LEAD}
    """).bind(job.id, move_id, evaluation.score, evaluation.label, evaluation.id, now)


def _ask_for_review(db: Database, job: Job, *, move_id: str, now: datetime) -> Statement:
    return db.prepare(f"""
        UPDATE leads SET status = 'manual_review', updated_at = ?3
        WHERE status IN {UNDECIDED} AND {THE_LEAD}
    """).bind(job.id, move_id, now)
