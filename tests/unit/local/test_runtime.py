"""Functions run in process: their context, their failures, and the end."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from local.intrinsics import TemplateInvalid
from local.runtime import Context, FunctionFailed, Runtime
from local.template import Template
from tests.unit.local.conftest import Stopwatch


class NoRoster:
    """Notes nobody."""

    def enter(self, worker_id: str) -> None: ...

    def leave(self, worker_id: str) -> None: ...


def runtime_of(
    template: Template, handler: Any, *, clock: Stopwatch | None = None, roster: Any = None
) -> Runtime:
    runtime = Runtime(
        {"Echo": template.functions["Echo"]},
        env_of=lambda function: "env",
        roster=roster or NoRoster(),
        clock=clock or Stopwatch(),
    )
    runtime._handlers["Echo"] = handler
    return runtime


def test_a_handler_is_given_event_context_and_env(template: Template):
    given: list[Any] = []
    runtime = runtime_of(template, lambda event, context, env: given.extend([event, context, env]))

    runtime.invoke("Echo", {"a": 1})

    event, context, env = given
    assert (event, env) == ({"a": 1}, "env")
    assert context.function_name == "Echo"
    assert context.memory_limit_in_mb == "256"
    assert context.invoked_function_arn == "arn:aws:lambda:us-east-1:123456789012:function:Echo"
    assert len(context.aws_request_id) == 36


def test_the_remaining_time_runs_down_from_the_templates_timeout(template: Template):
    clock = Stopwatch()
    context = Context(template.functions["Echo"], clock=clock)

    assert context.get_remaining_time_in_millis() == 30_000
    clock.seconds = 12.5
    assert context.get_remaining_time_in_millis() == 17_500
    clock.seconds = 31
    assert context.get_remaining_time_in_millis() == 0


def test_what_raises_has_failed(template: Template):
    def handler(event: Any, context: Any, env: Any) -> None:
        raise ValueError("as asked")

    with pytest.raises(FunctionFailed, match="as asked"):
        runtime_of(template, handler).invoke("Echo", {})


def test_what_json_cannot_say_is_a_failure(template: Template):
    with pytest.raises(FunctionFailed):
        runtime_of(template, lambda event, context, env: {1, 2}).invoke("Echo", {})


def test_event_and_answer_are_copies_as_on_the_way_to_lambda(template: Template):
    event = {"list": [1]}

    answer = runtime_of(template, lambda event, context, env: event).invoke("Echo", event)

    assert answer == event
    assert answer["list"] is not event["list"]


def test_stopping_tells_what_runs_that_its_time_is_up_and_waits_for_it(template: Template):
    clock = Stopwatch()
    running, told = threading.Event(), threading.Event()
    left: list[int] = []

    def handler(event: Any, context: Context, env: Any) -> None:
        running.set()
        told.wait(5)
        left.append(context.get_remaining_time_in_millis())

    runtime = runtime_of(template, handler, clock=clock)
    future = runtime.start("Echo", {})
    assert running.wait(5)
    threading.Timer(0.05, told.set).start()

    unfinished = runtime.stop(grace_seconds=8)

    assert unfinished == 0
    assert future.done()
    assert left == [4000]


def test_what_does_not_end_in_time_is_counted(template: Template):
    running, end = threading.Event(), threading.Event()

    def handler(event: Any, context: Context, env: Any) -> None:
        running.set()
        end.wait(5)

    runtime = runtime_of(template, handler)
    runtime.start("Echo", {})
    assert running.wait(5)

    assert runtime.stop(grace_seconds=0) == 1
    end.set()


class BrokenRoster:
    """Its folder is away."""

    def enter(self, worker_id: str) -> None:
        raise FileNotFoundError("no folder")

    def leave(self, worker_id: str) -> None: ...


def test_an_invocation_that_cannot_be_noted_has_failed_like_any_other(template: Template):
    runtime = runtime_of(template, lambda event, context, env: "not run", roster=BrokenRoster())

    with pytest.raises(FunctionFailed, match="no folder"):
        runtime.invoke("Echo", {})

    assert runtime.stop(grace_seconds=0) == 0


@pytest.mark.parametrize(
    ("module", "handler"), [("functions.nowhere.app", "handler"), ("functions.authorize.app", "nothing")]
)
def test_a_function_that_cannot_be_imported_is_named(template: Template, module: str, handler: str):
    missing = replace(template.functions["Echo"], module=module, handler=handler)

    with pytest.raises(TemplateInvalid, match=rf"Echo: {module}\.{handler} cannot be imported"):
        Runtime({"Echo": missing}, env_of=lambda function: "env", roster=NoRoster())
