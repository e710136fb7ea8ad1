"""Which route takes a request."""

import pytest

from local.routing import Router
from local.template import Route


def router(*routes: str) -> Router:
    split = [route.split(" ") if " " in route else ("ANY", route) for route in routes]
    return Router(Route(method, path, f"{method} {path}", None) for method, path in split)


def taken_by(routes: Router, method: str, path: str) -> str | None:
    match = routes.match(method, path)
    return match.route.function if match else None


def test_a_literal_part_beats_a_variable_and_that_beats_the_rest_of_the_path():
    routes = router("GET /pets/{proxy+}", "GET /pets/{id}", "GET /pets/mine", "$default")

    assert taken_by(routes, "GET", "/pets/mine") == "GET /pets/mine"
    assert taken_by(routes, "GET", "/pets/7") == "GET /pets/{id}"
    assert taken_by(routes, "GET", "/pets/7/toys") == "GET /pets/{proxy+}"
    assert taken_by(routes, "GET", "/cars") == "ANY $default"


def test_a_method_beats_any_on_the_same_path():
    routes = router("ANY /pets", "GET /pets")

    assert taken_by(routes, "GET", "/pets") == "GET /pets"
    assert taken_by(routes, "PUT", "/pets") == "ANY /pets"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/pets/7"), ("HEAD", "/pets/7"), ("GET", "/pets/7/"), ("GET", "/pets"), ("GET", "/pets/")],
)
def test_another_method_or_one_slash_more_or_less_is_no_match(method: str, path: str):
    assert taken_by(router("GET /pets/{id}"), method, path) is None


def test_path_parameters_are_decoded_after_the_path_was_split():
    match = router("GET /pets/{id}/toys").match("GET", "/pets/a%20b%2Fc/toys")

    assert match is not None
    assert match.path_parameters == {"id": "a b/c"}


def test_the_rest_of_a_path_is_one_parameter():
    match = router("GET /files/{proxy+}").match("GET", "/files/a/b%20c")

    assert match is not None
    assert match.path_parameters == {"proxy": "a/b c"}
