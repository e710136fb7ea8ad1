"""Where kinds of job are limited by the key's user: what is answered, and what is told of all limits."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.create_job.app import handler as create_job
from functions.job_status.app import handler as job_status
from millrace.bindings.database import Database
from millrace.domain.callers import KeyUser
from millrace.store import quotas, settings
from tests.counting import Counted
from tests.events import Context, http_event, said
from tests.factories import BY, NOW, count_rows
from tests.functions.asking import CALLER, asked, post
from tests.functions.conftest import World
from tests.functions.deciding import code_of, failed_job
from tests.functions.rendering import Studio
from tests.functions.test_manage_auto_run import bring
from tests.valid_rows import add_all

ANOTHER = {"params": {"clips": [{"start_time": 60, "end_time": 90, "name": "Another goal"}]}}


@pytest.fixture
def limited(world: World) -> World:
    """Evaluations are limited, and the demo's tenant has limits of its own."""
    limit(world, "evaluation")
    allow(world.owner, requests_a_minute=2, requests_a_day=8, tokens_a_day=1_000, live_jobs=3)
    for number in range(4):
        world.add_lead(f"lead_{number}")
    return world


def limit(world: World, *kinds: str) -> None:
    world.api.config = replace(world.api.config, limited_kinds=kinds)


def allow(db: Database, **limits: int) -> None:
    for column, value in limits.items():
        db.prepare(f"UPDATE tenants SET {column} = ?1 WHERE id = 'tenant_demo'").bind(value).run()


def create(world: World, lead_id: str, **given: Any) -> dict[str, Any]:
    event = asked("POST", f"leads/{lead_id}/ai-evaluation", {}, **given)
    return create_job(event, Context(), env=world.api)


def ask(world: World, **changes: str) -> dict[str, Any]:
    event = http_event("GET", "/api/usage/quota", caller=CALLER | changes)
    return job_status(event, Context(), env=world.api)


def shown(world: World, **changes: str) -> list[dict[str, Any]]:
    answer = ask(world, **changes)
    assert answer["statusCode"] == 200, answer["body"]
    limits: list[dict[str, Any]] = said(answer)["data"]["limits"]
    return limits


def test_an_accepted_job_is_answered_with_what_is_left_of_each_limit(limited: World):
    answer = create(limited, "lead_0")

    assert said(answer)["usage"]["limits"] == [
        {"name": "requests_a_day", "limit": 8, "remaining": 7, "resets_at": "2025-12-18T00:00:00Z"},
        {"name": "tokens_a_day", "limit": 1_000, "remaining": 1_000, "resets_at": "2025-12-18T00:00:00Z"},
        {"name": "requests_a_minute", "limit": 2, "remaining": 1, "resets_at": "2025-12-17T10:01:00Z"},
        {"name": "live_jobs", "limit": 3, "remaining": 2},
    ]
    assert answer["headers"]["RateLimit"].split(", ")[1:] == [
        '"requests_a_day";r=7;t=50400',
        '"tokens_a_day";r=1000;t=50400',
        '"requests_a_minute";r=1;t=60',
        '"live_jobs";r=2',
    ]
    assert answer["headers"]["RateLimit-Policy"].split(", ")[1:] == [
        '"requests_a_day";q=8;w=86400',
        '"tokens_a_day";q=1000;w=86400',
        '"requests_a_minute";q=2;w=60',
        '"live_jobs";q=3',
    ]


def test_from_80_percent_on_a_limit_warns(limited: World):
    create(limited, "lead_0")

    answer = create(limited, "lead_1")

    assert [one.get("warning") for one in said(answer)["usage"]["limits"]] == [
        None,
        None,
        "2 of 2 requests a minute of 2025-12-17T10:00 are used.",
        None,
    ]


def test_one_more_than_the_limit_is_told_which_and_when_to_come_back(limited: World):
    create(limited, "lead_0")
    create(limited, "lead_1")
    limited.clock.advance(seconds=20.5)
    limited.doorbell.rung.clear()

    answer = create(limited, "lead_2")

    assert answer["statusCode"] == 429
    assert said(answer) == {
        "success": False,
        "error": "RateLimited",
        "message": "The limit of 2 requests a minute is reached. It begins anew at 2025-12-17T10:01Z.",
        "usage": {
            "name": "requests_a_minute",
            "used": 2,
            "limit": 2,
            "resets_at": "2025-12-17T10:01:00Z",
        },
    }
    assert answer["headers"]["Retry-After"] == "40"
    assert answer["headers"]["RateLimit"] == '"requests_a_minute";r=0;t=40'
    assert answer["headers"]["RateLimit-Policy"] == '"requests_a_minute";q=2;w=60'
    assert limited.doorbell.rung == []
    assert count_rows(limited.owner, "ai_evaluation_jobs") == 2


def test_a_replay_is_answered_as_at_first_and_counts_nothing(limited: World):
    first, again, next_one = (
        create(limited, lead_id, idempotency_key=key)
        for lead_id, key in (("lead_0", "one"), ("lead_0", "one"), ("lead_1", "two"))
    )

    assert (again["statusCode"], again["body"]) == (first["statusCode"], first["body"])
    assert "RateLimit" not in again["headers"]
    assert next_one["statusCode"] == 201


def test_another_person_of_the_same_key_s_user_has_no_more(limited: World):
    create(limited, "lead_0", x_user_id="alice")
    create(limited, "lead_1", x_user_id="bob")

    assert code_of(create(limited, "lead_2", x_user_id="carol")) == (429, "RateLimited")


