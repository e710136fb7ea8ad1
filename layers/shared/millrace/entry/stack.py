"""CloudFormation's custom resource: told of a deployment, it answers, whatever happens."""

from collections.abc import Callable, Mapping
from typing import Any

from millrace.entry.logs import log, log_fault
from millrace.entry.metrics import count
from millrace.env import Env
from millrace.errors import MillraceError

Deploy = Callable[[Env], None]

# One for all time: another would tell CloudFormation to delete what had the old one.
RESOURCE_ID = "migrations"
LONGEST_REASON = 1_000


def answer_stack(event: Mapping[str, Any], *, env: Env, deploy: Deploy) -> dict[str, Any]:
    """Deploy if this is a step forward, and say how it went. CloudFormation waits an hour for no answer."""
    reason = None
    try:
        if is_step_forward(event):
            deploy(env)
    except Exception as error:  # noqa: BLE001 - answered as a failure, which rolls the deployment back
        log_fault(error)
        count("MigrationsFailed")
        reason = describe(error)
    status = "FAILED" if reason else "SUCCESS"
    env.STACK.answer(event["ResponseURL"], {**echo(event), "Status": status, "Reason": reason or "done"})
    log("stack_answered", request=event["RequestType"], status=status)
    return {}


def is_step_forward(event: Mapping[str, Any]) -> bool:
    """Neither a deletion nor the way back of an update: then CloudFormation asks for the earlier version."""
    if event["RequestType"] == "Delete":
        return False
    before = read_version(event.get("OldResourceProperties", {}))
    return read_version(event["ResourceProperties"]) >= before


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
    words = str(error) if isinstance(error, MillraceError) else f"{type(error).__name__}, see the log"
    return words[:LONGEST_REASON]
