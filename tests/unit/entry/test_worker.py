"""Which handler an event is for, and what Lambda is told."""

import json
from contextlib import suppress
from typing import Any

import pytest

from millrace import entry
from millrace.domain.callers import Caller
from millrace.entry import Message, Tick
from millrace.env import Env
from millrace.errors import DatabaseUnavailable
from tests.events import Context, env_without_a_world, read_event

CALLER = Caller(
    "tenant_demo", "user_demo", "key_demo", frozenset({"evaluations:write", "evaluations:read"}), "pro"
)

AUTHORIZER = read_event("authorize/known_key")
HTTP = read_event("create_job/minimal")
QUEUE = read_event("run_job/doorbell")
SCHEDULE = read_event("job_pickup/every_minute")


class Noting:
    """A handler for any shape of event, which notes what it was asked."""

    def __init__(self, answer: Any = None, *, error: Exception | None = None):
        self.answer, self.error, self.asked = answer, error, []

    def __call__(self, *given: Any) -> Any:
        self.asked.append(given)
        if self.error:
            raise self.error
        return self.answer


def give(event: dict[str, Any], *, context: Context | None = None, **handlers: Noting) -> dict[str, Any]:
    return entry.worker(**handlers)(event, context or Context(), env=env_without_a_world())


@pytest.mark.parametrize("event", [{}, {"schedule": "pickup"}, SCHEDULE, {"source": "aws.events"}])
def test_what_a_schedule_sends_is_a_tick(event: dict[str, Any]):
    scheduled = Noting()

    answer = give(event, scheduled=scheduled, context=Context(milliseconds_left=2_500))

    ((tick, env),) = scheduled.asked
    assert answer == {}
    assert isinstance(tick, Tick)
    assert isinstance(env, Env)
    assert tick.remaining_seconds() == 2.5
    assert tick.worker_id == "a_function/lambda-request-1"


def test_an_http_request_goes_to_fetch():
    fetch = Noting({"statusCode": 200})

    assert give(HTTP, fetch=fetch) == {"statusCode": 200}
    assert fetch.asked[0][0] is HTTP


def test_each_message_of_a_queue_is_a_permit_for_its_kind():
    queue = Noting()

    answer = give(QUEUE, queue=queue, context=Context(milliseconds_left=60_000))

    ((message, _),) = queue.asked
    assert answer == {"batchItemFailures": []}
    assert isinstance(message, Message)
    assert message.kind == "evaluation"
    assert message.remaining_seconds() == 60


def batch(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"message_{place}", "body": body, "eventSource": "aws:sqs"}
            for place, body in enumerate(bodies)
        ]
    }


@pytest.mark.parametrize("error", [DatabaseUnavailable(), KeyError("unforeseen")])
def test_only_the_messages_that_failed_are_given_back(error: Exception):
    def queue(message: Message, env: Env) -> None:
        if message.kind == "story":
            raise error

    answer = entry.worker(queue=queue)(
        batch('{"kind": "evaluation"}', '{"kind": "story"}', '{"kind": "export"}'),
        Context(),
        env_without_a_world(),
    )

    assert answer == {"batchItemFailures": [{"itemIdentifier": "message_1"}]}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"kind": null}',
        '{"kind": ""}',
        json.dumps({"kind": "x" * 41}),
        "[" * 100_000,
    ],
)
def test_a_message_that_is_none_of_ours_is_ignored_for_good(body: str):
    queue = Noting()

    answer = give(batch(body), queue=queue)

    assert answer == {"batchItemFailures": []}
    assert queue.asked == []


def test_a_known_key_is_let_in_with_its_caller_as_context():
    authorize = Noting(CALLER)

    answer = give(AUTHORIZER, authorize=authorize)

    assert authorize.asked[0][0] == "test-token"
    assert answer == {
        "isAuthorized": True,
        "context": {
            "tenant_id": "tenant_demo",
            "user_id": "user_demo",
            "key_id": "key_demo",
            "scopes": "evaluations:read evaluations:write",
            "tier": "pro",
        },
    }


def test_the_context_of_the_authorizer_reads_back_as_the_same_caller():
    assert Caller.of_context(CALLER.to_context()) == CALLER


def test_an_unknown_key_is_refused():
    assert give(AUTHORIZER, authorize=Noting(None)) == {"isAuthorized": False}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_the_scheme_is_known_however_it_is_written(scheme: str):
    authorize = Noting(CALLER)

    give({**AUTHORIZER, "identitySource": [f"{scheme}mrk_abc.DEF-1~2+3/4=="]}, authorize=authorize)

    assert authorize.asked[0][0] == "mrk_abc.DEF-1~2+3/4=="


@pytest.mark.parametrize(
    "source",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Basic bm9ib2R5"],
        ["test-token"],
        ["Bearer two words"],
        ["Bearer a,Bearer b"],
        ["Bearer naïve"],
        ["Bearer a\x00"],
        ["Bearer a\n"],
        ["Bearer ' OR 1=1 --"],
        ["Bearer " + "x" * 257],
        ["Bearer " + " " * 100_000 + "x"],
    ],
)
def test_what_is_no_bearer_token_is_refused_without_a_look_at_the_database(source: list[str]):
    authorize = Noting(CALLER)

    answer = give({**AUTHORIZER, "identitySource": source}, authorize=authorize)

    assert answer == {"isAuthorized": False}
    assert authorize.asked == []


@pytest.mark.parametrize(
    ("headers", "logged"), [({}, "gateway-request-1"), ({"x-request-id": "mine-1"}, "mine-1")]
)
@pytest.mark.parametrize("handler", [Noting(None), Noting(error=DatabaseUnavailable())])
def test_what_an_authorizer_logs_is_found_by_the_request_s_own_id(headers, logged, handler, capsys):
    request = {**AUTHORIZER["requestContext"], "requestId": "gateway-request-1"}
    event = {**AUTHORIZER, "headers": headers, "requestContext": request}

    with suppress(DatabaseUnavailable):
        give(event, authorize=handler)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line.get("message") in ("caller_refused", "fault")]
    assert line["request_id"] == logged


def test_an_authorizer_without_a_database_says_neither_yes_nor_no():
    with pytest.raises(DatabaseUnavailable):
        give(AUTHORIZER, authorize=Noting(error=DatabaseUnavailable()))


@pytest.mark.parametrize(
    ("event", "handlers"),
    [
        (HTTP, {"queue": Noting()}),
        (QUEUE, {"fetch": Noting()}),
        (AUTHORIZER, {"fetch": Noting()}),
        (SCHEDULE, {"fetch": Noting()}),
        ({"Records": [{"eventSource": "aws:s3"}]}, {"queue": Noting(), "scheduled": Noting()}),
        ({"Records": []}, {"queue": Noting(), "scheduled": Noting()}),
        ({"requestContext": {"routeKey": "$connect"}}, {"fetch": Noting(), "scheduled": Noting()}),
    ],
)
def test_an_event_of_a_shape_the_function_has_no_handler_for_is_an_error(
    event: dict[str, Any], handlers: Any
):
    with pytest.raises(TypeError, match=r"takes no|no function takes"):
        give(event, **handlers)

    assert all(not handler.asked for handler in handlers.values())


def test_what_lambda_prints_of_an_unforeseen_error_quotes_no_document():
    with pytest.raises(RuntimeError) as raised:
        give(SCHEDULE, scheduled=Noting(error=ValueError("pay slip of Robin Example")))

    assert str(raised.value) == "ValueError: see the log line `fault`"
    assert raised.value.__suppress_context__
