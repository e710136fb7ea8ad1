"""Parts of the moves' SQL that each kind of job says in its own words."""

from collections.abc import Mapping
from types import MappingProxyType

from millrace.bindings.database import Value
from millrace.domain.jobs import JobTable

NO_COLUMNS: Mapping[str, Value] = MappingProxyType({})


def cleared(table: JobTable, *, says: str = "NULL") -> str:
    """What belonged to the attempt that is over, and what is told of the job from now on."""
    return f"locked_until = NULL, worker_id = NULL, progress_message = {says}, {table.paid_column} = NULL"


def begun_anew(table: JobTable, *, when: str = "TRUE") -> str:
    """What the next attempt shall not find of this one; a job that has ended keeps it, as its last."""
    return "".join(
        f"{column} = CASE WHEN {when} THEN {value} ELSE {column} END, "
        for column, value in table.attempt_columns.items()
    )


def charged_anew(table: JobTable) -> str:
    return "".join(f"{column} = {value}, " for column, value in table.round_columns.items())


def in_hand(table: JobTable) -> str:
    """What was handed over nobody gives back: it goes on elsewhere."""
    return f" AND {table.paid_column} IS NULL" if table.handed_over else ""


def assigned(columns: Mapping[str, Value], *, first: int) -> str:
    return "".join(f", {column} = ?{place}" for place, column in enumerate(columns, start=first))


def cleared_errors(table: JobTable) -> str:
    return ", ".join(f"{column} = NULL" for column in table.error_columns)
