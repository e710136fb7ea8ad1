"""Two tenants with a row in every table, and for every route the requests that name an id of either."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Self

from local.openapi.document import EXAMPLES, models_taken, read_routes
from millrace import entry
from millrace.bindings.database import Database, Statement
from millrace.entry.exchange import PLACEHOLDER, Route
from millrace.entry.request import PERSON, SITE
from millrace.env import Env
from tests.counting import Counted
from tests.events import Context, http_event, joined
from tests.factories import NOW
from tests.functions.conftest import World
from tests.valid_rows import add_all, add_row

ROUTES = [route for route in read_routes() if not route.public]
BODIES = {name: one.get("request", {}) for name, one in json.loads(EXAMPLES.read_text()).items()}

# What stands in a place of this name in a request that is right, but for the tenant's letter at its end.
IDS = {
    SITE: "site_",
    "site_id": "site_",
    "lead_id": "lead_",
    "document_id": "document_",
    "evaluation_id": "evaluation_",
    "job_id": "evaluation_job_",
    "key_id": "key_",
    "project_id": "project_",
    "video_id": "video_",
    "input_video_key": "videos/match_",
}
# A job is of another kind where the path says so.
JOBS = {"/api/exports/": "export_"}
# Words of the caller's own for a person: no row has that id.
WORDS = {"user_id"}
# What a store says of the tenant, whatever it calls the table by.
CONDITION = re.compile(r"\b(\w+\.)?tenant_id = (\?\d+|\w+\.tenant_id)\b")
SCOPES = "evaluations:read evaluations:write exports:read exports:write keys:admin usage:read settings:admin"
NOBODY = "nobody_c"
# Who puts something chooses its id, so there an id that is nobody's is free to be taken.
CHOOSES_ITS_ID = {("put_lead", "lead_id"), ("put_project", "project_id")}


@dataclass(frozen=True)
class Ask:
    """A request of a route, with an id in each of its places."""

    route: Route
    path: dict[str, str]
    headers: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @classmethod
    def own(cls, route: Route, *, letter: str = "a") -> Self:
        """As the tenant of this letter makes it. KeyError: here is a place that nobody has told of yet."""
        named = {SITE: f"site_{letter}", PERSON: "alice"}
        return cls(
            route,
            {name: stem_of(name, rule=route.rule) + letter for name in PLACEHOLDER.findall(route.rule)},
            {name: named[name] for name in route.headers},
            body=example_of(route, letter=letter) if models_taken(route) else None,
        )

    @property
    def places(self) -> list[tuple[str, str]]:
        """Where an id stands, or might: (part of the request, name)."""
        parts = {
            "path": self.path,
            "headers": {name for name in self.headers if name != PERSON},
            "query": {name for name in self.route.queries if name.endswith("_id")},
            "body": {name for model in models_taken(self.route) for name in model.model_fields},
        }
        ids = {name for name in parts["body"] if name.endswith("_id")} - WORDS
        return [(part, name) for part, names in (parts | {"body": ids}).items() for name in sorted(names)]

    def naming(self, value: str, *, part: str, name: str) -> Self:
        """The same with another id in one place."""
        return replace(self, **{part: {**(getattr(self, part) or {}), name: value}})

    def event(self) -> dict[str, Any]:
        path = PLACEHOLDER.sub(lambda found: self.path[found[1]], self.route.rule)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = None if self.body is None else json.dumps(self.body)
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        event = http_event(self.route.method, path, headers=headers, body=body, caller=caller_of("a"))
        return event | ({"rawQueryString": query, "queryStringParameters": joined(query)} if query else {})


def stem_of(name: str, *, rule: str) -> str:
    kinds = [stem for prefix, stem in JOBS.items() if rule.startswith(prefix)] if name == "job_id" else []
    return kinds[0] if kinds else IDS[name]


def example_of(route: Route, *, letter: str) -> Any:
    """The first example of the route's body in the API's description."""
    examples = BODIES.get(route.handler.__name__)
    assert examples, f"{route.handler.__name__} takes a body, and local/openapi/examples.json has none"
    body = next(iter(examples.values()))
    return {name: IDS[name] + letter if name in IDS else value for name, value in body.items()}


def caller_of(letter: str) -> dict[str, str]:
    whose = {"tenant_id": f"tenant_{letter}", "user_id": "alice", "key_id": f"key_{letter}"}
    return whose | {"scopes": SCOPES, "tier": "enterprise"}


class Forgetful(Counted):
    """The stores as if they had forgotten every condition on the tenant."""

    def prepare(self, sql: str) -> Statement:
        return super().prepare(CONDITION.sub(r"(\g<0> OR TRUE)", sql))


@dataclass
class Door:
    """Every route behind one handler, with a database that remembers what it was asked."""

    env: Env
    batches: list[list[Any]]

    @classmethod
    def of(cls, world: World, db: Database, *, watch: type[Counted] = Counted) -> Self:
        counted = watch(db)
        given = {"QUEUE": world.doorbell, "BUCKET": world.bucket, "PEPPER": b"cayenne"}
        return cls(Env(world.api.config, now=world.clock.now, DB=counted, **given), counted.batches)

    def answer(self, ask: Ask) -> dict[str, Any]:
        answer: dict[str, Any] = HANDLER(ask.event(), Context(), env=self.env)
        return answer

    def shape(self, ask: Ask) -> tuple[dict[str, Any], list[list[str]]]:
        """The answer, and the statements of each round trip that it took."""
        self.batches.clear()
        answer = self.answer(ask)
        return answer, [[statement.sql for statement in batch] for batch in self.batches]


def differences(door: Door, route: Route, *, foreign: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Where a request of the route tells a foreign id from nobody's, or is not refused nobody's."""
    ask, called = Ask.own(route), route.handler.__name__
    if {(called, name) for _, name in ask.places} - CHOOSES_ITS_ID:
        theirs, nobody = (door.shape(Ask.own(route, letter=letter)) for letter in "bc")
        if (theirs[0] | {"body": re.sub(r"_b\b", "_c", theirs[0]["body"])}, theirs[1]) != nobody:
            yield (called, "everywhere")
    for part, name in ask.places:
        if (called, name) in CHOOSES_ITS_ID:
            continue
        nobody = door.shape(ask.naming(NOBODY, part=part, name=name))
        if part in ("path", "headers") and nobody[0]["statusCode"] != 404:
            yield (called, part, name, "not refused")
        for value in foreign:
            answer, asked = door.shape(ask.naming(value, part=part, name=name))
            if (answer | {"body": answer["body"].replace(value, NOBODY)}, asked) != nobody:
                yield (called, part, name, value)


