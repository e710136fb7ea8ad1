"""`millrace jobs …`: what there is, what happened to one, once more, no more."""

import argparse

from millrace.command.arms import add_operation, perform, show, show_table
from millrace.command.options import Commands, add_noun, at_least_one

LISTED = ("id", "status", "tenant_id", "attempt", "retry_count", "created_at", "error_code")
HAPPENED = ("created_at", "move", "attempt", "detail")


def add_to(commands: Commands) -> None:
    jobs = add_noun(commands, "jobs", says="jobs: list, show, retry, cancel")
    listed = add_operation(jobs, "list", run=run_list, says="the newest jobs of a kind")
    listed.add_argument("--kind", default="evaluation", help="default evaluation")
    listed.add_argument("--status", help="only those in this state")
    listed.add_argument("--limit", type=at_least_one, default=20, metavar="N", help="default 20, at most 100")
    shown = add_operation(jobs, "show", run=run_show, says="a job's row and all that happened to it")
    again = add_operation(
        jobs, "retry", run=run_retry, says="run a failed job again", more="It is charged anew."
    )
    ended = add_operation(jobs, "cancel", run=run_cancel, says="end a job that waits or runs")
    for one in (shown, again, ended):
        one.add_argument("job_id", metavar="JOB")


def run_list(given: argparse.Namespace) -> int:
    facts = perform(given, "jobs list", kind=given.kind, status=given.status, limit=given.limit)
    return show_table(facts["jobs"], columns=LISTED)


def run_show(given: argparse.Namespace) -> int:
    facts = perform(given, "jobs show", job_id=given.job_id)
    show(facts["job"])
    print()
    return show_table(facts["events"], columns=HAPPENED)


def run_retry(given: argparse.Namespace) -> int:
    return show(perform(given, "jobs retry", job_id=given.job_id))


def run_cancel(given: argparse.Namespace) -> int:
    return show(perform(given, "jobs cancel", job_id=given.job_id))
