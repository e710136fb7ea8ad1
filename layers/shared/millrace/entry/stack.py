"""CloudFormation's custom resource: told of a deployment, it answers, whatever happens."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

from millrace.entry.invocation import LambdaContext
from millrace.entry.logs import log, log_fault
from millrace.entry.metrics import count
from millrace.env import Env
from millrace.errors import DatabaseUnavailable, MillraceError

Deploy = Callable[[Env], None]
# To whom, and what.
Tell = Callable[[str, Mapping[str, Any]], None]

# One for all time: another would tell CloudFormation to delete what had the old one.
RESOURCE_ID = "migrations"
LONGEST_REASON = 1_000
# So long before its end a function stops hoping: the answer itself may take several tries.
ANSWERING_SECONDS = 60
TOO_LONG = (
    "The migrations take longer than this function may. The one at work is finished or undone as a whole; "
    "deploy again to go on, or run them by hand."
)


def answer_stack(
    event: Mapping[str, Any],
    *,
    context: LambdaContext,
    tell: Tell,
    find_env: Callable[[], Env],
    deploy: Deploy,
) -> dict[str, Any]:
    """Deploy if this is a step forward, and say how it went. Without an answer CloudFormation would wait.

    Env is found by the way: one that cannot be built is a failure like any other, and a deletion needs none.
    """
    reply = Reply(event, context=context, tell=tell)
    problem = None
    try:
        if is_step_forward(event):
            env = find_env()
            with giving_up_in_time(reply, context=context):
                deploy(env)
    except Exception as error:  # noqa: BLE001 - answered as a failure, which rolls the deployment back
        log_fault(error)
        problem = describe(error)
    reply.give(problem)
    return {}


class Reply:
    """The one answer to an event: from the end of the deployment or from its deadline, whichever is first."""

    def __init__(self, event: Mapping[str, Any], *, context: LambdaContext, tell: Tell):
        self._event = event
        self._request_id = context.aws_request_id
        self._tell = tell
        self._giving = threading.Lock()
        self._given = False

    def give(self, problem: str | None) -> None:
        """Nothing after the first time. `problem` None: it went well."""
        with self._giving:
            if self._given:
                return
            status = "FAILED" if problem else "SUCCESS"
            reason = f"{problem[:LONGEST_REASON]} (log: request {self._request_id})" if problem else "done"
            self._tell(self._event["ResponseURL"], {**echo(self._event), "Status": status, "Reason": reason})
            self._given = True
            if problem:
                count("MigrationsFailed")
            log("stack_answered", request=self._event["RequestType"], status=status)

    def give_up(self) -> None:
        """What cannot be told now is told at the end, should there be one."""
        try:
            self.give(TOO_LONG)
        except MillraceError as error:
            log_fault(error)


@contextmanager
def giving_up_in_time(reply: Reply, *, context: LambdaContext) -> Iterator[None]:
    """Lambda ends a function without a word to it, so the failure is told while there is time.

    The work goes on meanwhile: to return would freeze it where it stands, with its locks in its hands.
    """
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWERING_SECONDS
    # In this context its lines say which request they are of.
    watch = threading.Timer(max(0.0, seconds), copy_context().run, [reply.give_up])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def is_step_forward(event: Mapping[str, Any]) -> bool:
    """The first deployment, or one with a later version of the migrations than the one before.

    Any other update changed another property, or is a way back, which asks for the version before.
    """
    if event["RequestType"] != "Update":
        return bool(event["RequestType"] == "Create")
    before = read_version(event.get("OldResourceProperties", {}))
    return read_version(event["ResourceProperties"]) > before


def read_version(properties: Mapping[str, Any]) -> int:
    """The number at the end of the layer's ARN, which grows with every version that is made of it."""
    number = str(properties.get("Version", "")).rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def echo(event: Mapping[str, Any]) -> dict[str, str]:
    """What CloudFormation knows its question by."""
    names = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    return {**names, "PhysicalResourceId": event.get("PhysicalResourceId", RESOURCE_ID)}


def describe(error: Exception) -> str:
    """Our own errors speak for themselves; the words of others may quote data, and stay in the log."""
    if isinstance(error, DatabaseUnavailable) and error.cause:
        return f"The database does not answer ({error.cause})."
    return str(error) if isinstance(error, MillraceError) else type(error).__name__
