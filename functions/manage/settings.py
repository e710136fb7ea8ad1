"""GET, PUT: a tenant's choices about AI."""

from millrace import entry
from millrace.domain.settings import AiSettingsAnswer, ChangeAiSettings
from millrace.entry import Request
from millrace.env import Env
from millrace.store import settings

routes = entry.Routes()


@routes.get("/api/ops/ai-settings", scope="evaluations:read")
def show_ai_settings(request: Request, env: Env) -> AiSettingsAnswer:
    """What holds for the next evaluation, and the models there are."""
    tenant_id = request.caller.tenant_id
    kept = settings.read(env.DB.for_tenant(tenant_id), tenant_id=tenant_id)
    return AiSettingsAnswer.of(kept, models=env.config.ai_models)


@routes.put("/api/ops/ai-settings", scope="settings:admin", headers=("X-User-Id",))
def change_ai_settings(request: Request, env: Env, wanted: ChangeAiSettings) -> AiSettingsAnswer:
    """Change some of them, for all sites of the tenant. The others stay as they are."""
    tenant_id, models = request.caller.tenant_id, env.config.ai_models
    values, db = wanted.values(models=models), env.DB.for_tenant(tenant_id)
    by = request.author(env.new_id)
    kept = settings.change(db, values, tenant_id=tenant_id, by=by, now=env.now())
    return AiSettingsAnswer.of(kept, models=models)
