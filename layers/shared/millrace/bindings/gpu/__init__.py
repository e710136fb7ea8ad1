"""`env.GPU`: the face of a rented GPU. Whoever provides it may lose, double or delay what it tells us."""

from collections.abc import Mapping
from typing import Any, Protocol

from millrace.domain.gpu import GpuStatus

TIME_LIMIT_SECONDS = 10


class Gpu(Protocol):
    """Every call asks the provider over the network and is back within `TIME_LIMIT_SECONDS`.

    GpuUnavailable when it is out of reach or overloaded, with `retry_after_seconds` where it was told.
    """

    def submit(
        self, payload: Mapping[str, Any], *, webhook_url: str, execution_seconds: int, ttl_seconds: int
    ) -> str:
        """Hand a job over and return the provider's id of it. The provider tells `webhook_url` of its end.

        It may run for `execution_seconds`. After `ttl_seconds` it is deleted, even while it runs.
        GpuUnavailable and GpuOrderRefused: it has certainly not been taken. GpuUnknown: it may have been.
        """
        ...

    def status(self, provider_job_id: str) -> GpuStatus | None:
        """How far it is, or None when the provider does not know it (any more)."""
        ...

    def cancel(self, provider_job_id: str) -> None:
        """Stop it. One that is over, or unknown, is no error."""
        ...
