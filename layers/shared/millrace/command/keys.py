"""`millrace keys …`: API keys."""

import argparse

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands, add_noun, at_least_one
from millrace.domain.callers import SCOPES, USUAL_SCOPES


def add_to(commands: Commands) -> None:
    keys = add_noun(commands, "keys", says="API keys")
    issue = add_operation(
        keys,
        "issue",
        run=run_issue,
        says="make a key and show it, once",
        more="Only a hash of it is kept: whoever loses a key is issued another.",
    )
    issue.add_argument("--tenant", required=True, metavar="ID", help="whose data it opens")
    issue.add_argument("--user", required=True, metavar="ID", help="who answers for it")
    issue.add_argument("--name", required=True, help="what it is for, in a person's words")
    issue.add_argument(
        "--scope",
        action="append",
        metavar="SCOPE",
        help=f"{', '.join(SCOPES)}: say it again for more; default {', '.join(USUAL_SCOPES)}",
    )
    issue.add_argument("--tier", default="pro", help="free, pro (the default) or enterprise")
    issue.add_argument("--test", action="store_true", help="mark it mrk_test_ instead of mrk_live_")
    issue.add_argument("--days", type=at_least_one, metavar="N", help="let it expire; default never")


def run_issue(given: argparse.Namespace) -> int:
    facts = perform(
        given,
        "keys issue",
        tenant_id=given.tenant,
        user_id=given.user,
        name=given.name,
        scopes=given.scope or list(USUAL_SCOPES),
        tier=given.tier,
        mode="test" if given.test else "live",
        days=given.days,
    )
    show(facts)
    print("\nKeep the key now: it is not shown again.")
    return 0
