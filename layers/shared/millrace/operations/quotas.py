"""What was sold, held against what is counted."""

from typing import Any

from millrace.domain.jobs import JOB_TABLES
from millrace.domain.spending import SPEND
from millrace.env import Env
from millrace.operations.jobs import to_facts
from millrace.store import drift, spend_drift
from millrace.store.drift import Drift


def verify(env: Env) -> dict[str, Any]:
    """For each meter: how many counters it has, and which of them ledger and jobs do not confirm."""
    sold = [(table, table.meter) for table in JOB_TABLES.values() if table.meter]
    compared = {meter.name: drift.find(env.DB, table, meter=meter) for table, meter in sold}
    compared[SPEND.name] = spend_drift.find_spent(env.DB)
    compared["daily usage"] = spend_drift.find_used(env.DB)
    return {"meters": [_show(name, found) for name, found in compared.items()]}


def _show(name: str, found: Drift) -> dict[str, Any]:
    return {
        "meter": name,
        "counters": found.lines,
        "drifting": found.drifting,
        "drifts": [to_facts(row) for row in found.listed],
        "charges": [to_facts(row) for row in found.charges],
    }
