"""`millrace quotas …`: whether what was sold is what is counted."""

import argparse
from typing import Any

from millrace.command.arms import add_operation, perform, show_table
from millrace.command.options import Commands, add_noun

DRIFT = ("subject", "period", "counter_says", "ledger_says", "jobs_say", "wrong_charges")
CHARGE = ("job_id", "charge_round", "subject", "period", "ledger_says", "jobs_say")


def add_to(commands: Commands) -> None:
    quotas = add_noun(commands, "quotas", says="quotas: verify what was charged")
    add_operation(
        quotas,
        "verify",
        run=run_verify,
        says="compare counters, ledger and jobs; exit code 1 when they differ",
        more="It only reads, and may run while jobs do.",
    )


def run_verify(given: argparse.Namespace) -> int:
    meters = perform(given, "quotas verify")["meters"]
    for facts in meters:
        tell(facts)
    return 1 if any(facts["drifting"] for facts in meters) else 0


def tell(facts: dict[str, Any]) -> None:
    """One line about a meter that is right; of another the first counters and charges that are wrong."""
    counters, drifting = facts["counters"], facts["drifting"]
    if not drifting:
        print(f"{facts['meter']}: no drift. Counters compared with ledger and jobs: {counters}.")
        return
    print(f"{facts['meter']}: drift in {drifting} of {counters} counters.\n")
    show_table(facts["drifts"], columns=DRIFT)
    if drifting > len(facts["drifts"]):
        print(f"and {drifting - len(facts['drifts'])} more")
    if facts["charges"]:
        print("\nCharges that are not as the job says:\n")
        show_table(facts["charges"], columns=CHARGE)
