"""Every route needs a scope that there is, every scope is needed, and docs/scopes.md says so."""

import pytest

from local.openapi.document import path_of, read_routes
from local.openapi.scopes import render_scopes
from local.settings import ROOT
from millrace.domain.callers import SCOPES

ROUTES = read_routes()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler.__name__)
def test_a_route_needs_a_scope_that_a_key_may_have(route):
    assert route.public or route.scope in SCOPES


@pytest.mark.parametrize("scope", SCOPES)
def test_no_scope_is_for_nothing(scope):
    assert [route for route in ROUTES if route.scope == scope]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.handler.__name__)
def test_the_page_lists_a_route_once_under_its_scope(route):
    page = render_scopes(ROUTES)
    named = f"| `{route.method} {path_of(route)}` |"
    section = page.split(f"## `{route.scope}`")[1].split("\n## ")[0]

    assert (page.count(named), section.count(named)) == (1, 1)


def test_what_nobody_needs_a_key_for_is_told_too():
    last = (ROOT / "docs/scopes.md").read_text().rpartition("Without a key: ")[2]

    assert last == "`GET /openapi.json`, `GET /docs`, `POST /api/runpod/callback/{token}`.\n"
