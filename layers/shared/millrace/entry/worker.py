"""One function as Lambda calls it: which handler an event is for, and what that handler's answer becomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from millrace import env as environment
from millrace.entry.authorizer import Authorize, answer_authorizer
from millrace.entry.commands import Command, answer_command
from millrace.entry.doorbell import OnMessage, answer_queue, is_from_queue
from millrace.entry.invocation import LambdaContext, Tick
from millrace.entry.logs import is_speakable, log_fault, saying, set_level
from millrace.entry.metrics import count, set_namespace
from millrace.entry.request import read_request_id
from millrace.entry.stack import Deploy, answer_stack
from millrace.env import Env

Function = TypeVar("Function", bound=Callable[..., Any])

Event = Mapping[str, Any]
Fetch = Callable[[Event, LambdaContext, Env], dict[str, Any]]
Scheduled = Callable[[Tick, Env], None]


@dataclass(frozen=True)
class Worker:
    """One callable for each shape of event that a function is given."""

    fetch: Fetch | None = None
    scheduled: Scheduled | None = None
    queue: OnMessage | None = None
    authorize: Authorize | None = None
    command: Command | None = None
    deploy: Deploy | None = None

    def __call__(self, event: Event, context: LambdaContext, env: Env | None = None) -> dict[str, Any]:
        """Answer an event. Without `env` the process's own is used, which is built at its first event."""
        request_id = read_request_id(event, otherwise=context.aws_request_id)
        with saying(request_id=request_id, function=context.function_name):
            try:
                if "ResponseURL" in event:
                    return self._answer_stack(event, context, env)
                return self._answer(event, context, prepare(env))
            except Exception as error:
                log_fault(error)
                count("Faults")
                if is_speakable(error):
                    raise
                # Lambda prints what leaves here, and the words of such an error may quote a document.
                raise RuntimeError(f"{type(error).__name__}: see the log line `fault`") from None

    def _answer(self, event: Event, context: LambdaContext, env: Env) -> dict[str, Any]:
        # An authorizer is told of the HTTP request as well, so its event is told apart first.
        if event.get("type") == "REQUEST" and "identitySource" in event:
            authorize = wanted(self.authorize, shape="authorizer")
            return answer_authorizer(event, env=env, authorize=authorize)
        if "http" in event.get("requestContext", {}):
            return wanted(self.fetch, shape="HTTP")(event, context, env)
        if is_from_queue(event):
            on_message = wanted(self.queue, shape="queue")
            return answer_queue(event, context=context, env=env, on_message=on_message)
        if "command" in event:
            return answer_command(event, env=env, command=wanted(self.command, shape="command"))
        if "Records" in event or "requestContext" in event:
            raise TypeError("no function takes events of this shape")
        # EventBridge sends what the schedule was configured to send, so anything else is a schedule.
        wanted(self.scheduled, shape="schedule")(Tick(context), env)
        return {}

    def _answer_stack(self, event: Event, context: LambdaContext, env: Env | None) -> dict[str, Any]:
        # Before there is an env: CloudFormation waits for an answer even where none can be built.
        stack = env.STACK if env else environment.reach_stack()
        deploy = wanted(self.deploy, shape="CloudFormation")
        return answer_stack(
            event, context=context, tell=stack.answer, find_env=lambda: prepare(env), deploy=deploy
        )


def prepare(env: Env | None) -> Env:
    """The env of this event, with logs and counts as it wants them."""
    env = env or environment.current()
    set_level(env.config.log_level)
    set_namespace(env.config.metrics_namespace)
    return env


def wanted(function: Function | None, *, shape: str) -> Function:
    if function is None:
        raise TypeError(f"this function takes no {shape} events")
    return function


def worker(
    *,
    fetch: Fetch | None = None,
    scheduled: Scheduled | None = None,
    queue: OnMessage | None = None,
    authorize: Authorize | None = None,
    command: Command | None = None,
    deploy: Deploy | None = None,
) -> Worker:
    """What a function names `handler`, and Lambda calls."""
    return Worker(fetch, scheduled, queue, authorize, command, deploy)
