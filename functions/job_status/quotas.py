"""GET: what the caller may ask for, and how much of it is used."""

from millrace import entry
from millrace.domain.quota_answers import Quotas, QuotasAnswer, of_month, of_spend, of_user
from millrace.entry import Request
from millrace.env import Env
from millrace.store import quotas

routes = entry.Routes()


@routes.get("/api/usage/quota", scope="usage:read")
def show_quotas(request: Request, env: Env) -> QuotasAnswer:
    """Show all limits that hold for the caller, how much of each is used, and when it begins anew."""
    tenant_id, kinds, now = request.caller.tenant_id, env.config.limited_kinds, env.now()
    user = request.caller.key_user(kinds)
    found = quotas.read(env.DB.for_tenant(tenant_id), user, tenant_id=tenant_id, now=now)
    limits = [
        *of_month([*found.evaluations, *found.gpu_seconds], now=now),
        of_spend(found.spent_microusd[0], now=now),
        *of_user(found.of_user, kinds=kinds, now=now),
    ]
    return QuotasAnswer(data=Quotas(user_id=user.user_id, limits=limits))
