"""A key's user gets as much as they may and no more: in a minute, in a day, of tokens, of jobs at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from millrace.bindings.database import Database
from millrace.domain.callers import KeyUser
from millrace.domain.idempotency import IdempotencyKey
from millrace.domain.jobs import EVALUATION
from millrace.errors import JobAlreadyPending, LeadNotFound, QuotaExceeded, RateLimited
from millrace.store import export_orders, jobs
from tests import export_orders as exports
from tests.counting import Counted, plan_of
from tests.database.limiting import MANY, add_free_house, allow, ask, asked_on, fail, retry, user_of
from tests.factories import NOW, add_lead, count_rows, new_id
from tests.valid_rows import add_row


@pytest.fixture
def house(db: Database) -> Database:
    """A tenant of which nothing is limited, until a test says so."""
    return add_free_house(db)


def end_all(db: Database, *, now: datetime = NOW) -> None:
    for row in db.prepare("SELECT id FROM ai_evaluation_jobs WHERE completed_at IS NULL").all().results:
        whose = {"tenant_id": "tenant_a", "move_id": new_id("move"), "now": now}
        jobs.cancel(db, EVALUATION, row["id"], **whose)


def test_a_minute_over_another_begins(house):
    allow(house, requests_a_minute=2)
    user, late = user_of(house), NOW + timedelta(seconds=59)
    ask(house, user)
    ask(house, user, now=late)

    with pytest.raises(RateLimited) as refused:
        ask(house, user, now=late)

    assert refused.value.message == (
        "The limit of 2 requests a minute is reached. It begins anew at 2025-12-17T10:01Z."
    )
    assert refused.value.headers == {"Retry-After": "1"}
    assert refused.value.facts["usage"] == {
        "name": "requests_a_minute", "used": 2, "limit": 2, "resets_at": NOW + timedelta(minutes=1),
    }  # fmt: skip
    ask(house, user, now=NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("last", "renewed"),
    [
        (datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)),
        (datetime(2028, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC), datetime(2027, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_day_ends_where_the_calendar_says(house, last, renewed):
    allow(house, requests_a_day=1)
    user = user_of(house)
    ask(house, user, now=last)

    with pytest.raises(RateLimited) as refused:
        ask(house, user, now=last)

    assert refused.value.facts["usage"]["resets_at"] == renewed
    assert refused.value.headers == {"Retry-After": "1"}
    ask(house, user, now=renewed)
    assert [asked_on(house, moment.date()) for moment in (last, renewed)] == [1, 1]


def test_whoever_has_a_slow_clock_does_not_begin_the_minute_anew(house):
    allow(house, requests_a_minute=2)
    user = user_of(house)
    ask(house, user, now=NOW)
    ask(house, user, now=NOW - timedelta(milliseconds=1))

    with pytest.raises(RateLimited):
        ask(house, user, now=NOW - timedelta(milliseconds=1))


def test_a_limit_below_what_is_used_holds_at_once_and_none_gives_the_tier_s_again(house):
    user = user_of(house, tier="pro")
    for _ in range(4):
        ask(house, user)

    allow(house, requests_a_minute=3)
    with pytest.raises(RateLimited, match="limit of 3 requests a minute"):
        ask(house, user)
    allow(house, requests_a_minute=None)

    ask(house, user)
    assert limit_of(house, "requests_a_minute") == 20


def limit_of(db: Database, name: str) -> int:
    found = db.prepare("SELECT limit_then FROM request_counts WHERE measure = ?1")
    return int(found.bind(name).first("limit_then"))


def test_the_tier_is_the_key_s_as_it_is_now(house):
    """Whatever the gateway remembers of it."""
    allow(house, requests_a_minute=None)
    user = user_of(house, tier="free")
    for _ in range(5):
        ask(house, user)
    with pytest.raises(RateLimited):
        ask(house, user)

    house.prepare("UPDATE api_keys SET quota_tier = 'enterprise'").run()

    ask(house, user)
    assert limit_of(house, "requests_a_minute") == 60


def test_a_key_of_another_tenant_or_of_nobody_has_the_least(house):
    allow(house, live_jobs=None)
    add_row(house, "tenants", letter="b")
    add_row(house, "api_keys", letter="b", quota_tier="enterprise")
    for key_id in ("key_b", "key_of_nobody"):
        ask(house, KeyUser(f"user_of_{key_id}", key_id, ("evaluation",)))
        assert limit_of(house, "live_jobs") == 1


def test_other_users_are_not_held_up(house):
    allow(house, requests_a_day=1, live_jobs=1)
    ask(house, user_of(house))
    with pytest.raises(RateLimited):
        ask(house, user_of(house))

    ask(house, user_of(house, "user_b"))


def test_whom_a_request_names_changes_nothing(house):
    """`X-User-Id` is the caller's own word."""
    allow(house, requests_a_day=1)
    user = user_of(house)
    ask(house, user, person="alice")

    with pytest.raises(RateLimited):
        ask(house, user, person="bob")


def test_two_keys_of_one_user_count_together(house):
    allow(house, requests_a_day=1)
    ask(house, user_of(house))

    with pytest.raises(RateLimited):
        ask(house, user_of(house))


