"""POST: accept a job if its quota allows, and answer at once."""

from functions.create_job import exports
from millrace import entry
from millrace.domain.evaluations import CreateEvaluation, EvaluationAccepted
from millrace.domain.settings import AUTO, check_model
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import (
    AiDisabled,
    AlreadyEvaluated,
    JobAlreadyPending,
    LeadNotFound,
    QuotaExceeded,
    RateLimited,
    SiteNotFound,
    SpendLimitReached,
)
from millrace.store import evaluations

routes = entry.Routes(exports.routes)


@routes.post(
    "/api/ops/leads/<lead_id>/ai-evaluation",
    status=201,
    scope="evaluations:write",
    headers=("X-Site-Id", "X-User-Id"),
    creates="evaluation",
    refuses=(
        SiteNotFound,
        LeadNotFound,
        AiDisabled,
        JobAlreadyPending,
        AlreadyEvaluated,
        QuotaExceeded,
        RateLimited,
        SpendLimitReached,
    ),
)
def create_evaluation(
    request: Request, env: Env, lead_id: str, wanted: CreateEvaluation
) -> Answer[EvaluationAccepted]:
    """Have a lead judged by its documents."""
    order = evaluations.Order(
        tenant_id=request.caller.tenant_id,
        site_id=request.site_id,
        lead_id=lead_id,
        requested_by=request.person_id,
        model_version=choose_model(wanted.model_version, env=env),
        models=env.config.ai_models if wanted.model_version == AUTO else (),
        force_refresh=wanted.force_refresh,
        least_costs=env.config.model_access.least_costs(env.config.ai_models),
        user=request.caller.key_user(env.config.limited_kinds),
    )
    db = env.DB.for_tenant(order.tenant_id)
    accepted = evaluations.create(
        db, order, job_id=env.new_id("job"), now=env.now(), key=request.idempotency_key
    )
    if not accepted.replayed:
        env.QUEUE.ring("evaluation")
        entry.log("job_created", kind="evaluation", job_id=accepted.facts["job_id"])
    return Answer(EvaluationAccepted.of(accepted.facts), replayed=accepted.replayed)


def choose_model(wanted: str, *, env: Env) -> str:
    """`auto` is the default here, until the tenant has one of its own. Any other must be configured."""
    check_model(wanted, models=env.config.ai_models, field="model_version")
    return env.config.ai_default_model if wanted == AUTO else wanted


handler = entry.worker(fetch=routes)
