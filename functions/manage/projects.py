"""PUT, GET: projects, as far as exports need them."""

from millrace import entry
from millrace.domain.projects import ProjectAnswer, ProjectView, PutProject
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import ProjectNotFound
from millrace.store import projects

routes = entry.Routes()


@routes.put(
    "/api/projects/<project_id>",
    scope="exports:write",
    headers=("X-User-Id",),
    also=(201,),
    refuses=(ProjectNotFound,),
)
def put_project(request: Request, env: Env, project_id: str, wanted: PutProject) -> Answer[ProjectAnswer]:
    """Make a project under an id of your own, or give it another name. It belongs to who made it."""
    tenant_id = request.caller.tenant_id
    row, is_new = projects.put(
        env.DB.for_tenant(tenant_id), project_id, tenant_id=tenant_id, name=wanted.name,
        person=request.person_id, now=env.now(),
    )  # fmt: skip
    return Answer(ProjectAnswer(data=ProjectView.of(row)), status=201 if is_new else 200)


@routes.get("/api/projects/<project_id>", scope="exports:read", refuses=(ProjectNotFound,))
def show_project(request: Request, env: Env, project_id: str) -> ProjectAnswer:
    """What is known of a project."""
    tenant_id = request.caller.tenant_id
    row = projects.read(env.DB.for_tenant(tenant_id), project_id, tenant_id=tenant_id)
    return ProjectAnswer(data=ProjectView.of(row))
