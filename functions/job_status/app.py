"""GET: how far jobs are, what came of them and of those before, and what that used of the quota."""

from collections.abc import Mapping
from typing import Any

from functions.job_status import exports, quotas, receipts, usage
from millrace import entry
from millrace.domain.activity import ActivityList, LeadEvaluation, LeadEvaluationAnswer, LeadEvaluationList
from millrace.domain.evaluations import (
    EvaluationJob,
    EvaluationJobAnswer,
    EvaluationJobList,
    OfLead,
    OfStatus,
    Wait,
)
from millrace.domain.jobs import EVALUATION, POLL_AGAIN_SECONDS
from millrace.domain.monthly_usage import Month, SiteUsage, SiteUsageAnswer
from millrace.domain.pages import USUAL, Page
from millrace.domain.parameters import Cursor, Limit
from millrace.domain.quota import month_of
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import EvaluationNotFound, JobNotFound, LeadNotFound, SiteNotFound
from millrace.store import evaluation_history, lead_history, monthly_usage

routes = entry.Routes(exports.routes, quotas.routes, receipts.routes, usage.routes)


@routes.get(
    "/api/ops/ai-evaluation-jobs/<job_id>",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    also=(202,),
    refuses=(JobNotFound,),
)
def show_evaluation_job(
    request: Request, env: Env, job_id: str, wait: Wait = 0
) -> Answer[EvaluationJobAnswer]:
    """Poll a job until it is final.

    `estimated_completion` goes by what the site's latest evaluations took. With `wait` the answer is held
    until there is something new to tell.
    """
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    row, durations = entry.hold(
        lambda: evaluation_history.read(db, job_id, tenant_id=tenant_id, site_id=request.site_id),
        state_of=lambda seen: state_of(seen[0]),
        seconds=wait,
        request=request,
        env=env,
    )
    models = env.config.ai_models
    job = EvaluationJob.of(row, models=models, now=env.now(), durations=durations)
    answer = EvaluationJobAnswer(data=job)
    if row["status"] in EVALUATION.live:
        return Answer(answer, status=202, headers={"Retry-After": str(POLL_AGAIN_SECONDS)})
    return Answer(answer)


def state_of(row: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """What is news when it changes. None: the job is final."""
    if row["status"] not in EVALUATION.live:
        return None
    return row["status"], row["attempt"], row["progress_message"]


@routes.get(
    "/api/ops/ai-evaluation-jobs",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=(SiteNotFound,),
)
def list_evaluation_jobs(
    request: Request,
    env: Env,
    status: OfStatus = None,
    lead_id: OfLead = None,
    limit: Limit = USUAL,
    cursor: Cursor = None,
) -> EvaluationJobList:
    """List the site's jobs, each as it stands."""
    page = Page.of("jobs", request.site_id, status, lead_id, limit=limit, cursor=cursor)
    rows, durations = evaluation_history.list_jobs(
        env.DB.for_tenant(request.caller.tenant_id),
        tenant_id=request.caller.tenant_id,
        site_id=request.site_id,
        status=status,
        lead_id=lead_id,
        page=page,
    )
    shown, next_cursor = page.cut(rows, at="requested_at")
    models, now = env.config.ai_models, env.now()
    listed = [EvaluationJob.of(row, models=models, now=now, durations=durations) for row in shown]
    return EvaluationJobList(data=listed, next_cursor=next_cursor)


@routes.get(
    "/api/ops/leads/<lead_id>/ai-evaluation",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=(SiteNotFound, LeadNotFound, EvaluationNotFound),
)
def show_evaluation(request: Request, env: Env, lead_id: str) -> LeadEvaluationAnswer:
    """Show a lead's latest evaluation.

    What a person decided instead stands beside it; the evaluation stays as it was.
    """
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    row = lead_history.read_latest(db, lead_id, tenant_id=tenant_id, site_id=request.site_id)
    return LeadEvaluationAnswer(data=LeadEvaluation.of(row))


@routes.get(
    "/api/ops/leads/<lead_id>/ai-evaluations",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=(SiteNotFound, LeadNotFound),
)
def list_evaluations(
    request: Request, env: Env, lead_id: str, limit: Limit = USUAL, cursor: Cursor = None
) -> LeadEvaluationList:
    """List all evaluations of a lead."""
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    page = Page.of("evaluations", lead_id, limit=limit, cursor=cursor)
    rows = lead_history.list_evaluations(db, lead_id, tenant_id=tenant_id, site_id=request.site_id, page=page)
    shown, next_cursor = page.cut(rows, at="evaluated_at")
    return LeadEvaluationList.of(shown, next_cursor=next_cursor)


@routes.get(
    "/api/ops/leads/<lead_id>/activity",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    refuses=(SiteNotFound, LeadNotFound),
)
def list_activity(
    request: Request, env: Env, lead_id: str, limit: Limit = USUAL, cursor: Cursor = None
) -> ActivityList:
    """Tell who asked for a lead's evaluations, what came of them, and who decided otherwise."""
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    page = Page.of("activity", lead_id, limit=limit, cursor=cursor)
    rows = lead_history.list_activity(db, lead_id, tenant_id=tenant_id, site_id=request.site_id, page=page)
    shown, next_cursor = page.cut(rows, at="at")
    return ActivityList.of(shown, next_cursor=next_cursor)


@routes.get("/api/ops/sites/<site_id>/ai-usage", scope="usage:read", refuses=(SiteNotFound,))
def show_usage(request: Request, env: Env, site_id: str, month: Month = None) -> SiteUsageAnswer:
    """Show how many evaluations a site has used in a month, and of how many.

    A month that is over keeps the limit it had; until then the limit is what it is now.
    """
    tenant_id = request.caller.tenant_id
    now = env.now()
    asked = month or month_of(now)
    row = monthly_usage.read(env.DB.for_tenant(tenant_id), site_id, tenant_id=tenant_id, month=asked, now=now)
    return SiteUsageAnswer(data=SiteUsage.of(row, month=asked))


handler = entry.worker(fetch=routes)
