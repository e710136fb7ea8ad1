"""A cursor leads on in the list that gave it, asked for in the same way, and in no other."""

from itertools import permutations

import pytest

from millrace.domain.pages import Page
from millrace.entry.exchange import Route
from tests.events import said
from tests.factories import NOW
from tests.functions.conftest import World
from tests.functions.two_tenants import ROUTES, Ask, Door, furnish

LISTS = [route for route in ROUTES if "cursor" in route.queries]
# Two entries of any list, of which one stands on the page.
ROWS = [{"at": NOW, "id": "entry_2"}, {"at": NOW, "id": "entry_1"}]
# What each list may be narrowed by, with a value that it may have.
NARROWED = {
    "list_evaluation_jobs": {"status": "pending", "lead_id": "lead_a"},
    "list_exports": {
        "status": "pending",
        "active": "true",
        "project_id": "project_a",
        "user_id": "alice",
    },
}


@pytest.fixture
def door(world: World) -> Door:
    furnish(world.owner)
    return Door.of(world, world.api.DB)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> list[Page]:
    """Every page that was asked for, the last one last."""
    made: list[Page] = []
    of = Page.of.__func__  # type: ignore[attr-defined]  # what is beneath the class method

    def noting(cls: type[Page], *listed: str | None, **given: object) -> Page:
        made.append(of(cls, *listed, **given))
        return made[-1]

    monkeypatch.setattr(Page, "of", classmethod(noting))
    return made


def cursor_of(door: Door, ask: Ask, *, pages: list[Page]) -> str:
    """As this list would give one, if it were longer."""
    assert door.answer(ask)["statusCode"] == 200
    _, cursor = Page(1, None, pages[-1].mark).cut(ROWS, at="at")
    assert cursor is not None
    return cursor


def is_taken(door: Door, ask: Ask, *, cursor: str) -> bool:
    answer = door.answer(ask.naming(cursor, part="query", name="cursor"))
    if answer["statusCode"] == 400:
        assert said(answer)["fields"] == [
            {"field": "cursor", "message": "is of another list, or of this one with other filters"}
        ]
    return bool(answer["statusCode"] == 200)


def test_no_list_takes_the_cursor_of_another(door: Door, pages: list[Page]):
    cursors = {route.handler.__name__: cursor_of(door, Ask.own(route), pages=pages) for route in LISTS}

    taken = [
        (route.handler.__name__, given)
        for route in LISTS
        for given, cursor in cursors.items()
        if is_taken(door, Ask.own(route), cursor=cursor)
    ]

    assert taken == [(name, name) for name in cursors]


@pytest.mark.parametrize("route", LISTS, ids=lambda route: route.handler.__name__)
def test_the_cursor_of_a_list_is_not_that_of_the_same_list_with_other_filters(
    door: Door, pages: list[Page], route: Route
):
    filters = NARROWED.get(route.handler.__name__, {})
    whole = Ask.own(route)
    asks = [whole, *(whole.naming(value, part="query", name=name) for name, value in filters.items())]

    assert set(filters) == set(route.queries) - {"limit", "cursor"}
    for one, other in permutations(asks, 2):
        assert not is_taken(door, other, cursor=cursor_of(door, one, pages=pages))
    for ask in asks:
        assert is_taken(door, ask, cursor=cursor_of(door, ask, pages=pages))