def test_retries_are_limited_too(limited: World):
    job_id = failed_job(limited, lead_id="lead_0")
    allow(limited.owner, live_jobs=1)
    create(limited, "lead_1")

    answer = post(limited, f"ai-evaluation-jobs/{job_id}/retry", {})

    assert code_of(answer) == (429, "RateLimited")
    assert (said(answer)["usage"]["name"], answer["headers"]["Retry-After"]) == ("live_jobs", "5")
    assert "t=" not in answer["headers"]["RateLimit"]


def test_exports_are_limited_where_it_is_said(world: World):
    studio = Studio(world)
    limit(world, "export")
    allow(world.owner, live_jobs=1)
    studio.put_project()
    video_key = studio.upload()

    answers = [studio.create(video_key, **changes) for changes in ({}, ANOTHER)]

    assert [code_of(answer) for answer in answers] == [(201, ""), (429, "RateLimited")]
    assert said(answers[0])["usage"]["limits"][-1] == {
        "name": "live_jobs", "limit": 1, "remaining": 0, "warning": "1 of 1 live jobs are used.",
    }  # fmt: skip


def test_a_document_is_complete_also_when_no_evaluation_may_follow(limited: World):
    choices = {"ai_auto_run_on_documents": True}
    settings.change(limited.engine.DB, choices, tenant_id="tenant_demo", by=BY, now=limited.clock.now())
    allow(limited.owner, requests_a_day=0)

    assert bring(limited) == {"not_started": "RateLimited"}


def test_all_limits_are_shown_with_what_is_used(limited: World):
    create(limited, "lead_0")
    create(limited, "lead_1")
    row = "INSERT INTO daily_spend (tenant_id, day, used, quota_limit, created_at, updated_at)"
    spent = limited.owner.prepare(f"{row} VALUES ('tenant_demo', '2025-12-17', 85000000, 1, ?1, ?1)")
    spent.bind(NOW).run()

    midnight, tomorrow = "2026-01-01T00:00:00Z", "2025-12-18T00:00:00Z"
    assert shown(limited) == [
        quota("evaluations", 20, 2, period="2025-12", resets_at=midnight, site_id="site_abc"),
        quota("gpu_seconds", 600, 0, period="2025-12", resets_at=midnight),
        quota(
            "spend_microusd", 100_000_000, 85_000_000, period="2025-12-17", resets_at=tomorrow,
            warning="$85.00 of $100.00 of 2025-12-17 are spent or set aside.",
        ),
        quota("requests_a_day", 8, 2, period="2025-12-17", resets_at=tomorrow, kinds=["evaluation"]),
        quota("tokens_a_day", 1_000, 0, period="2025-12-17", resets_at=tomorrow, kinds=["evaluation"]),
        quota(
            "requests_a_minute", 2, 2, period="2025-12-17T10:00", resets_at="2025-12-17T10:01:00Z",
            kinds=["evaluation"], warning="2 of 2 requests a minute of 2025-12-17T10:00 are used.",
        ),
        quota("live_jobs", 3, 2, kinds=["evaluation"]),
    ]  # fmt: skip


def quota(name: str, limit: int, used: int, **more: Any) -> dict[str, Any]:
    counted = {"limit": limit, "used": used, "remaining": limit - used, "percentage": used * 100 // limit}
    return {"name": name, **counted, **more}


def test_what_is_over_is_not_counted_any_more(limited: World):
    create(limited, "lead_0")

    limited.clock.at = datetime(2026, 1, 1, tzinfo=UTC)

    assert [(one["name"], one["used"]) for one in shown(limited)] == [
        ("evaluations", 0),
        ("gpu_seconds", 0),
        ("spend_microusd", 0),
        ("requests_a_day", 0),
        ("tokens_a_day", 0),
        ("requests_a_minute", 0),
        ("live_jobs", 1),
    ]


def test_limits_by_user_are_shown_only_where_they_hold(world: World):
    assert [one["name"] for one in shown(world)] == ["evaluations", "gpu_seconds", "spend_microusd"]


def test_each_sees_what_is_their_own(limited: World):
    create(limited, "lead_0")

    another = {one["name"]: one["used"] for one in shown(limited, user_id="somebody_else")}
    assert (another["evaluations"], another["requests_a_day"], another["live_jobs"]) == (1, 0, 0)
    foreign = shown(limited, tenant_id="tenant_other")
    assert [(one["used"], one.get("site_id")) for one in foreign] == [
        (0, "site_other"), *[(0, None)] * 6,
    ]  # fmt: skip


def test_a_limit_that_was_lowered_below_what_is_used_shows_nothing_left(limited: World):
    create(limited, "lead_0")
    create(limited, "lead_1")
    allow(limited.owner, live_jobs=1, gpu_seconds_a_month=0)

    found = {one["name"]: one for one in shown(limited)}

    assert (found["live_jobs"]["remaining"], found["live_jobs"]["percentage"]) == (0, 200)
    assert found["gpu_seconds"]["warning"] == "0 of 0 gpu seconds of 2025-12 are used."


def test_the_key_needs_the_right_to_see_what_was_used(world: World):
    answer = ask(world, scopes="evaluations:read evaluations:write")

    assert (answer["statusCode"], said(answer)["scope"]) == (403, "usage:read")


def test_all_limits_take_one_round_trip(world: World):
    add_all(world.owner, letter="a")
    counted = Counted(world.engine.DB)

    quotas.read(counted, KeyUser("alice", "key_a", ("evaluation",)), tenant_id="tenant_a", now=NOW)

    assert len(counted.batches) == 1
