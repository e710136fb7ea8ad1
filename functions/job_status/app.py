"""GET: how far a job is, and what came of it."""

from millrace import entry
from millrace.domain.evaluations import EvaluationJob, EvaluationJobAnswer
from millrace.domain.jobs import EVALUATION
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import JobNotFound
from millrace.store import evaluation_history

POLL_AGAIN_SECONDS = 2

routes = entry.Routes()


@routes.get(
    "/api/ops/ai-evaluation-jobs/<job_id>",
    scope="evaluations:read",
    headers=("X-Site-Id",),
    also=(202,),
    refuses=(JobNotFound,),
)
def show_evaluation_job(request: Request, env: Env, job_id: str) -> Answer[EvaluationJobAnswer]:
    """Poll a job until it is final."""
    tenant_id = request.caller.tenant_id
    db = env.DB.for_tenant(tenant_id)
    row = evaluation_history.read(db, job_id, tenant_id=tenant_id, site_id=request.site_id)
    answer = EvaluationJobAnswer(data=EvaluationJob.of(row, now=env.now()))
    if row["status"] in EVALUATION.live:
        return Answer(answer, status=202, headers={"Retry-After": str(POLL_AGAIN_SECONDS)})
    return Answer(answer)


handler = entry.worker(fetch=routes)