def test_what_is_replayed_or_refused_counts_nothing(house):
    user, key, lead_id = user_of(house), IdempotencyKey("once", "the same"), add_lead(house)
    ask(house, user, lead_id=lead_id, key=key)

    ask(house, user, lead_id=lead_id, key=key)
    with pytest.raises(JobAlreadyPending):
        ask(house, user, lead_id=lead_id)
    with pytest.raises(LeadNotFound):
        ask(house, user, lead_id="lead_of_nobody")
    house.prepare("UPDATE sites SET evaluations_a_month = 1").run()
    with pytest.raises(QuotaExceeded):
        ask(house, user)

    assert asked_on(house, NOW.date()) == 1
    counted = house.prepare("SELECT used FROM request_counts WHERE measure = 'requests_a_minute'")
    assert counted.first("used") == 1


def test_a_refused_request_is_accepted_later_under_the_same_key(house):
    allow(house, live_jobs=1)
    user, key, lead_id = user_of(house), IdempotencyKey("once", "the same"), add_lead(house)
    ask(house, user)
    with pytest.raises(RateLimited, match="Repeat the request when one of them has ended") as refused:
        ask(house, user, lead_id=lead_id, key=key)
    assert refused.value.headers == {"Retry-After": "5"}

    end_all(house)

    assert ask(house, user, lead_id=lead_id, key=key)["status"] == "pending"


def test_tokens_of_the_day_are_used_up_by_what_was_spent(house):
    allow(house, tokens_a_day=1_000)
    user = user_of(house)
    spent = {"tenant_id": "tenant_a", "user_id": "user_a", "date": NOW.date(), "input_tokens": 900}
    add_row(house, "daily_usage", **spent)
    ask(house, user)

    house.prepare("UPDATE daily_usage SET output_tokens = 100").run()

    with pytest.raises(RateLimited, match=r"limit of 1,000 tokens a day.*2025-12-18T00:00Z"):
        ask(house, user)
    ask(house, user, now=NOW + timedelta(days=1))


def test_of_several_limits_that_are_reached_the_longest_wait_is_named(house):
    allow(house, requests_a_minute=1, requests_a_day=1, live_jobs=1)
    user = user_of(house)
    ask(house, user)

    with pytest.raises(RateLimited) as refused:
        ask(house, user)

    assert refused.value.facts["usage"]["name"] == "requests_a_day"


def test_a_kind_that_is_not_limited_is_counted_for_the_day_alone(house):
    allow(house, requests_a_day=1, live_jobs=1)
    user = user_of(house, kinds="export")

    ask(house, user)
    ask(house, user)

    assert count_rows(house, "request_counts") == 0
    assert asked_on(house, NOW.date()) == 2


def test_limited_kinds_share_the_limits(house):
    allow(house, live_jobs=2, gpu_seconds_a_month=MANY)
    user, video_key = user_of(house, kinds="evaluation export"), exports.add_footage(house)

    def export(seconds: int) -> str:
        order = exports.order_for(video_key, params=exports.clips_of(seconds))
        made = export_orders.create(house, replace(order, user=user), job_id=new_id("job"), now=NOW)
        return str(made.facts["live_jobs"])

    ask(house, user)
    assert export(10) == "2"

    with pytest.raises(RateLimited, match="limit of 2 live jobs"):
        export(20)
    with pytest.raises(RateLimited, match="limit of 2 live jobs"):
        ask(house, user)


def test_a_retry_counts_for_who_asks_for_it_and_one_by_an_operator_for_who_asked_first(house):
    first, second = user_of(house), user_of(house, "user_b")
    job_id = fail(house, ask(house, first)["job_id"])

    retry(house, second, job_id)
    assert (asked_on(house, NOW.date(), user_id="user_b"), holder_of(house, job_id)) == (1, "user_b")
    allow(house, requests_a_day=0)
    with pytest.raises(RateLimited):
        retry(house, second, fail(house, job_id))
    retry(house, None, job_id)

    assert (asked_on(house, NOW.date(), user_id="user_b"), holder_of(house, job_id)) == (1, "user_b")


def holder_of(db: Database, job_id: str) -> str:
    found = db.prepare("SELECT user_id FROM ai_evaluation_jobs WHERE id = ?1").bind(job_id)
    return str(found.first("user_id"))


def test_the_answer_tells_what_is_left_and_a_replay_the_same(house):
    allow(house, requests_a_day=10, live_jobs=4)
    user, key, lead_id = user_of(house), IdempotencyKey("once", "the same"), add_lead(house)

    facts = ask(house, user, lead_id=lead_id, key=key)
    ask(house, user)

    assert (facts["requests_a_day"], facts["requests_a_day_limit"]) == (1, 10)
    assert (facts["live_jobs"], facts["live_jobs_limit"]) == (1, 4)
    assert ask(house, user, lead_id=lead_id, key=key) == facts


def test_counting_takes_no_further_round_trip(house):
    user, lead_id, counted = user_of(house), add_lead(house), Counted(house)

    ask(counted, user, lead_id=lead_id)

    assert len(counted.batches) == 1


def test_live_jobs_are_found_by_their_own_index(house):
    counted = Counted(house)
    ask(counted, user_of(house), lead_id=add_lead(house))
    (looking,) = (one for one in counted.batches[-1] if "live.completed_at" in one.sql)

    if house.dialect == "postgres":
        house.prepare("SET enable_seqscan = off").run()

    assert "idx_ai_jobs_live_of_user" in plan_of(house, looking)
