"""An id of another tenant is answered as one that is nobody's, wherever it stands, on every route."""

import re
from typing import Any

import pytest

from millrace.entry.exchange import Route
from tests.databases import on_postgres
from tests.events import said
from tests.functions.conftest import World
from tests.functions.two_tenants import ROUTES, Ask, Door, Forgetful, differences, dump, furnish, ids_of

OF_THE_OTHER = re.compile(r"_b\b")


@pytest.fixture
def door(world: World) -> Door:
    furnish(world.owner)
    return Door.of(world, world.api.DB)


@pytest.fixture
def forgetful(world: World, door: Door) -> Door:
    """Row-level security alone stands between the tenants."""
    return Door.of(world, world.api.DB, watch=Forgetful)


@pytest.fixture
def open_door(world: World, door: Door) -> Door:
    """Nothing does."""
    return Door.of(world, world.engine.DB, watch=Forgetful)


def all_differences(world: World, door: Door) -> list[tuple[str, ...]]:
    foreign = sorted(ids_of(world.owner, letter="b"))
    assert {"lead_b", "evaluation_job_b", "failed_job_b", "document_b", "key_b", "site_b"} <= set(foreign)
    return [difference for route in ROUTES for difference in differences(door, route, foreign=foreign)]


def test_an_id_of_another_tenant_is_like_one_that_is_nobody_s(world: World, door: Door):
    """The same answer byte by byte, by the same statements in as many round trips, and no row is changed."""
    before = dump(world.owner)

    assert all_differences(world, door) == []

    assert dump(world.owner) == before
    assert world.doorbell.rung == []


@on_postgres
def test_it_is_so_too_when_the_stores_forget_the_tenant(world: World, forgetful: Door):
    """The second wall, row-level security, holds by itself."""
    before = dump(world.owner)

    assert all_differences(world, forgetful) == []

    assert dump(world.owner) == before


def test_a_leak_would_be_found(world: World, open_door: Door):
    reads = [route for route in ROUTES if route.method == "GET" and Ask.own(route).path]
    foreign = sorted(ids_of(world.owner, letter="b"))

    leaking = {
        route.handler.__name__ for route in reads if any(differences(open_door, route, foreign=foreign))
    }

    assert leaking == {route.handler.__name__ for route in reads}


def test_with_ids_of_one_s_own_each_request_finds_what_it_asks_for(door: Door):
    """So it was the id that was refused before, and nothing else about the request."""
    # What is deleted is asked for first, and a document before its lead.
    order = sorted(ROUTES, key=lambda route: (route.method == "DELETE", -len(route.rule)))

    statuses = {route.handler.__name__: door.answer(Ask.own(route))["statusCode"] for route in order}

    assert {name: status for name, status in statuses.items() if status not in (200, 201, 202, 409)} == {}


def test_what_a_tenant_reads_holds_nothing_of_another_s(door: Door):
    assert foreign_reads(door) == []


@on_postgres
def test_nor_does_it_when_the_stores_forget_the_tenant(forgetful: Door, open_door: Door):
    assert foreign_reads(forgetful) == []
    assert "list_keys" in foreign_reads(open_door)


def foreign_reads(door: Door) -> list[str]:
    """The reads of one's own in which an id of another tenant stands."""
    reads = [route for route in ROUTES if route.method == "GET"]
    return [one.handler.__name__ for one in reads if OF_THE_OTHER.search(door.answer(Ask.own(one))["body"])]


def test_a_lead_is_not_put_under_the_id_of_another_tenant_s(world: World, door: Door):
    (put,) = (route for route in ROUTES if route.handler.__name__ == "put_lead")
    before = dump(world.owner)

    for lead_id in ("lead_b", "lead_deleted_b"):
        answer = door.answer(Ask.own(put).naming(lead_id, part="path", name="lead_id"))
        assert (answer["statusCode"], said(answer)["error"]) == (404, "LeadNotFound")

    assert dump(world.owner) == before


def test_a_route_with_a_place_that_nobody_has_told_of_is_named():
    """The generator passes over nothing that it does not know."""

    def buy(request: Any, env: Any, widget_id: str) -> None: ...

    with pytest.raises(KeyError, match="widget_id"):
        Ask.own(Route("POST", "/api/widgets/<widget_id>", buy, scope="evaluations:write"))
