"""A few routes that stand for any."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from millrace import entry
from millrace.domain.parameters import Cursor, Limit
from millrace.entry import Answer, Request
from millrace.env import Env
from millrace.errors import QuotaExceeded
from tests.events import Context, env_without_a_world


class MakeThing(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    fast: bool = False
    name: str = Field("nameless", max_length=10)
    numbers: list[float] = []


class ThingAnswer(BaseModel):
    data: dict[str, Any]
    usage: dict[str, Any] | None = None


routes = entry.Routes()


@routes.post(
    "/things/<thing_id>",
    status=201,
    scope="things:write",
    headers=("X-Site-Id", "X-User-Id"),
    creates="thing",
)
def make_thing(request: Request, env: Env, thing_id: str, wanted: MakeThing) -> ThingAnswer:
    return ThingAnswer(
        data={"id": thing_id, "site": request.site_id, "made_at": env.now(), **wanted.model_dump()}
    )


@routes.get("/things/<thing_id>", scope="things:read")
def show_thing(request: Request, env: Env, thing_id: str) -> Answer[ThingAnswer]:
    return Answer(ThingAnswer(data={"id": thing_id}), status=202, headers={"Retry-After": "2"})


@routes.get("/shelf", scope="things:read")
def list_things(
    request: Request,
    env: Env,
    colour: Annotated[Literal["red", "green"] | None, Field(description="Only those.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> ThingAnswer:
    return ThingAnswer(data={"colour": colour, "limit": limit, "cursor": cursor})


@routes.put("/things/<thing_id>", scope="things:write")
def print_request(request: Request, env: Env, thing_id: str, wanted: MakeThing) -> ThingAnswer:
    return ThingAnswer(data={"fingerprint": request.fingerprint, "seconds": request.remaining_seconds()})


@routes.post("/broken", scope="things:write")
def break_down(request: Request, env: Env) -> ThingAnswer:
    raise ValueError("pay slip of Robin Example: 4200 a month")


@routes.post("/spent", scope="things:write", creates="thing")
def refuse_for_quota(request: Request, env: Env) -> ThingAnswer:
    raise QuotaExceeded(
        "Monthly limit (20) reached.", usage={"used": 20, "limit": 20, "month": "2025-12", "tier": "free"}
    )


@routes.post("/repeated", status=201, scope="things:write", creates="thing")
def repeat(request: Request, env: Env) -> Answer[ThingAnswer]:
    usage = {"remaining": 5, "limit": 20, "month": "2025-12"}
    return Answer(ThingAnswer(data={}, usage=usage), replayed=True)


@routes.get("/open", public=True)
def show_to_anybody(request: Request, env: Env) -> ThingAnswer:
    return ThingAnswer(data={"known": request.known_caller is not None})


handler = entry.worker(fetch=routes)

SITE_AND_PERSON = {"x-site-id": "site_1", "x-user-id": "person_1"}


def ask(event: dict[str, Any], *, env: Env | None = None) -> dict[str, Any]:
    return handler(event, Context(), env=env or env_without_a_world())
