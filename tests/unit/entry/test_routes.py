"""What is asked well is answered in the envelope, and all else is told what is wrong with it."""

import json
from datetime import UTC, datetime

import pytest

from millrace.domain.keys import make_key
from millrace.entry import Routes
from tests.clock import Clock
from tests.events import CALLER, Context, env_without_a_world, http_event, said
from tests.unit.entry.things import SITE_AND_PERSON, ask, routes


def make(body=None, *, headers=None, **more):
    return ask(http_event(body=body, headers={**SITE_AND_PERSON, **(headers or {})}, **more))


def test_a_success_comes_in_the_envelope_with_the_status_of_its_route(clock: Clock):
    event = http_event(body='{"fast": true}', headers=SITE_AND_PERSON)

    answer = ask(event, env=env_without_a_world(now=clock.now))

    assert answer["statusCode"] == 201
    assert said(answer) == {
        "success": True,
        "data": {
            "id": "thing_1",
            "site": "site_1",
            "made_at": "2025-12-17T10:00:00Z",
            "fast": True,
            "name": "nameless",
            "numbers": [],
        },
    }


def test_every_answer_says_its_type_is_not_kept_and_can_be_told_apart():
    answers = [make(), ask(http_event(path="/nowhere")), ask(http_event(path="/broken"))]

    for answer in answers:
        assert answer["headers"]["Content-Type"] == "application/json"
        assert answer["headers"]["Cache-Control"] == "no-store"
        assert answer["headers"]["X-Request-Id"] == "gateway-request-1"


def test_a_callers_own_request_id_is_echoed():
    answer = make(headers={"x-request-id": "mine-1"})

    assert answer["headers"]["X-Request-Id"] == "mine-1"


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "bell\x07", "naïve", "mrk_live_0"])
def test_a_request_id_unfit_for_a_log_line_is_replaced(given: str):
    answer = make(headers={"x-request-id": given})

    assert answer["statusCode"] == 201
    assert answer["headers"]["X-Request-Id"] == "gateway-request-1"


def test_a_handler_may_answer_with_another_status_and_headers_of_its_own():
    answer = ask(http_event("GET"))

    assert answer["statusCode"] == 202
    assert answer["headers"]["Retry-After"] == "2"


def test_no_body_at_all_means_defaults():
    answer = make(None)

    assert said(answer)["data"]["name"] == "nameless"


def test_no_body_needs_no_content_type():
    answer = make(None, headers={"content-type": "text/plain"})

    assert answer["statusCode"] == 201


@pytest.mark.parametrize(
    "given", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.thing+json"]
)
def test_json_is_taken_under_each_of_its_names(given: str):
    answer = make('{"fast": true}', headers={"content-type": given})

    assert said(answer)["data"]["fast"] is True


@pytest.mark.parametrize(
    "given", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"]
)
def test_a_body_of_another_type_is_415(given: str):
    answer = make("{}", headers={"content-type": given})

    assert answer["statusCode"] == 415
    assert said(answer)["error"] == "UnsupportedMediaType"


def test_wrong_types_and_unknown_fields_are_each_named():
    answer = make('{"fast": "yes", "name": "far too long a name", "numbers": [1, "2"], "colour": "red"}')

    assert answer["statusCode"] == 400
    assert said(answer)["error"] == "InvalidRequest"
    assert said(answer)["fields"] == [
        {"field": "fast", "message": "must be true or false"},
        {"field": "name", "message": "must have at most 10 characters"},
        {"field": "numbers.1", "message": "must be a number"},
        {"field": "colour", "message": "is not a known field"},
    ]


def test_a_refusal_repeats_no_value_and_nothing_of_our_insides():
    answer = make('{"fast": "a secret word", "colour": "another secret word"}')

    assert "secret" not in answer["body"]
    assert "pydantic" not in answer["body"]
    assert "http" not in answer["body"]


def test_a_thousand_unknown_fields_are_answered_with_the_first_hundred():
    answer = make(json.dumps({f"field_{number}": 1 for number in range(1_000)}))

    assert answer["statusCode"] == 400
    assert len(said(answer)["fields"]) == 100


def test_an_endless_field_name_is_cut():
    answer = make(json.dumps({"x" * 50_000: 1}))

    assert said(answer)["fields"][0]["field"] == "x" * 100


def test_missing_headers_are_all_named():
    answer = ask(http_event())

    assert answer["statusCode"] == 400
    assert said(answer)["error"] == "MissingHeaders"
    assert said(answer)["missing"] == ["X-Site-Id", "X-User-Id"]


def test_an_empty_header_is_a_missing_one():
    answer = make(headers={"x-site-id": " "})

    assert said(answer)["missing"] == ["X-Site-Id"]


@pytest.mark.parametrize("name", ["X-Site-Id", "X-User-Id", "Idempotency-Key"])
@pytest.mark.parametrize("value", ["x" * 129, "a\x00b", "a\tb", "two words", "naïve"])
def test_a_header_that_is_endless_or_not_plain_text_is_named(name: str, value: str):
    answer = make(headers={name.lower(): value})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == name


