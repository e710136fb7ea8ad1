"""GET: what a tenant's jobs have used of models and GPUs, and what that cost."""

from millrace import entry
from millrace.domain.quota import day_of
from millrace.domain.usage_answers import Days, FirstDay, GroupBy, LastDay, Usage, UsageAnswer
from millrace.entry import Request
from millrace.env import Env
from millrace.store import usage_report

routes = entry.Routes()


@routes.get("/api/usage", scope="usage:read")
def show_usage_report(
    request: Request, env: Env, from_: FirstDay = None, to: LastDay = None, group_by: GroupBy = "day"
) -> UsageAnswer:
    """Show what all jobs have used in some days, grouped, whatever became of them."""
    days = Days.of(from_, to, today=day_of(env.now()))
    tenant_id = request.caller.tenant_id
    rows, totals = usage_report.read(
        env.DB.for_tenant(tenant_id), tenant_id=tenant_id, first=days.first, last=days.last, group_by=group_by
    )
    return UsageAnswer(data=Usage.of(rows, totals=totals, days=days, group_by=group_by))
