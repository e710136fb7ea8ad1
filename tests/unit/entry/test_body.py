"""A body is read strictly, and whatever is wrong with it is a 4xx."""

import base64
import json

import pytest

from millrace.entry.validation import refuse_fields
from tests.events import http_event, said
from tests.unit.entry.things import SITE_AND_PERSON, ask


def send(body: str, **more):
    return ask(http_event(body=body, headers=SITE_AND_PERSON, **more))


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_base64_body_is_read_like_any_other():
    answer = send(encoded(b'{"name": "caf\xc3\xa9"}'), base64=True)

    assert said(answer)["data"]["name"] == "café"


def test_text_of_any_script_passes_through_unharmed():
    answer = send(json.dumps({"name": "日本語 🏠"}))

    assert said(answer)["data"]["name"] == "日本語 🏠"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("{", "not valid JSON"),
        ("hello", "not valid JSON"),
        ('{"fast": true} {}', "not valid JSON"),
        ("\ufeff{}", "not valid JSON"),
        ("null", "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ('[{"fast": true}]', "must be a JSON object"),
        ('"fast"', "must be a JSON object"),
        ('{"numbers": [NaN]}', "NaN is not a number"),
        ('{"numbers": [-Infinity]}', "-Infinity is not a number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a":' * 50 + "1" + "}" * 50, "nested too deeply"),
        ('{"numbers": [' + "9" * 5_000 + "]}", "too many digits"),
    ],
)
def test_what_cannot_be_read_is_400_and_says_why(body: str, why: str):
    answer = send(body)

    assert answer["statusCode"] == 400
    assert said(answer)["error"] == "InvalidRequest"
    assert why in said(answer)["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"name": "a\\u0000b"}', "name"),
        ('{"name": "\\ud800"}', "name"),
        ('{"numbers": [1, 1e999]}', "numbers.1"),
        ('{"numbers": [1, 9223372036854775808]}', "numbers.1"),
        ('{"a": {"b": ["\\u0000"]}}', "a.b.0"),
        ('{"\\u0000": 1}', "\x00"),
        ('{"\\udfff": 1}', "\\udfff"),
        ('{"fast": true, "fast": false}', "fast"),
    ],
)
def test_a_value_that_a_database_cannot_hold_is_named(body: str, field: str):
    answer = send(body)

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == field


@pytest.mark.parametrize("content", [b'{"name": "\xff"}', b"\xed\xa0\x80", b"\x80"])
def test_a_body_that_is_not_utf_8_is_400(content: bytes):
    answer = send(encoded(content), base64=True)

    assert answer["statusCode"] == 400
    assert said(answer)["message"] == "The body is not UTF-8."


@pytest.mark.parametrize("body", ["not base64!", "e30", "é"])
def test_a_body_that_is_not_base64_although_it_says_so_is_400(body: str):
    answer = send(body, base64=True)

    assert answer["statusCode"] == 400
    assert said(answer)["message"] == "The body is not valid base64."


@pytest.mark.parametrize("length", [1_000_001, 3_000_000])
def test_a_body_over_a_megabyte_is_413_however_it_comes(length: int):
    plain, wrapped = send(" " * length), send(encoded(b" " * length), base64=True)

    assert (plain["statusCode"], wrapped["statusCode"]) == (413, 413)
    assert said(plain)["error"] == "BodyTooLarge"


def test_the_size_is_counted_in_bytes():
    answer = send(json.dumps({"name": "é" * 600_000}, ensure_ascii=False))

    assert answer["statusCode"] == 413


def test_a_megabyte_itself_is_read():
    body = '{"fast": true' + " " * (1_000_000 - 14) + "}"

    answer = send(body)

    assert len(body) == 1_000_000
    assert answer["statusCode"] == 201


def test_a_thousand_unusable_values_are_answered_with_the_first_hundred():
    answer = send(json.dumps({"numbers": ["\x00"] * 1_000}))

    assert len(said(answer)["fields"]) == 100
    assert said(answer)["message"].endswith("There are more: only the first 100 are told.")


@pytest.mark.parametrize(("count", "says_more"), [(100, False), (101, True)])
def test_faults_beyond_the_first_hundred_are_not_kept_silent(count, says_more):
    refused = refuse_fields({"field": str(number), "message": "is wrong"} for number in range(count))

    assert len(refused.facts["fields"]) == 100
    assert ("There are more" in refused.message) == says_more
