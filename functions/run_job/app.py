"""SQS doorbell: claim what is due and run it."""

from millrace import entry
from millrace.domain.jobs import JOB_TABLES
from millrace.entry import Message
from millrace.env import Env
from millrace.workloads.runner import run_one


def run(message: Message, env: Env) -> None:
    """A message is a permit for one job of its kind, whichever is due."""
    if message.kind not in JOB_TABLES:
        entry.log("message_ignored", kind=message.kind)
        return
    seconds_left = message.remaining_seconds
    ending = run_one(message.kind, env, worker_id=message.worker_id, seconds_left=seconds_left)
    if ending:
        entry.report(ending, kind=message.kind, now=env.now())


handler = entry.worker(queue=run)
