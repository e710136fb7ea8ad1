"""Messages of the doorbell: read one by one, and only those given back that are worth another try."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from millrace.entry.invocation import LambdaContext, Message
from millrace.entry.logs import log, log_fault
from millrace.entry.metrics import count
from millrace.env import Env

LONGEST_KIND = 40


Event = Mapping[str, Any]
OnMessage = Callable[[Message, Env], None]


def is_from_queue(event: Event) -> bool:
    records = event.get("Records") or []
    return bool(records) and all(record.get("eventSource") == "aws:sqs" for record in records)


def answer_queue(event: Event, *, context: LambdaContext, env: Env, on_message: OnMessage) -> dict[str, Any]:
    """What SQS shall deliver again: what failed for a reason that may pass. A job's failure is none."""
    failed = []
    for record in event["Records"]:
        kind = read_kind(record.get("body") or "")
        if kind is None:
            # It will never mean more than it does now, and the schedule rings anyway.
            log("message_ignored", message_id=record["messageId"])
        elif not _succeeds(Message(context, kind), env=env, on_message=on_message):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _succeeds(message: Message, *, env: Env, on_message: OnMessage) -> bool:
    try:
        on_message(message, env)
    except Exception as error:  # noqa: BLE001  # whatever it was, the other messages go on
        log_fault(error)
        count("Faults")
        return False
    return True


def read_kind(body: str) -> str | None:
    """The kind of work a message rings for. None when it is no message of ours."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    kind = message.get("kind") if isinstance(message, dict) else None
    return kind if isinstance(kind, str) and 0 < len(kind) <= LONGEST_KIND else None
