"""`millrace redrive`: dead letters back into their queues."""

import argparse

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands


def add_to(commands: Commands) -> None:
    add_operation(
        commands,
        "redrive",
        run=run_redrive,
        says="put the doorbells' dead letters back",
        more="A message carries no job, and the schedule rings for what waits: this only clears the alarm.",
    )


def run_redrive(given: argparse.Namespace) -> int:
    return show(perform(given, "redrive")["put_back"])
