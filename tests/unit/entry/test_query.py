"""What stands in a query is known, given once and of its type, or it is named."""

import pytest

from tests.events import CALLER, http_event, said
from tests.unit.entry.things import SITE_AND_PERSON, ask, routes


def find(query, **more):
    return ask(http_event("GET", "/shelf", query=query, **more))


def faults(answer):
    assert answer["statusCode"] == 400
    assert said(answer)["error"] == "InvalidRequest"
    return {fault["field"]: fault["message"] for fault in said(answer)["fields"]}


def test_what_is_asked_for_comes_to_the_handler():
    answer = find("limit=5&colour=red&cursor=abc")

    assert said(answer)["data"] == {"colour": "red", "limit": 5, "cursor": "abc"}


def test_what_is_not_asked_for_has_its_default():
    assert said(find(""))["data"]["limit"] == 20


def test_a_comma_is_a_part_of_the_value():
    assert said(find("cursor=a,b"))["data"]["cursor"] == "a,b"


def test_an_escaped_value_is_read():
    assert said(find("cursor=a%26b"))["data"]["cursor"] == "a&b"


def test_what_is_not_known_is_named():
    answer = find("limit=5&size=10&=3")

    assert faults(answer) == {"size": "is not a known parameter", "": "is not a known parameter"}
    assert said(answer)["message"].startswith("The request is not valid: size is not a known parameter")


def test_what_is_given_twice_is_named():
    assert faults(find("limit=5&limit=6&cursor=a")) == {"limit": "is given twice"}


@pytest.mark.parametrize("text", ["", "x", "5.0", "1_0", "+5", "%205", "0x5", "1e1", "%C2%B2"])
def test_a_number_has_digits_alone(text):
    assert faults(find(f"limit={text}")) == {"limit": "must be a whole number"}


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("limit=0", {"limit": "must be at least 1"}),
        ("limit=101", {"limit": "must be at most 100"}),
        ("limit=" + "9" * 5000, {"limit": "is a number out of range"}),
        ("colour=blue", {"colour": "must be one of 'red' or 'green'"}),
        ("colour=red,green", {"colour": "must be one of 'red' or 'green'"}),
        ("cursor=", {"cursor": "must not be empty"}),
        ("cursor=" + "x" * 301, {"cursor": "must have at most 300 characters"}),
    ],
)
def test_a_value_out_of_bounds_is_named_and_not_repeated(query, fault):
    assert faults(find(query)) == fault


def test_all_that_is_wrong_is_named_at_once():
    assert faults(find("limit=x&colour=blue")).keys() == {"limit", "colour"}


def test_a_thousand_unknown_parameters_are_answered_with_the_first_hundred():
    answer = find("&".join(f"parameter_{number}=1" for number in range(1_000)))

    assert len(said(answer)["fields"]) == 100


def test_a_route_that_asks_for_nothing_takes_nothing():
    answer = ask(http_event(query="fast=true", headers=SITE_AND_PERSON))

    assert faults(answer) == {"fast": "is not a known parameter"}


def test_who_may_not_ask_learns_nothing_of_a_right_query():
    answer = find("size=10", caller={**CALLER, "scopes": ""})

    assert said(answer)["error"] == "MissingScope"


def test_a_route_knows_what_may_stand_in_its_query():
    asked = {route.handler.__name__: route.queries for route in routes.all}

    assert asked["list_things"] == {"colour", "limit", "cursor"}
    assert asked["make_thing"] == frozenset()
