"""Waiting for one's turn: a database is one runner's at a time."""

from collections.abc import Callable

from millrace.errors import MigrationFailed
from millrace.migrations.targets import Report

# A try that is in vain has waited for this long itself, in the database: so nobody looks at a clock here.
TRY_SECONDS = 0.1
# Two seconds, and ten minutes: the function that migrates on deployment has fourteen.
TRIES_IN_SILENCE = 20
MOST_TRIES = 6_000


def wait_for_turn(take: Callable[[], bool], *, report: Report) -> None:
    """Try until `take` had its way. MigrationFailed when that lasts too long."""
    for tried in range(MOST_TRIES):
        if take():
            return
        if tried == TRIES_IN_SILENCE - 1:
            report("A runner, a copy or a writer is at work on the database: waiting for it")
    raise MigrationFailed(
        "a runner, a copy or a writer has been at work on the database for ten minutes:"
        " run this again when it has ended"
    )
