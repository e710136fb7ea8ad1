"""A cursor leads to where the page before has ended, and to nowhere else."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import pytest

from millrace.domain.pages import Page, Place, mark_of, read_place
from millrace.errors import InvalidRequest

AT = datetime(2025, 12, 17, 10, 0, 0, 123456, tzinfo=UTC)
PLACE = Place(AT, "job_1")
MARK = mark_of()
CURSOR = PLACE.cursor(MARK)


def rows(count):
    times = [AT - timedelta(seconds=number) for number in range(count)]
    return [{"requested_at": at, "id": f"job_{number}"} for number, at in enumerate(times)]


def encoded(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_cursor_leads_back_to_its_place():
    assert read_place(CURSOR, mark=MARK) == PLACE


def test_a_cursor_needs_no_escape_in_a_query():
    assert CURSOR.replace("-", "").replace("_", "").isalnum()


def test_a_place_is_the_same_in_any_time_zone():
    elsewhere = Place(AT.astimezone(timezone(timedelta(hours=5))), "job_1")

    assert elsewhere.cursor(MARK) == CURSOR


def test_a_page_ends_with_the_cursor_of_its_last_entry_when_there_is_more():
    shown, cursor = Page(limit=2).cut(rows(3), at="requested_at")

    assert [row["id"] for row in shown] == ["job_0", "job_1"]
    assert read_place(cursor, mark=MARK) == Place(AT - timedelta(seconds=1), "job_1")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_last_page_has_no_cursor(count):
    shown, cursor = Page(limit=2).cut(rows(count), at="requested_at")

    assert (len(shown), cursor) == (count, None)


def test_without_a_cursor_a_page_is_the_newest():
    assert Page.of(limit=5, cursor=None) == Page(5, None)
    assert Page.of(limit=5, cursor=CURSOR) == Page(5, PLACE)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense",
        "näh",
        CURSOR + "=",
        CURSOR[:8],
        CURSOR + "\n",
        "a" + CURSOR,
        encoded("job_1"),
        encoded(f"{AT.isoformat()} job_1"),
        encoded(f"{MARK} 2025-12-17T10:00:00 job_1"),
        encoded(f"{MARK} 2025-12-17T10:00:00Z job_1"),
        encoded(f"{MARK} 0001-01-01T00:00:00+05:00 job_1"),
        encoded(f"{MARK} {AT.isoformat()} job\x001"),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_cursor_that_is_none_of_ours_is_refused_by_name(cursor):
    with pytest.raises(InvalidRequest) as refused:
        Page.of(limit=5, cursor=cursor)

    assert refused.value.facts["fields"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    "other",
    [
        ("jobs", "site_b", None),
        ("jobs", "site_a", "pending"),
        ("jobs", None, "site_a"),
        ("exports", "site_a", None),
        ("jobs", "site_a"),
        (),
    ],
)
def test_a_cursor_leads_nowhere_in_another_list(other):
    cursor = PLACE.cursor(mark_of("jobs", "site_a", None))

    assert Page.of("jobs", "site_a", None, cursor=cursor).after == PLACE
    with pytest.raises(InvalidRequest, match="another list"):
        Page.of(*other, cursor=cursor)
