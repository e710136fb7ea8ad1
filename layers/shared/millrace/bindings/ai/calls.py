"""A question put to a provider's HTTP API: what comes of it, as what it means to a job."""

import json
import re
from collections.abc import Mapping
from typing import Any

from millrace.bindings import calls
from millrace.bindings.calls import MOST_BYTES, ApiToken, CallFailed, Response, read_object, retry_after
from millrace.bindings.stopwatch import Deadline
from millrace.errors import (
    InsufficientDocuments,
    JobFailure,
    ModelAnswerInvalid,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
)

# Of what a server says of an error, only what cannot quote a key or a document.
ERROR_CODE = re.compile(r"[A-Za-z_.-]{1,60}|[0-9]{1,10}")
REFUSALS = frozenset({"content_filter", "content_policy_violation"})

TOOK_TOO_LONG = "The model took longer than it may."


class Api:
    """A provider's API at a base address, with a bearer token where one is needed."""

    def __init__(self, url: str, *, key: ApiToken | None = None, most_bytes: int = MOST_BYTES):
        self._api = calls.Api(url, key=key, most_bytes=most_bytes)

    def post(self, path: str, body: Mapping[str, Any], *, deadline: Deadline) -> dict[str, Any]:
        """The JSON object it answers. All else comes out as a JobFailure, and without its cause: what went
        over the wire must not reach a log.
        """
        response = self._ask(path, content=json.dumps(body).encode(), deadline=deadline)
        answer = read_object(response.body)
        if not response.is_success:
            raise failure_for(response.status, headers=response.headers, code=error_code(answer))
        if answer is None:
            raise ModelUnavailable("The model's provider answered what is no JSON object.")
        return answer

    def _ask(self, path: str, *, content: bytes, deadline: Deadline) -> Response:
        try:
            return self._api.ask("POST", path, content=content, deadline=deadline)
        except CallFailed as failed:
            if failed.timed_out:
                raise ModelTimeout(TOOK_TOO_LONG) from None
            raise ModelUnavailable(f"The model's provider {failed}.") from None


def failure_for(status: int, *, headers: Mapping[str, str], code: str | None) -> JobFailure:
    """What an HTTP status of a provider's means to a job."""
    said = f"{status}, {code}" if code else f"{status}"
    if code in REFUSALS:
        return ModelAnswerInvalid(
            f"The model's provider refuses to answer ({said}). A person has to look at this."
        )
    if status == 408:
        return ModelTimeout(TOOK_TOO_LONG)
    if status == 413:
        return InsufficientDocuments(f"The documents are too large for the model ({said}).")
    if status in (401, 403, 404, 424, 425, 429) or status < 400 or status >= 500:
        return ModelUnavailable(
            f"The model cannot be asked at the moment ({said}).", retry_after_seconds=retry_after(headers)
        )
    return ProcessingError(f"The model's provider did not accept the question ({said}).")


def error_code(answer: Mapping[str, Any] | None) -> str | None:
    """As OpenAI says it ({"error": {"code": …}}) and as Cloudflare does ({"errors": [{"code": …}]})."""
    if answer is None:
        return None
    errors = answer.get("errors")
    error = errors[0] if isinstance(errors, list) and errors else answer.get("error", answer)
    if not isinstance(error, dict):
        return None
    code = str(error.get("code") or error.get("type") or "")
    return code if ERROR_CODE.fullmatch(code) else None
