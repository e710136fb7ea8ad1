"""`millrace redrive`: dead letters back into their queues."""

import argparse

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands

NO_QUEUES = (
    "There are no dead letters here: the local doorbell delivers again by itself, and the schedule rings for "
    "whatever waits."
)


def add_to(commands: Commands) -> None:
    add_operation(
        commands,
        "redrive",
        run=run_redrive,
        says="put the doorbells' dead letters back",
        more="A message carries no job, and the schedule rings for what waits: this only clears the alarm.",
    )


def run_redrive(given: argparse.Namespace) -> int:
    facts = perform(given, "redrive")
    put_back, not_put_back = facts["put_back"], facts["not_put_back"]
    if not (put_back or not_put_back):
        print(NO_QUEUES)
        return 0
    went = {kind: to_words(count) for kind, count in put_back.items()}
    show(went | {kind: f"failed: {why}" for kind, why in not_put_back.items()})
    return 1 if not_put_back else 0


def to_words(count: int) -> str:
    """SQS counts its messages roughly."""
    if count == 0:
        return "no dead letters"
    return "1 message goes back" if count == 1 else f"about {count} messages go back"
