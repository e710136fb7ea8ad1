"""A site's jobs, a lead's evaluations and a site's month can be looked up, by whom they belong to."""

from datetime import timedelta
from typing import Any

import pytest

from functions.job_status.app import handler, routes
from millrace.domain.jobs import EVALUATION
from millrace.errors import InsufficientDocuments
from millrace.store import evaluations, jobs, judgements
from tests.events import CALLER, Context, http_event, said
from tests.factories import NOW, evaluation_of, order_for
from tests.functions.conftest import World
from tests.valid_rows import add_row

JOBS = "/api/ops/ai-evaluation-jobs"
LATEST = "/api/ops/leads/lead_123/ai-evaluation"
HISTORY = "/api/ops/leads/lead_123/ai-evaluations"
ACTIVITY = "/api/ops/leads/lead_123/activity"
USAGE = "/api/ops/sites/site_abc/ai-usage"
OF_LEAD = (LATEST, HISTORY, ACTIVITY)
READER = {**CALLER, "scopes": "evaluations:read usage:read"}
ON_SITE = {"x-site-id": "site_abc"}


def get(
    world: World, path: str, query: str = "", *, caller: dict[str, str] = READER, **headers: str
) -> dict[str, Any]:
    sent = ON_SITE | {name.replace("_", "-"): value for name, value in headers.items()}
    return handler(
        http_event("GET", path, query=query, headers=sent, caller=caller), Context(), env=world.api
    )


def got(world: World, path: str, query: str = "") -> dict[str, Any]:
    answer = get(world, path, query)
    assert answer["statusCode"] == 200, answer["body"]
    return said(answer)


