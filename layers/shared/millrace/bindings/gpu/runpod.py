"""RunPod's serverless GPUs, over its HTTP API."""

import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import quote

from millrace.bindings.calls import (
    Api,
    CallFailed,
    CallUnanswered,
    Response,
    read_object,
    retry_after,
)
from millrace.bindings.gpu import TIME_LIMIT_SECONDS
from millrace.bindings.secrets import ApiKey
from millrace.bindings.stopwatch import Deadline
from millrace.domain.gpu import GpuStatus, read_runpod_id, read_runpod_status
from millrace.domain.model_access import Account
from millrace.errors import GpuOrderRefused, GpuUnavailable, GpuUnknown

# "/run requests have a maximum payload size of 10 MB"
MOST_ORDER_BYTES = 10_000_000
OUR_FAULT = frozenset({400, 405, 413, 415, 422})


class Runpod:
    """A provider of `env.GPU`. `api` is that of an endpoint."""

    def __init__(self, api: Api, *, time_limit_seconds: float = TIME_LIMIT_SECONDS):
        self._api = api
        self._time_limit_seconds = time_limit_seconds

    @classmethod
    def of(cls, access: Account) -> Self:
        key = ApiKey(access.key, unavailable=key_unavailable) if access.key else None
        return cls(Api(access.url, key=key))

    def submit(
        self, payload: Mapping[str, Any], *, webhook_url: str, execution_seconds: int, ttl_seconds: int
    ) -> str:
        """There is no idempotency key: whoever does not know whether it was taken must not just ask again."""
        policy = {"executionTimeout": execution_seconds * 1000, "ttl": ttl_seconds * 1000}
        content = json.dumps({"input": payload, "webhook": webhook_url, "policy": policy}).encode()
        if len(content) > MOST_ORDER_BYTES:
            raise GpuOrderRefused(f"The order has more than {MOST_ORDER_BYTES:,} bytes.")
        try:
            response = self._ask("POST", "/run", content=content)
        except CallUnanswered as lost:
            raise GpuUnknown(f"The GPU provider {lost} when it was given an order.") from None
        if response.status in OUR_FAULT:
            raise GpuOrderRefused(f"The GPU provider does not take the order ({response.status}).")
        # Whether it broke before it took the order or after: neither RunPod says, nor who stands in between.
        if response.status >= 500:
            raise GpuUnknown(f"Nobody knows whether the GPU provider took the order ({response.status}).")
        if not response.is_success:
            raise unavailable(response)
        try:
            return read_runpod_id(read_object(response.body) or {})
        except ValueError:
            raise GpuUnknown("The GPU provider took the order, but did not say under which id.") from None

    def status(self, provider_job_id: str) -> GpuStatus | None:
        response = self._ask_again_later("GET", f"/status/{as_part(provider_job_id)}")
        if response.status == 404:
            return None
        if not response.is_success:
            raise unavailable(response)
        try:
            return read_runpod_status(read_object(response.body))
        except ValueError as error:
            raise GpuUnavailable(f"The GPU provider answered what is no status: {error}.") from None

    def cancel(self, provider_job_id: str) -> None:
        response = self._ask_again_later("POST", f"/cancel/{as_part(provider_job_id)}")
        if response.status != 404 and not response.is_success:
            raise unavailable(response)

    def _ask(self, method: str, path: str, *, content: bytes | None = None) -> Response:
        """CallUnanswered when it may have been done all the same."""
        try:
            return self._api.ask(method, path, content=content, deadline=Deadline(self._time_limit_seconds))
        except CallUnanswered:
            raise
        except CallFailed as failed:
            raise GpuUnavailable(f"The GPU provider {failed}.") from None

    def _ask_again_later(self, method: str, path: str) -> Response:
        """For what may be asked twice: then it does not matter whether it was done."""
        try:
            return self._ask(method, path)
        except CallUnanswered as lost:
            raise GpuUnavailable(f"The GPU provider {lost}.") from None


def unavailable(response: Response) -> GpuUnavailable:
    return GpuUnavailable(
        f"The GPU provider cannot be asked at the moment ({response.status}).",
        retry_after_seconds=retry_after(response.headers),
    )


def key_unavailable(cause: str) -> GpuUnavailable:
    return GpuUnavailable(f"The key of the GPU provider is not to be had: {cause}.")


def as_part(provider_job_id: str) -> str:
    """As one part of a path, whatever it is: it may have come to us from outside."""
    return quote(provider_job_id, safe="", errors="replace").replace(".", "%2E")
