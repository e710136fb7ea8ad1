"""POST: what people decide about evaluations and their jobs: something else, once more, no more."""

from pydantic import ConfigDict

from functions.manage.leads import BY_PERSON
from millrace import entry
from millrace.domain.evaluations import EvaluationAccepted, EvaluationJob, EvaluationJobAnswer, Model
from millrace.domain.jobs import POLL_AGAIN_SECONDS
from millrace.domain.overrides import CreateOverride, OverrideAnswer
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import (
    AiDisabled,
    EvaluationNotFound,
    JobAlreadyPending,
    JobEnded,
    JobNotFailed,
    JobNotFound,
    JobNotRetryable,
    LeadNotFound,
    QuotaExceeded,
    RateLimited,
    SiteNotFound,
    SpendLimitReached,
)
from millrace.store import evaluations, overrides

routes = entry.Routes()


class NoFields(Model):
    """Nothing more is to be said. A body may be left out, and one that says something is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


@routes.post(
    "/api/ops/leads/<lead_id>/ai-evaluation/override",
    status=201,
    scope="evaluations:write",
    headers=BY_PERSON,
    once=True,
    refuses=(SiteNotFound, LeadNotFound, EvaluationNotFound),
)
def override_evaluation(
    request: Request, env: Env, lead_id: str, wanted: CreateOverride
) -> Answer[OverrideAnswer]:
    """Recommend something else than the lead's latest evaluation, which stays as it is."""
    tenant_id = request.caller.tenant_id
    override = overrides.NewOverride(
        id=env.new_id(),
        tenant_id=tenant_id,
        site_id=request.site_id,
        lead_id=lead_id,
        evaluation_id=wanted.evaluation_id,
        new_recommendation=wanted.new_recommendation,
        reason=wanted.reason,
        overridden_by=request.person_id,
    )
    db = env.DB.for_tenant(tenant_id)
    by, key = request.author(env.new_id), request.idempotency_key
    kept = overrides.create(db, override, by=by, now=env.now(), key=key)
    return Answer(OverrideAnswer.of(kept.facts, reason=wanted.reason), replayed=kept.replayed)


@routes.post(
    "/api/ops/ai-evaluation-jobs/<job_id>/retry",
    status=202,
    scope="evaluations:write",
    headers=BY_PERSON,
    creates="evaluation",
    refuses=(
        JobNotFound,
        LeadNotFound,
        AiDisabled,
        JobNotFailed,
        JobNotRetryable,
        JobAlreadyPending,
        QuotaExceeded,
        RateLimited,
        SpendLimitReached,
    ),
)
def retry_evaluation_job(
    request: Request,
    env: Env,
    job_id: str,
    nothing: NoFields,  # noqa: ARG001 - it refuses
) -> Answer[EvaluationAccepted]:
    """Run a failed job again, whatever it failed of. It is charged anew, to this month.

    It is asked of the same model; when that is no longer configured, ask for another evaluation instead.
    """
    tenant_id = request.caller.tenant_id
    accepted = evaluations.retry(
        env.DB.for_tenant(tenant_id), job_id, tenant_id=tenant_id, site_id=request.site_id,
        models=env.config.model_access.least_costs(env.config.ai_models), person=request.person_id,
        user=request.caller.key_user(env.config.limited_kinds), move_id=env.new_id(), now=env.now(),
        key=request.idempotency_key,
    )  # fmt: skip
    if not accepted.replayed:
        env.QUEUE.ring("evaluation")
        entry.log("job_reopened", kind="evaluation", job_id=job_id)
    soon = {"Retry-After": str(POLL_AGAIN_SECONDS)}
    return Answer(EvaluationAccepted.of(accepted.facts), headers=soon, replayed=accepted.replayed)


@routes.post(
    "/api/ops/ai-evaluation-jobs/<job_id>/cancel",
    scope="evaluations:write",
    headers=BY_PERSON,
    refuses=(JobNotFound, JobEnded),
)
def cancel_evaluation_job(
    request: Request,
    env: Env,
    job_id: str,
    nothing: NoFields,  # noqa: ARG001 - it refuses
) -> EvaluationJobAnswer:
    """End a job that waits or runs. Its charge is given back, unless the model was asked already."""
    tenant_id, move_id = request.caller.tenant_id, env.new_id()
    row = evaluations.cancel(
        env.DB.for_tenant(tenant_id), job_id, tenant_id=tenant_id, site_id=request.site_id,
        person=request.person_id, move_id=move_id, now=env.now(),
    )  # fmt: skip
    if row["last_move_id"] == move_id:
        entry.log("job_cancelled", kind="evaluation", job_id=job_id)
    return EvaluationJobAnswer(data=EvaluationJob.of(row, models=env.config.ai_models, now=env.now()))
