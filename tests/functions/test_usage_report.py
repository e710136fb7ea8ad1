"""What all of a tenant's jobs have used: of which days, grouped, and what it comes to."""

from datetime import UTC, date, datetime

import pytest

from functions.job_status.app import handler
from millrace.store import usage_report
from tests.counting import Counted
from tests.events import CALLER, Context, http_event, said
from tests.valid_rows import add_row

NOTHING = {
    "calls": 0, "input_tokens": 0, "output_tokens": 0, "gpu_seconds": 0, "cost_microusd": 0, "cost_usd": 0.0,
}  # fmt: skip


def get(world, query="", *, tenant_id="tenant_demo", scopes="usage:read"):
    caller = {**CALLER, "tenant_id": tenant_id, "scopes": scopes}
    event = http_event("GET", "/api/usage", caller=caller)
    pairs = dict(pair.split("=") for pair in query.split("&") if pair)
    event |= {"rawQueryString": query, "queryStringParameters": pairs}
    return handler(event, Context(), env=world.api)


def shown(world, query="", **asking):
    answer = get(world, query, **asking)
    assert answer["statusCode"] == 200, answer["body"]
    return said(answer)["data"]


@pytest.fixture
def used(world):
    """Calls of two days and two kinds, and of another month and another tenant."""
    calls = [
        ("2025-12-03", "evaluation", "paid/model", "site_abc", "alice", 114, 0),
        ("2025-12-03", "evaluation", "paid/model", "site_abc", "bob", 114, 0),
        ("2025-12-17", "export", "runpod", None, "alice", 36_960, 84),
        ("2025-11-30", "evaluation", "paid/model", "site_abc", "alice", 7, 0),
    ]
    for number, (day, kind, model, site_id, user_id, cost, seconds) in enumerate(calls):
        at = datetime.fromisoformat(day).replace(tzinfo=UTC)
        add_row(
            world.owner, "usage_records", id=f"call_{number}", tenant_id="tenant_demo",
            job_id=f"job_{number}", kind=kind, model=model, site_id=site_id, user_id=user_id,
            timestamp=at, date=at.date(), cost_microusd=cost, gpu_seconds=seconds,
        )  # fmt: skip
    add_row(world.owner, "usage_records", id="theirs", tenant_id="tenant_other")
    return world


def groups(data):
    return {row.get("group"): (row["calls"], row["cost_microusd"]) for row in data["rows"]}


def test_without_a_word_it_is_this_month_by_day(used):
    data = shown(used)

    assert (data["from"], data["to"], data["group_by"]) == ("2025-12-01", "2025-12-17", "day")
    assert [row["group"] for row in data["rows"]] == ["2025-12-03", "2025-12-17"]
    assert data["rows"][1] == {
        "group": "2025-12-17", "calls": 1, "input_tokens": 1, "output_tokens": 1, "gpu_seconds": 84,
        "cost_microusd": 36_960, "cost_usd": 0.03696,
    }  # fmt: skip
    assert (data["totals"]["calls"], data["totals"]["cost_microusd"]) == (3, 37_188)


@pytest.mark.parametrize(
    ("group_by", "wanted"),
    [
        ("model", {"runpod": (1, 36_960), "paid/model": (2, 228)}),
        ("kind", {"export": (1, 36_960), "evaluation": (2, 228)}),
        ("site", {None: (1, 36_960), "site_abc": (2, 228)}),
        ("user", {"alice": (2, 37_074), "bob": (1, 114)}),
    ],
)
def test_other_groups_come_by_what_they_cost(used, group_by, wanted):
    data = shown(used, f"group_by={group_by}")

    assert groups(data) == wanted
    assert list(groups(data)) == list(wanted)


def test_both_ends_count(used):
    assert shown(used, "from=2025-11-30&to=2025-12-03")["totals"]["calls"] == 3
    assert shown(used, "to=2025-11-30")["from"] == "2025-11-01"
    assert shown(used, "to=2025-11-30")["totals"]["calls"] == 1


def test_a_time_in_which_nothing_was_used_is_all_zero(used):
    data = shown(used, "from=2024-02-29&to=2024-02-29")

    assert (data["rows"], data["totals"]) == ([], NOTHING)


def test_a_tenant_sees_its_own_alone(used):
    assert shown(used, tenant_id="tenant_other")["totals"]["cost_microusd"] == 1


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ("from=2025-02-29", "from", "must be a day that there is, such as 2025-12-17"),
        ("to=2025-13-01", "to", "must be a day that there is, such as 2025-12-17"),
        ("from=2025-12-18", "from", "must not be after 2025-12-17"),
        ("from=2024-12-16&to=2025-12-17", "from", "must not be before 2024-12-17"),
    ],
)
def test_days_that_cannot_be_are_refused_with_what_to_change(world, query, field, message):
    answer = get(world, query)

    assert answer["statusCode"] == 400
    assert said(answer)["fields"] == [{"field": field, "message": message}]
    assert said(answer)["message"] == f"{field} {message}."


@pytest.mark.parametrize(
    "query", ["from=17.12.2025", "from_=2025-12-01", "group_by=hour", "since=2025-12-01"]
)
def test_what_is_no_parameter_or_no_value_of_one_is_named(world, query):
    answer = get(world, query)

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == query.partition("=")[0]


def test_a_whole_year_may_be_asked_for(world):
    assert shown(world, "from=2024-12-17&to=2025-12-17")["rows"] == []


def test_the_key_needs_the_right_to_see_what_was_used(world):
    answer = get(world, scopes="evaluations:read")

    assert (answer["statusCode"], said(answer)["scope"]) == (403, "usage:read")


def test_a_report_takes_one_round_trip(world):
    batches = []
    days = {"first": date(2025, 12, 1), "last": date(2025, 12, 17)}

    usage_report.read(Counted(world.api.DB, batches=batches), tenant_id="tenant_demo", **days, group_by="day")

    assert len(batches) == 1
