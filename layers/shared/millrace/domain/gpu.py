"""What a provider of GPUs says of a job, in words of ours: for who asks it, and for whom it calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

GpuState = Literal["queued", "running", "completed", "failed", "cancelled", "timed_out"]

# RunPod's words.
STATES: Mapping[str, GpuState] = {
    "IN_QUEUE": "queued",
    "IN_PROGRESS": "running",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "TIMED_OUT": "timed_out",
}
LONGEST_ID = 128
LONGEST_ERROR = 2_000


@dataclass(frozen=True, slots=True)
class GpuStatus:
    """`output` is what the worker returned, and untrusted; `error` the provider's or the worker's words.

    `delay_ms` is the time in the queue, `execution_ms` the time on a GPU: that is what is paid for. Both are
    None as long as nobody says.
    """

    provider_job_id: str
    state: GpuState
    output: Any = field(default=None, repr=False)
    error: str | None = field(default=None, repr=False)
    delay_ms: int | None = None
    execution_ms: int | None = None

    @property
    def has_ended(self) -> bool:
        return self.state not in ("queued", "running")


def read_runpod_status(said: Any) -> GpuStatus:
    """What /status answers and a webhook is told. ValueError when it is neither, without quoting it."""
    said = said if isinstance(said, Mapping) else {}
    return GpuStatus(
        provider_job_id=read_runpod_id(said),
        state=read_state(said.get("status")),
        output=said.get("output"),
        error=read_error(said.get("error")),
        delay_ms=read_milliseconds(said, "delayTime"),
        execution_ms=read_milliseconds(said, "executionTime"),
    )


def read_runpod_id(said: Mapping[str, Any]) -> str:
    job_id = said.get("id")
    if not isinstance(job_id, str) or not 0 < len(job_id) <= LONGEST_ID or not job_id.isprintable():
        raise ValueError("id must be the id of a job")
    return job_id


def read_state(value: Any) -> GpuState:
    if not isinstance(value, str) or value not in STATES:
        raise ValueError(f"status must be one of {', '.join(STATES)}")
    return STATES[value]


def read_error(value: Any) -> str | None:
    return None if value is None else str(value)[:LONGEST_ERROR]


def read_milliseconds(said: Mapping[str, Any], name: str) -> int | None:
    value = said.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise ValueError(f"{name} must be milliseconds")
    return round(value)
