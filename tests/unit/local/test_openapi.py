"""The API's description is the code's: complete, up to date, and without a word of our insides."""

import json
import re

import pytest

from local.openapi.document import describe, path_of, read_routes
from local.openapi.refusals import FACTS, refusals_of
from local.openapi.write import render_all
from local.settings import ROOT
from local.template import read_template

DOCUMENT = describe(read_routes())
OPERATIONS = [
    pytest.param(method.upper(), path, operation, id=operation["operationId"])
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
INSIDES = re.compile(
    r"tenant_id|last_move_id|locked_until|worker_id|sqlite|postgres|aurora|lambda|sqs\b", re.I
)


@pytest.mark.parametrize("path", render_all(), ids=lambda path: path.name)
def test_what_is_written_is_up_to_date(path):
    written = path.read_text(encoding="utf-8")

    assert written == render_all()[path], "the API has changed: make describe"


def test_it_has_every_deployed_route_that_needs_a_key_and_no_other():
    deployed = read_template(ROOT / "template.yaml").routes

    assert {(route.method, route.path) for route in deployed if route.authorizer} == {
        (route.method, path_of(route)) for route in read_routes() if route.scope
    }


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_success_has_an_example(method, path, operation):
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            assert response["content"]["application/json"]["examples"], status


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_what_it_needs(method, path, operation):
    names = [parameter.get("name") for parameter in operation["parameters"]]

    assert operation["summary"].endswith(".")
    assert operation["security"][0]["key"]
    assert set(re.findall(r"{(\w+)}", path)) <= set(names)


@pytest.mark.parametrize("route", read_routes(), ids=lambda route: route.handler.__name__)
def test_everything_that_may_stand_in_a_query_is_described(route):
    operation = DOCUMENT["paths"][path_of(route)][route.method.lower()]
    in_query = [one for one in operation["parameters"] if one.get("in") == "query"]

    assert {one["name"] for one in in_query} == route.queries
    assert all(one["description"].endswith(".") and not one["required"] for one in in_query)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_gateways_own_answers_are_there(method, path, operation):
    assert {"401", "403", "413", "429", "500", "503"} <= operation["responses"].keys()
    assert gateway_says(operation, "401") == {"message": "Unauthorized"}


def gateway_says(operation, status):
    examples = operation["responses"][status]["content"]["application/json"]["examples"]
    (said,) = [example["value"] for name, example in examples.items() if name.startswith("Gateway")]
    return said


def test_facts_are_listed_for_errors_that_some_route_has():
    answered = {refusal for route in read_routes() for refusal in refusals_of(route)}

    assert set(FACTS) <= answered


def test_nothing_internal_is_told():
    assert INSIDES.findall(json.dumps(DOCUMENT)) == []


def test_no_answer_s_schema_allows_null_since_none_holds_one():
    bodies = [operation.values[2].get("requestBody", {}) for operation in OPERATIONS]
    asked = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(bodies)))
    answered = {
        name: schema for name, schema in DOCUMENT["components"]["schemas"].items() if name not in asked
    }

    assert '"null"' not in json.dumps(answered)
    assert {"type": "null"} in DOCUMENT["components"]["schemas"]["PutLead"]["properties"]["phone"]["anyOf"]


def test_the_page_needs_nothing_from_anywhere():
    (page,) = [text for path, text in render_all().items() if path.suffix == ".html"]

    # An address in an example is text that nobody fetches.
    assert re.findall(r"<script|<link|<img|<iframe|url\(|=[\"']?https?://|javascript:", page) == []