@pytest.mark.parametrize("name", ["X-Site-Id", "X-User-Id", "Idempotency-Key"])
def test_a_key_that_slipped_into_a_header_is_refused_and_not_repeated(name: str):
    key = make_key("key_" + "0" * 32, secret=7).token

    answer = make(headers={name.lower(): key})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"] == [{"field": name, "message": "must not be an API key"}]
    assert key not in str(answer)


def test_an_empty_idempotency_key_is_refused():
    answer = make(headers={"idempotency-key": ""})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == "Idempotency-Key"


def test_an_endless_id_in_the_path_is_named():
    answer = make(path=f"/things/{'x' * 129}")

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == "thing_id"


@pytest.mark.parametrize("dots", [".", ".."])
def test_an_id_that_clients_drop_from_the_path_is_refused(dots: str):
    answer = make(path=f"/things/{dots}")

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["message"].endswith("and not . or ..")


@pytest.mark.parametrize("path", ["/things/a\x00b", "/things/a\nb", "/things/thing_1\n", "/things/\x7f"])
def test_control_characters_in_the_path_are_refused(path: str):
    answer = make(path=path)

    assert answer["statusCode"] == 400
    assert said(answer)["error"] == "InvalidRequest"


@pytest.mark.parametrize("sign", ["#", "?", '"', "\\", "`", "%", "<", "é", " "])
def test_an_id_with_a_character_that_no_id_has_is_named(sign: str):
    answer = make(path=f"/things/thing{sign}1")

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == "thing_id"


@pytest.mark.parametrize("path", ["/", "/things", "/things/", "/things/a/b", "/nowhere"])
def test_a_path_without_a_route_is_404(path: str):
    answer = make(path=path)

    assert answer["statusCode"] == 404
    assert said(answer)["error"] == "RouteNotFound"


def test_another_method_of_a_known_path_is_405_and_says_which_are_taken():
    answer = ask(http_event("DELETE"))

    assert answer["statusCode"] == 405
    assert said(answer)["error"] == "MethodNotAllowed"
    assert answer["headers"]["Allow"] == "GET, POST, PUT"


def test_a_key_without_the_scope_is_told_which_it_lacks():
    answer = make(caller={**CALLER, "scopes": "things:read"})

    assert answer["statusCode"] == 403
    assert said(answer)["error"] == "MissingScope"
    assert said(answer)["scope"] == "things:write"


def test_without_an_authorizers_word_nobody_is_let_in():
    answer = make(caller=None)

    assert said(answer)["error"] == "MissingScope"


def test_a_header_cannot_pose_as_the_authorizer():
    answer = make(caller=None, headers={"x-tenant-id": "tenant_demo", "scopes": "things:write"})

    assert answer["statusCode"] == 403


def test_who_may_not_ask_learns_nothing_of_a_right_request():
    answer = make('{"colour": "red"}', caller={**CALLER, "scopes": ""})

    assert said(answer)["error"] == "MissingScope"


def test_a_public_route_asks_for_no_key():
    answer = ask(http_event("GET", "/open", caller=None))

    assert said(answer)["data"] == {"known": False}


def test_an_unknown_fault_is_500_and_says_nothing_but_the_request_id():
    answer = ask(http_event(path="/broken"))

    assert answer["statusCode"] == 500
    assert said(answer) == {
        "success": False,
        "error": "InternalError",
        "message": "Something went wrong on our side. Tell us the request_id.",
        "request_id": "gateway-request-1",
    }


def test_a_spent_quota_is_told_in_the_body_and_in_the_headers():
    clock = Clock(datetime(2025, 12, 31, 23, 59, tzinfo=UTC))

    answer = ask(http_event(path="/spent"), env=env_without_a_world(now=clock.now))

    assert answer["statusCode"] == 429
    assert said(answer)["usage"] == {"used": 20, "limit": 20, "month": "2025-12", "tier": "free"}
    assert answer["headers"]["Retry-After"] == "60"
    assert answer["headers"]["RateLimit"] == '"month";r=0;t=60'
    assert answer["headers"]["RateLimit-Policy"] == f'"month";q=20;w={31 * 24 * 3600}'


def test_a_replayed_answer_says_so_and_not_what_was_left_then():
    answer = ask(http_event(path="/repeated"))

    assert answer["headers"]["Idempotent-Replayed"] == "true"
    assert said(answer)["usage"]["remaining"] == 5
    assert not {"RateLimit", "RateLimit-Policy"} & set(answer["headers"])


def test_a_function_s_routes_may_stand_in_several_modules():
    event = http_event("GET", "/things/thing_1", headers=SITE_AND_PERSON)

    answer = Routes(Routes(), routes)(event, Context(), env_without_a_world())

    assert said(answer)["data"] == {"id": "thing_1"}