def refused(answer: dict[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], said(answer)["error"]


def accept(world: World, job_id: str, *, lead_id: str = "lead_123") -> None:
    order = order_for(lead_id, tenant_id="tenant_demo", site_id="site_abc", force_refresh=True)
    evaluations.create(world.engine.DB, order, job_id=job_id, now=world.clock.advance(minutes=1))


def moved(world: World) -> dict[str, Any]:
    return {"move_id": world.engine.new_id(), "now": world.clock.advance(seconds=4)}


def judge(world: World, job_id: str, *, evaluation_id: str) -> None:
    """From asking to the result."""
    accept(world, job_id)
    job = jobs.claim(world.engine.DB, EVALUATION, worker_id="worker", **moved(world))
    evaluation = evaluation_of(evaluation_id, now=world.clock.at + timedelta(seconds=4))
    judgements.complete(world.engine.DB, job, evaluation=evaluation, **moved(world))


def override(world: World, evaluation_id: str) -> None:
    add_row(
        world.owner, "evaluation_overrides", tenant_id="tenant_demo", lead_id="lead_123",
        evaluation_id=evaluation_id, overridden_at=world.clock.advance(minutes=1),
    )  # fmt: skip


def test_the_latest_evaluation_is_shown_with_all_that_is_known(world: World):
    judge(world, "job_1", evaluation_id="eval_1")

    assert got(world, LATEST)["data"] == {
        "id": "eval_1",
        "job_id": "job_1",
        "lead_id": "lead_123",
        "score": 85,
        "label": "A",
        "recommendation": "approve",
        "summary": "Pays on time.",
        "risk_flags": ["documents_incomplete"],
        "fraud_signals": [],
        "extracted_data": {"employer": "Harbour Bakery"},
        "score_breakdown": [{"reason": "documents_incomplete", "points": -10, "explanation": "Too few."}],
        "warnings": [],
        "evaluated_at": "2025-12-17T10:01:08Z",
        "model_version": "local/rules",
    }


def test_an_override_stands_beside_what_was_recommended(world: World):
    judge(world, "job_1", evaluation_id="eval_1")
    override(world, "eval_1")

    data = got(world, LATEST)["data"]

    assert data["recommendation"] == "approve"
    assert data["override"] == {
        "new_recommendation": "reject",
        "reason": "Seen in person.",
        "overridden_by": "alice",
        "overridden_at": "2025-12-17T10:02:08Z",
    }


def test_a_lead_that_was_not_evaluated_has_no_latest_evaluation(world: World):
    assert refused(get(world, LATEST)) == (404, "EvaluationNotFound")
    assert got(world, HISTORY)["data"] == []


def test_the_history_comes_page_by_page_the_newest_first(world: World):
    for number in range(3):
        judge(world, f"job_{number}", evaluation_id=f"eval_{number}")

    first = got(world, HISTORY, "limit=2")
    second = got(world, HISTORY, f"limit=2&cursor={first['next_cursor']}")

    assert [one["id"] for one in first["data"]] == ["eval_2", "eval_1"]
    assert [one["id"] for one in second["data"]] == ["eval_0"]
    assert "next_cursor" not in second


def test_the_activity_says_who_asked_what_came_and_who_decided_otherwise(world: World):
    judge(world, "job_1", evaluation_id="eval_1")
    override(world, "eval_1")
    accept(world, "job_2")
    job = jobs.claim(world.engine.DB, EVALUATION, worker_id="worker", **moved(world))
    error = InsufficientDocuments("There is nothing to read.")
    jobs.fail(world.engine.DB, EVALUATION, job, error=error, jitter=0.0, **moved(world))

    first = got(world, ACTIVITY, "limit=3")
    rest = got(world, ACTIVITY, f"limit=3&cursor={first['next_cursor']}")

    assert first["data"] + rest["data"] == [
        {
            "at": "2025-12-17T10:03:16Z",
            "what": "failed",
            "job_id": "job_2",
            "error_code": "InsufficientDocuments",
        },
        {"at": "2025-12-17T10:03:08Z", "what": "requested", "job_id": "job_2", "by": "user_a"},
        {
            "at": "2025-12-17T10:02:08Z",
            "what": "overridden",
            "job_id": "job_1",
            "evaluation_id": "eval_1",
            "by": "alice",
            "new_recommendation": "reject",
            "reason": "Seen in person.",
        },
        {
            "at": "2025-12-17T10:01:08Z",
            "what": "completed",
            "job_id": "job_1",
            "evaluation_id": "eval_1",
            "score": 85,
            "label": "A",
        },
        {"at": "2025-12-17T10:01:00Z", "what": "requested", "job_id": "job_1", "by": "user_a"},
    ]


def test_the_jobs_of_a_site_are_listed_as_each_is_polled(world: World):
    judge(world, "job_1", evaluation_id="eval_1")
    accept(world, "job_2")

    listed = got(world, JOBS)["data"]

    assert [job["job_id"] for job in listed] == ["job_2", "job_1"]
    assert listed == [said(get(world, f"{JOBS}/{job['job_id']}"))["data"] for job in listed]


def test_the_jobs_are_chosen_by_status_and_lead_and_come_page_by_page(world: World):
    world.add_lead("lead_2")
    for job_id, lead_id in (("job_1", "lead_123"), ("job_2", "lead_2")):
        accept(world, job_id, lead_id=lead_id)

    first = got(world, JOBS, "status=pending&limit=1")
    second = got(world, JOBS, f"status=pending&limit=1&cursor={first['next_cursor']}")

    assert [job["job_id"] for job in first["data"] + second["data"]] == ["job_2", "job_1"]
    assert "next_cursor" not in second
    assert [job["job_id"] for job in got(world, JOBS, "lead_id=lead_123")["data"]] == ["job_1"]
    assert got(world, JOBS, "status=failed") == {"success": True, "data": []}
    assert got(world, JOBS, "lead_id=lead_of_another")["data"] == []


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (JOBS, "limit=0"),
        (JOBS, "status=running"),
        (JOBS, "lead_id="),
        (JOBS, "lead_id=a%00b"),
        (JOBS, "cursor=nonsense"),
        (JOBS, "page=2"),
        (HISTORY, "cursor=nonsense"),
        (ACTIVITY, "limit=1&limit=2"),
        (LATEST, "limit=1"),
        (USAGE, "month=2025-13"),
        (USAGE, "month=december"),
        (USAGE, "month=2025-12-01"),
        (USAGE, "month=0000-01"),
        (USAGE, "month="),
    ],
)
def test_what_cannot_be_asked_is_named(world: World, path: str, query: str):
    answer = get(world, path, query)

    assert refused(answer) == (400, "InvalidRequest")
    assert said(answer)["fields"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("path", [JOBS, *OF_LEAD])
def test_another_tenants_site_is_refused_in_the_words_for_one_that_is_not_there(world: World, path: str):
    foreign, missing = (get(world, path, x_site_id=site) for site in ("site_other", "site_nowhere"))

    assert refused(foreign) == (404, "SiteNotFound")
    assert foreign["body"] == missing["body"]


@pytest.mark.parametrize("path", OF_LEAD)
def test_another_tenants_lead_is_refused_in_the_words_for_one_that_is_not_there(world: World, path: str):
    answers = [get(world, path.replace("lead_123", lead)) for lead in ("lead_of_another", "lead_x")]

    assert refused(answers[0]) == (404, "LeadNotFound")
    assert answers[0]["body"] == answers[1]["body"]


def test_another_tenants_usage_is_refused_in_the_words_for_a_site_that_is_not_there(world: World):
    answers = [get(world, USAGE.replace("site_abc", site)) for site in ("site_other", "site_nowhere")]

    assert refused(answers[0]) == (404, "SiteNotFound")
    assert answers[0]["body"] == answers[1]["body"]


def test_of_a_deleted_lead_only_its_jobs_are_told(world: World):
    judge(world, "job_1", evaluation_id="eval_1")
    world.owner.prepare("UPDATE leads SET status = 'deleted', deleted_at = ?1 WHERE id = 'lead_123'").bind(
        NOW
    ).run()

    assert [refused(get(world, path)) for path in OF_LEAD] == [(404, "LeadNotFound")] * 3
    assert [job["job_id"] for job in got(world, JOBS)["data"]] == ["job_1"]
    assert got(world, f"{JOBS}/job_1")["data"]["status"] == "completed"


def test_the_usage_of_this_month_is_shown_by_default(world: World):
    accept(world, "job_1")

    assert got(world, USAGE)["data"] == {
        "site_id": "site_abc",
        "month": "2025-12",
        "tier": "free",
        "used": 1,
        "limit": 20,
        "remaining": 19,
        "percentage": 5,
        "resets_at": "2026-01-01T00:00:00Z",
    }


def test_a_month_without_evaluations_shows_none(world: World):
    data = got(world, USAGE, "month=2024-02")["data"]

    assert (data["used"], data["remaining"], data["resets_at"]) == (0, 20, "2024-03-01T00:00:00Z")


def test_from_four_fifths_on_a_sentence_warns(world: World):
    set_used(world, 15)
    before = got(world, USAGE)["data"]
    set_used(world, 16)
    warned = got(world, USAGE)["data"]

    assert (before["percentage"], "warning" in before) == (75, False)
    assert (warned["percentage"], warned["remaining"]) == (80, 4)
    assert warned["warning"] == "16 of 20 evaluations of 2025-12 are used."


def set_used(world: World, count: int) -> None:
    world.owner.prepare("""
        INSERT INTO ai_evaluation_usage (id, tenant_id, site_id, month, evaluation_count, created_at,
                                         updated_at)
        VALUES ('usage', 'tenant_demo', 'site_abc', '2025-12', ?1, ?2, ?2)
        ON CONFLICT (site_id, month) DO UPDATE SET evaluation_count = excluded.evaluation_count
    """).bind(count, NOW).run()


@pytest.mark.parametrize(("path", "scope"), [(USAGE, "usage:read"), (JOBS, "evaluations:read")])
def test_each_needs_a_key_of_its_scope(world: World, path: str, scope: str):
    answer = get(world, path, caller={**CALLER, "scopes": READER["scopes"].replace(scope, "")})

    assert refused(answer) == (403, "MissingScope")
    assert said(answer)["scope"] == scope


def test_the_site_must_be_named_but_where_it_stands_in_the_path(world: World):
    for route in (one for one in routes.all if one.rule.startswith("/api/ops/")):
        assert (route.headers == ("X-Site-Id",)) != ("<site_id>" in route.rule), route.rule
