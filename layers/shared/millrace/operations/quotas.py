"""What was sold, held against what is counted."""

from typing import Any

from millrace.domain.jobs import JOB_TABLES, JobTable
from millrace.domain.quota import Meter
from millrace.env import Env
from millrace.operations.jobs import to_facts
from millrace.store import drift


def verify(env: Env) -> dict[str, Any]:
    """For each meter: how many counters it has, and which of them ledger and jobs do not confirm."""
    sold = [(table, table.meter) for table in JOB_TABLES.values() if table.meter]
    return {"meters": [_compare(env, table, meter=meter) for table, meter in sold]}


def _compare(env: Env, table: JobTable, *, meter: Meter) -> dict[str, Any]:
    found = drift.find(env.DB, table, meter=meter)
    return {
        "meter": meter.name,
        "counters": found.lines,
        "drifting": found.drifting,
        "drifts": [to_facts(row) for row in found.listed],
        "charges": [to_facts(row) for row in found.charges],
    }
