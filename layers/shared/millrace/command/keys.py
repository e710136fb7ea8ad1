"""`millrace keys …`: API keys."""

import argparse

from millrace.command.arms import add_operation, perform, show
from millrace.command.options import Commands, add_noun, at_least_one
from millrace.command.pages import add_page, show_page
from millrace.domain.callers import SCOPES, USUAL_SCOPES
from millrace.domain.keys import MOST_DAYS, MOST_GRACE_HOURS, USUAL_GRACE_HOURS

LISTED = (
    "id",
    "tenant_id",
    "user_id",
    "name",
    "quota_tier",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
)
SHOWN_ONCE = "\nKeep the key now: it is not shown again."


def add_to(commands: Commands) -> None:
    keys = add_noun(commands, "keys", says="API keys: issue, list, revoke, rotate")
    add_issue(keys)
    listed = add_operation(
        keys,
        "list",
        run=run_list,
        says="the newest keys",
        more="Also those that are revoked or have expired.",
    )
    listed.add_argument("--tenant", metavar="ID", help="only this tenant's")
    add_page(listed)
    revoked = add_operation(
        keys,
        "revoke",
        run=run_revoke,
        says="end a key for good",
        more="API Gateway lets it in until it forgets that it did: AuthorizerTtlSeconds.",
    )
    rotated = add_operation(
        keys,
        "rotate",
        run=run_rotate,
        says="replace a key by a new one with the same rights, and show that, once",
        more="The old one lives on for a while, so that its users can change over. With 0 hours it ends as "
        "one that is revoked does: when API Gateway forgets that it let it in.",
    )
    rotated.add_argument(
        "--grace-hours",
        type=whole_hours,
        default=USUAL_GRACE_HOURS,
        metavar="N",
        help=f"for how long the old one lives on: 0 to {MOST_GRACE_HOURS}, default {USUAL_GRACE_HOURS}",
    )
    for one in (revoked, rotated):
        one.add_argument("key_id", metavar="KEY", help="its id, such as key_018f…")


def add_issue(keys: Commands) -> None:
    issue = add_operation(
        keys,
        "issue",
        run=run_issue,
        says="make a key and show it, once",
        more="Only a hash of it is kept: whoever loses a key rotates it, or is issued another.",
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
    issue.add_argument(
        "--days", type=at_least_one, metavar="N", help=f"let it expire: 1 to {MOST_DAYS}; default never"
    )


def whole_hours(text: str) -> int:
    hours = int(text)
    if not 0 <= hours <= MOST_GRACE_HOURS:
        raise argparse.ArgumentTypeError(f"it must be 0 to {MOST_GRACE_HOURS}")
    return hours


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
    print(SHOWN_ONCE)
    return 0


def run_list(given: argparse.Namespace) -> int:
    facts = perform(given, "keys list", tenant_id=given.tenant, limit=given.limit, cursor=given.cursor)
    return show_page(facts, "keys", columns=LISTED)


def run_revoke(given: argparse.Namespace) -> int:
    return show(perform(given, "keys revoke", key_id=given.key_id))


def run_rotate(given: argparse.Namespace) -> int:
    show(perform(given, "keys rotate", key_id=given.key_id, grace_hours=given.grace_hours))
    print(SHOWN_ONCE)
    return 0
