"""`millrace audit …`: who changed what, and whether the log of it is whole."""

import argparse

from millrace.command.arms import add_operation, perform
from millrace.command.options import Commands, add_noun
from millrace.command.pages import add_page, show_page

LISTED = (
    "created_at",
    "tenant_id",
    "action",
    "subject",
    "person",
    "key_id",
    "source",
    "before",
    "after",
    "place",
)


def add_to(commands: Commands) -> None:
    audit = add_noun(commands, "audit", says="the audit log: who changed what; verify that it is whole")
    listed = add_operation(
        audit,
        "list",
        run=run_list,
        says="the newest entries",
        more="One without a place waits for the schedule, which seals it within a minute.",
    )
    listed.add_argument("--tenant", metavar="ID", help="only this tenant's")
    add_page(listed)
    verified = add_operation(
        audit,
        "verify",
        run=run_verify,
        says="check the chain of hashes; exit code 1 when an entry was changed, taken away or put in",
        more="It only reads, and may run at any time.",
    )
    verified.add_argument(
        "--known",
        metavar="PLACE:HASH",
        help="what an earlier run or a line `audit_sealed` of the log said: it must be in the chain still",
    )


def run_list(given: argparse.Namespace) -> int:
    facts = perform(given, "audit list", tenant_id=given.tenant, limit=given.limit, cursor=given.cursor)
    return show_page(facts, "entries", columns=LISTED)


def run_verify(given: argparse.Namespace) -> int:
    facts = perform(given, "audit verify", known=given.known)
    if broken := facts["broken"]:
        entry = f"entry {broken['id']}" if broken["id"] else "no entry"
        print(f"The chain breaks at place {broken['place']} ({entry}): {broken['why']}.")
        print(f"Entries before it that are as they were sealed: {facts['place']}.")
        return 1
    print(f"The chain is whole. Entries: {facts['place']} sealed, {facts['unsealed']} not yet.")
    if facts["place"]:
        print(f"Its end: {facts['place']}:{facts['hash']}")
    return 0
