"""An answer is compared with what is expected place by place."""

import pytest

from local.expectations import differences, shown


def found(expected, actual):
    return list(differences(expected, actual))


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        ({"job_id": "job_*"}, {"job_id": "job_01a1"}),
        ("*Z", "2025-12-17T10:00:00Z"),
        ("a.b*", "a.b\nc"),
        ({"a": "*"}, {"a": {"b": [1]}}),
    ],
)
def test_what_is_as_expected_makes_no_difference(expected, actual):
    assert found(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "named"),
    [
        ({"a": 1}, {}, "a is missing"),
        ({}, {"a": {"b": 1}}, "a is not expected"),
        ({"a": {"b": [1]}}, {"a": {"b": [2]}}, "a.b.0 is 2 and not 1"),
        ({"a": [1]}, {"a": [1, 2]}, "a is [1, 2] and not [1]"),
        ({"a": 1}, {"a": True}, "a is True and not 1"),
        ({"a": "a.b*"}, {"a": "axb"}, "a is 'axb' and not 'a.b*'"),
    ],
)
def test_a_difference_is_named_by_its_place(expected, actual, named):
    assert found(expected, actual) == [named]


def test_an_http_answer_is_shown_with_its_body_read():
    assert shown({"statusCode": 404, "headers": {}, "body": '{"a": 1}'}) == {"status": 404, "body": {"a": 1}}


def test_a_body_that_is_no_json_is_shown_as_it_is():
    assert shown({"statusCode": 200, "headers": {}, "body": "<p>"}) == {"status": 200, "body": "<p>"}


def test_any_other_answer_is_shown_whole():
    assert shown({"isAuthorized": False}) == {"answer": {"isAuthorized": False}}
