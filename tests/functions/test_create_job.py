"""A job is accepted at once, or it is said why not."""

import json
from typing import Any

import pytest

from functions.create_job.app import handler
from millrace.bindings.database import Database
from millrace.env import Config, Env
from millrace.errors import DatabaseUnavailable
from tests.events import Context, read_event, said
from tests.factories import count_rows, used
from tests.functions.conftest import World


def create(
    world: World, event: str | dict[str, Any] = "minimal", *, lead: str | None = None
) -> dict[str, Any]:
    given = read_event(f"create_job/{event}") if isinstance(event, str) else event
    if lead:
        given["rawPath"] = given["rawPath"].replace("lead_123", lead)
    return handler(given, Context(), env=world.api)


def with_headers(event: str, **headers: str) -> dict[str, Any]:
    given = read_event(f"create_job/{event}")
    given["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return given


def test_a_job_is_accepted_with_an_id_and_what_is_left_of_the_month(world: World):
    answer = create(world)

    job = world.job()
    assert answer["statusCode"] == 201
    assert said(answer) == {
        "success": True,
        "data": {
            "job_id": job["id"],
            "lead_id": "lead_123",
            "status": "pending",
            "requested_at": "2025-12-17T10:00:00Z",
            "estimated_completion": "2025-12-17T11:00:00Z",
        },
        "usage": {"remaining": 19, "limit": 20, "month": "2025-12"},
    }
    assert job["id"].startswith("job_")
    assert (job["requested_by"], job["site_id"], job["status"]) == ("user_xyz", "site_abc", "pending")
    assert used(world.owner, site_id="site_abc") == 1


def test_the_doorbell_is_rung_once(world: World):
    create(world)

    assert world.doorbell.rung == [("evaluation", 1, 0)]


def test_the_quota_stands_in_the_headers_too(world: World):
    answer = create(world)

    assert answer["headers"]["RateLimit"].startswith('"month";r=19;t=')


@pytest.mark.parametrize("event", ["with_options", "base64_body"])
def test_the_body_may_come_in_any_of_its_forms(world: World, event: str):
    assert create(world, event)["statusCode"] == 201


def test_auto_is_the_default_model(world: World):
    create(world, "with_options")

    assert world.job()["model_version"] == "local/rules"


def test_an_unknown_model_is_400_and_lists_the_known(world: World):
    event = read_event("create_job/with_options") | {"body": '{"model_version": "somebody/elses"}'}

    answer = create(world, event)

    assert answer["statusCode"] == 400
    assert said(answer)["fields"] == [
        {"field": "model_version", "message": "must be one of auto, local/rules"}
    ]
    assert world.jobs() == []


def test_missing_headers_are_400(world: World):
    answer = create(world, "missing_headers")

    assert answer["statusCode"] == 400
    assert said(answer)["error"] == "MissingHeaders"
    assert said(answer)["missing"] == ["X-Site-Id", "X-User-Id"]


def test_unknown_fields_and_wrong_types_are_400_and_named(world: World):
    answer = create(world, "unknown_field")

    assert answer["statusCode"] == 400
    assert [fault["field"] for fault in said(answer)["fields"]] == ["force_refresh", "colour"]


def test_an_unknown_lead_is_404(world: World):
    answer = create(world, "unknown_lead")

    assert answer["statusCode"] == 404
    assert said(answer)["error"] == "LeadNotFound"


def test_a_lead_of_another_tenant_is_404(world: World):
    answer = create(world, lead="lead_of_another")

    assert said(answer)["error"] == "LeadNotFound"


def test_a_site_of_another_tenant_is_404(world: World):
    answer = create(world, with_headers("minimal", x_site_id="site_other"))

    assert answer["statusCode"] == 404
    assert said(answer)["error"] == "SiteNotFound"


def test_a_second_job_for_the_same_lead_is_409_and_names_the_first(world: World):
    first = said(create(world))["data"]["job_id"]

    answer = create(world)

    assert answer["statusCode"] == 409
    assert said(answer)["error"] == "JobAlreadyPending"
    assert said(answer)["job_id"] == first
    assert world.doorbell.rung == [("evaluation", 1, 0)]


def test_beyond_the_quota_it_is_429_and_nothing_is_written(world: World):
    world.owner.prepare("UPDATE sites SET evaluations_a_month = 1 WHERE id = 'site_abc'").run()
    world.add_lead("lead_124")
    create(world)

    answer = create(world, lead="lead_124")

    assert answer["statusCode"] == 429
    assert said(answer)["error"] == "QuotaExceeded"
    assert said(answer)["message"] == "Monthly evaluation limit (1) reached for this site."
    assert said(answer)["usage"] == {
        "used": 1,
        "limit": 1,
        "month": "2025-12",
        "tier": "free",
        "resets_at": "2026-01-01T00:00:00Z",
        "warning": "1 of 1 evaluations of 2025-12 are used.",
    }
    assert int(answer["headers"]["Retry-After"]) == (14 * 24 + 14) * 3600
    assert count_rows(world.owner, "ai_evaluation_jobs") == 1


@pytest.mark.parametrize(("limit", "warning"), [(2, None), (1, "1 of 1 evaluations of 2025-12 are used.")])
def test_who_has_used_most_of_the_month_is_warned_when_a_job_is_accepted(world: World, limit, warning):
    world.owner.prepare("UPDATE sites SET evaluations_a_month = ?1 WHERE id = 'site_abc'").bind(limit).run()

    answer = create(world)

    assert answer["statusCode"] == 201
    assert said(answer)["usage"].get("warning") == warning


def test_a_repeat_with_the_same_key_is_answered_alike_and_done_once(world: World):
    first = create(world, "with_options")
    world.clock.advance(minutes=5)

    again = create(world, "with_options")

    assert again["statusCode"] == 201
    assert json.loads(again["body"]) == json.loads(first["body"])
    assert again["headers"]["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first["headers"]
    assert len(world.jobs()) == 1
    assert world.doorbell.rung == [("evaluation", 1, 0)]


def test_another_request_with_the_same_key_is_422(world: World):
    create(world, "with_options")

    answer = create(world, read_event("create_job/with_options") | {"body": "{}"})

    assert answer["statusCode"] == 422
    assert said(answer)["error"] == "IdempotencyKeyReused"


class Unreachable:
    """A database that nobody reaches."""

    dialect = "sqlite"

    def for_tenant(self, tenant_id: str) -> Database:
        raise DatabaseUnavailable


def test_without_a_database_it_is_503_and_says_when_to_come_back():
    env = Env(Config(database_url="sqlite:////nowhere/at-all.db"), DB=Unreachable())

    answer = handler(read_event("create_job/minimal"), Context(), env=env)

    assert answer["statusCode"] == 503
    assert said(answer)["error"] == "DatabaseUnavailable"
    assert "Repeat the request. With the same Idempotency-Key it is done once." in said(answer)["message"]
    assert answer["headers"]["Retry-After"] == "1"
