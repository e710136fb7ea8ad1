"""Schedules: when they are due, what they send, and firing them by hand."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.cloud import Cloud
from local.intrinsics import TemplateInvalid
from local.runtime import FunctionFailed
from local.schedule import Schedules, read_expression, spellings, to_event
from local.settings import Settings
from local.template import Schedule, Template
from tests.unit.local.cloud.labour import app as work
from tests.unit.local.conftest import TEMPLATE

# A Wednesday.
NOW = datetime(2025, 12, 17, 10, 7, 30, tzinfo=UTC)
MINUTELY = Schedule("EveryMinute", "Work", "rate(1 minute)")
NIGHTLY = Schedule("EveryNight", "Work", "cron(0 3 * * ? *)")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("rate(1 minute)", "2025-12-17T10:08:30"),
        ("rate(5 minutes)", "2025-12-17T10:12:30"),
        ("rate(2 hours)", "2025-12-17T12:07:30"),
        ("rate(1 day)", "2025-12-18T10:07:30"),
        ("cron(* * * * ? *)", "2025-12-17T10:08:00"),
        ("cron(0/15 * * * ? *)", "2025-12-17T10:15:00"),
        ("cron(0 3 * * ? *)", "2025-12-18T03:00:00"),
        ("cron(30 9 ? * MON-FRI *)", "2025-12-18T09:30:00"),
        ("cron(30 9 ? * 2 *)", "2025-12-22T09:30:00"),
        ("cron(0 0 1 JAN,jul ? *)", "2026-01-01T00:00:00"),
        ("cron(0 0 29 2 ? *)", "2028-02-29T00:00:00"),
        ("cron(0 12 1 1 ? 2027)", "2027-01-01T12:00:00"),
    ],
)
def test_an_expression_says_when_it_is_next_due(expression: str, due: str):
    assert read_expression(expression).next_after(NOW) == at(due)


@pytest.mark.parametrize(
    "expression", ["rate(1)", "every minute", "cron(* * * *)", "cron(61 * * * ? *)", "cron(0 0 L * ? *)"]
)
def test_what_cannot_be_read_is_named(expression: str):
    with pytest.raises(TemplateInvalid):
        read_expression(expression)


def test_a_date_that_never_comes_is_refused():
    with pytest.raises(TemplateInvalid):
        read_expression("cron(0 0 30 2 ? *)").next_after(NOW)


def test_the_event_is_the_schedulers():
    event = to_event(MINUTELY, now=NOW)

    assert event["source"] == "aws.scheduler"
    assert event["detail-type"] == "Scheduled Event"
    assert event["time"] == "2025-12-17T10:07:30Z"
    assert event["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/EveryMinute"]


@pytest.mark.parametrize(
    ("asked", "fired"),
    [
        ("rate(1 minute)", ["EveryMinute"]),
        ("cron(0 3 * * ? *)", ["EveryNight"]),
        ("* * * * *", ["EveryMinute"]),
        ("0 3 * * *", ["EveryNight"]),
        (None, ["EveryMinute", "EveryNight"]),
    ],
)
def test_by_hand_the_named_schedule_is_fired_and_without_a_name_all(asked: str | None, fired: list[str]):
    schedules = Schedules((MINUTELY, NIGHTLY), invoke=lambda function, event: None, now=lambda: NOW)

    assert [one.schedule.name for one in schedules.fire_like(asked)] == fired


@pytest.mark.parametrize(
    ("expression", "crontab"),
    [
        ("rate(1 minute)", "* * * * *"),
        ("rate(5 minutes)", "*/5 * * * *"),
        ("rate(1 hour)", "0 * * * *"),
        ("rate(1 day)", "0 0 * * *"),
        ("cron(30 9 ? * MON-FRI *)", "30 9 * * MON-FRI"),
    ],
)
def test_a_schedule_can_also_be_called_as_a_crontab_would(expression: str, crontab: str):
    assert spellings(expression) == [expression, crontab]


def test_what_no_schedule_is_called_fires_nothing_and_is_told_what_there_is(client: httpx.Client):
    before = len(work.seen)

    response = client.get("/__scheduled", params={"cron": "1 2 3 4 5"})

    assert response.status_code == 404
    assert "'1 2 3 4 5'" in response.json()["message"]
    assert response.json()["known"] == ["0 * * * *", "rate(1 hour)"]
    assert len(work.seen) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_a_get_fires(client: httpx.Client, method: str):
    before = len(work.seen)

    response = client.request(method, "/__scheduled")

    assert (response.status_code, response.headers["allow"]) == (405, "GET")
    assert len(work.seen) == before


def test_a_schedule_goes_on_after_an_error_that_nobody_expected(caplog: pytest.LogCaptureFixture):
    fired, clock = threading.Semaphore(0), iter(NOW + timedelta(minutes=n) for n in range(1_000_000))

    def break_down(function: str, event: Any) -> None:
        fired.release()
        raise OSError("no disk")

    schedules = Schedules((MINUTELY,), invoke=break_down, now=lambda: next(clock))
    schedules.start()

    assert fired.acquire(timeout=5)
    assert fired.acquire(timeout=5)
    schedules.stop()
    assert "EveryMinute could not be fired" in caplog.text


def test_a_function_that_fails_is_reported_and_not_raised():
    def fail(function: str, event: Any) -> None:
        raise FunctionFailed("as asked")

    [fired] = Schedules((MINUTELY,), invoke=fail, now=lambda: NOW).fire_like(None)

    assert (fired.succeeded, fired.answer) == (False, "as asked")


def test_over_http_the_schedule_is_fired_and_the_answer_says_so(client: httpx.Client):
    response = client.get("/__scheduled", params={"cron": "rate(1 hour)"})

    assert response.status_code == 200
    assert response.json() == {
        "fired": [
            {
                "schedule": "WorkHourly",
                "function": "Work",
                "expression": "rate(1 hour)",
                "succeeded": True,
                "answer": {"batchItemFailures": []},
            }
        ]
    }
    assert work.seen[-1]["detail-type"] == "Scheduled Event"


@pytest.mark.parametrize("schedule", [True, False])
def test_with_the_schedules_off_none_is_waited_for(template: Template, tmp_path: Path, schedule: bool):
    cloud = Cloud(template, settings=Settings(data=tmp_path, template=TEMPLATE, schedule=schedule))
    before = count_waiting()

    cloud.start()

    waiting = count_waiting() - before
    cloud.stop()
    assert waiting == (len(template.schedules) if schedule else 0)


def count_waiting() -> int:
    return sum("_keep_firing" in thread.name for thread in threading.enumerate())


def test_the_schedule_fires_when_the_local_cloud_starts(client: httpx.Client):
    client.get("/nothing")

    assert [event for event in work.seen if "detail-type" in event]
