"""What CloudFormation is told of the migrations: something, whatever happens, and once."""

import json
from typing import Any

import pytest

from functions.migrate.app import handler
from millrace import env as environment
from millrace import migrations
from millrace.env import Config, Env
from millrace.errors import DatabaseUnavailable, StackUnavailable
from tests.bindings.loopback import QuietHandler, serving
from tests.databases import MIGRATIONS, FreshDatabase
from tests.events import Context
from tests.functions.cloudformation import Answers, env_of, event

# In no test does it come to that: whoever waits this long has been forgotten.
FOREVER = 60


def test_a_database_that_never_answers_stops_the_deployment(answers: Answers, monkeypatch):
    def sleep(*_args: Any, **_named: Any) -> Any:
        raise DatabaseUnavailable

    monkeypatch.setattr(migrations, "read_plan", sleep)
    env = Env(Config("sqlite:////nowhere.db", migrations_folder=str(MIGRATIONS)), STACK=answers)
    handler(event(), Context(), env=env)

    assert answers.last["Status"] == "FAILED"


def test_an_error_that_may_quote_data_is_told_by_its_name_alone(
    database: FreshDatabase, answers: Answers, monkeypatch
):
    def fail(*_args: Any, **_named: Any) -> None:
        raise ValueError("Robin Example, 6,500.00 USD")

    monkeypatch.setattr(migrations, "read_plan", fail)
    handler(event(), Context(), env=env_of(database, answers=answers))

    assert answers.last["Reason"] == "ValueError (log: request lambda-request-1)"


@pytest.mark.parametrize(
    ("request_type", "status", "reason"),
    [
        ("Create", "FAILED", "DATABASE_URL is missing (log: request lambda-request-1)"),
        ("Update", "FAILED", "DATABASE_URL is missing (log: request lambda-request-1)"),
        ("Delete", "SUCCESS", "done"),
    ],
)
def test_without_a_valid_configuration_cloudformation_is_still_answered(
    monkeypatch, request_type: str, status: str, reason: str
):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(
        environment, "read_environment", environment.cache(environment.read_environment.__wrapped__)
    )
    heard: list[dict[str, Any]] = []

    class Hears(QuietHandler):
        def respond(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(200)

    with serving(Hears) as address:
        handler(event(request_type) | {"ResponseURL": address}, Context())

    (answer,) = heard
    assert (answer["Status"], answer["RequestId"]) == (status, "request-1")
    assert answer["Reason"].endswith(reason)


def test_a_database_out_of_reach_is_named_without_its_password(answers: Answers):
    config = Config("postgresql://owner:opensesame@127.0.0.1:1/none", migrations_folder=str(MIGRATIONS))

    handler(event(), Context(), env=Env(config, STACK=answers))

    assert answers.last["Status"] == "FAILED"
    assert answers.last["Reason"].startswith("The database does not answer (connect: ")
    assert "opensesame" not in answers.last["Reason"]


def test_a_deployment_that_its_function_s_time_does_not_allow_is_answered_before_that_is_up(
    database: FreshDatabase, answers: Answers, monkeypatch
):
    read_plan = migrations.read_plan

    def wait_for_a_runner(*args: Any, **named: Any) -> Any:
        assert answers.came.wait(FOREVER)
        return read_plan(*args, **named)

    monkeypatch.setattr(migrations, "read_plan", wait_for_a_runner)
    handler(event(), Context(milliseconds_left=59_000), env=env_of(database, answers=answers))

    ((_, answer),) = answers.heard
    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("The migrations take longer than this function may.")


def test_an_answer_before_the_time_is_up_that_was_not_heard_is_given_at_the_end(
    database: FreshDatabase, monkeypatch, capsys
):
    class HardOfHearing(Answers):
        def answer(self, url: str, answer: dict[str, Any]) -> None:
            super().answer(url, answer)
            if len(self.heard) == 1:
                raise StackUnavailable("CloudFormation was not reached")

    answers, read_plan = HardOfHearing(), migrations.read_plan

    def wait_for_a_runner(*args: Any, **named: Any) -> Any:
        assert answers.came.wait(FOREVER)
        return read_plan(*args, **named)

    monkeypatch.setattr(migrations, "read_plan", wait_for_a_runner)
    handler(event(), Context(milliseconds_left=0), env=env_of(database, answers=answers))

    assert [answer["Status"] for _, answer in answers.heard] == ["FAILED", "SUCCESS"]
    assert "CloudFormation was not reached" in capsys.readouterr().out


def test_the_same_event_again_does_nothing_more_and_is_answered_alike(
    empty_database: FreshDatabase, answers: Answers
):
    env = env_of(empty_database, answers=answers)

    applied = []
    for _ in range(3):
        handler(event(), Context(), env=env)
        applied.append(migrations.status(empty_database.url, folder=MIGRATIONS).applied)

    assert answers.heard == answers.heard[:1] * 3
    assert applied == applied[:1] * 3


def test_who_cannot_be_answered_is_a_fault(database: FreshDatabase):
    class Deaf:
        def answer(self, _url: str, _answer: dict[str, Any]) -> None:
            raise StackUnavailable("CloudFormation was not reached")

    with pytest.raises(StackUnavailable):
        handler(event(), Context(), env=Env(env_of(database, answers=Answers()).config, STACK=Deaf()))
