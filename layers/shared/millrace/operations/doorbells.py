"""Doorbell messages that could not be delivered. They carry no job: putting them back only saves time."""

from typing import Any

from millrace.domain.jobs import JOB_TABLES
from millrace.env import Env
from millrace.errors import QueueUnavailable


def redrive(env: Env) -> dict[str, Any]:
    """Put the dead letters of every kind back into its queue: about how many went, or why they did not.

    The schedule's own are no job's: each is a minute that is over, and nothing is to be done about it.
    """
    put_back: dict[str, int] = {}
    not_put_back: dict[str, str] = {}
    for kind in JOB_TABLES if env.QUEUE.configured else ():
        try:
            put_back[kind] = env.QUEUE.redrive(kind)
        except QueueUnavailable as error:
            not_put_back[kind] = str(error)
    return {"put_back": put_back, "not_put_back": not_put_back}
