"""`env.GPU`: the face of a rented GPU. Whoever provides it may lose, double or delay what it tells us."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

GpuState = Literal["queued", "running", "completed", "failed", "cancelled", "timed_out"]


class Gpu(Protocol):
    """Every call asks the provider over the network and may fail."""

    def submit(self, order: Mapping[str, Any], *, run_seconds: int, keep_seconds: int) -> str:
        """Hand a job over and return the provider's id of it.

        It may run for `run_seconds`; the provider forgets it, even a running one, after `keep_seconds`.
        """
        ...

    def status(self, provider_job_id: str) -> GpuState | None:
        """How far it is, or None when the provider does not know it (any more)."""
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Stop it. One that is over, or unknown, is no error."""
        ...