def every_route() -> entry.Routes:
    routes = entry.Routes()
    routes.all.extend(ROUTES)
    return routes


HANDLER = entry.worker(fetch=every_route())


def furnish(db: Database) -> None:
    """Both have a row in every table; the other tenant has besides what has ended or is still to come."""
    for letter in "ab":
        add_all(db, letter=letter)
        latest = db.prepare("UPDATE leads SET latest_evaluation_id = ?1 WHERE id = ?2")
        latest.bind(f"evaluation_{letter}", f"lead_{letter}").run()
        db.prepare("UPDATE api_keys SET scopes = ?1").bind(["evaluations:read"]).run()
    for status, columns in ENDED.items():
        add_row(db, "ai_evaluation_jobs", letter="b", id=f"{status}_job_b", status=status, **columns)
    add_row(db, "lead_documents", letter="b", id="uploaded_b", storage_key="up_b", uploaded_at=NOW)
    add_row(db, "lead_documents", letter="b", id="erased_b", storage_key="gone_b", deleted_at=NOW)
    add_row(db, "leads", letter="b", id="lead_deleted_b", status="deleted", deleted_at=NOW)
    add_row(db, "api_keys", letter="b", id="key_revoked_b", key_hash="revoked", revoked_at=NOW)


ENDED: dict[str, dict[str, Any]] = {
    "completed": {"completed_at": NOW, "evaluation_id": "evaluation_b"},
    "failed": {"completed_at": NOW, "error_code": "InsufficientDocuments", "error_message": "Nothing."},
    "cancelled": {"completed_at": NOW},
}


def tables_of(db: Database) -> list[str]:
    known = {
        "sqlite": "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    }
    return sorted(name for (name,) in db.prepare(known[db.dialect]).raw())


def dump(db: Database) -> dict[str, list[str]]:
    """Every row of every table."""
    return {table: sorted(map(repr, db.prepare(f"SELECT * FROM {table}").raw())) for table in tables_of(db)}


def ids_of(db: Database, *, letter: str) -> Iterator[str]:
    """Every id that a row of this tenant has, in any table."""
    for table in tables_of(db):
        rows = [dict(row) for row in db.prepare(f"SELECT * FROM {table}").all().results]
        yield from (
            row["id"]
            for row in rows
            if "id" in row and f"tenant_{letter}" in (row.get("tenant_id"), row["id"])
        )
