"""Doorbell messages that could not be delivered. They carry no job: putting them back only saves time."""

from typing import Any

from millrace.domain.jobs import JOB_TABLES
from millrace.env import Env


def redrive(env: Env) -> dict[str, Any]:
    """Put the dead letters of every kind back into its queue."""
    return {"put_back": {kind: env.QUEUE.redrive(kind) for kind in JOB_TABLES}}
