"""What the description says in words: the API's manners, its headers, and what a status of success means."""

from typing import Any

from millrace.entry.request import IN_PATH, SANE

ABOUT = """\
Slow work behind a fast API: a POST answers at once with an id, and a GET tells how far the job is until it
is final.

Every answer of the API is one JSON object: `success` true with `data` (and `usage` where a quota counts), or
`success` false with `error`, a code for programs, and `message`, a sentence for people, with facts beside.
Programs should go by `error` and by the status, and should not mind fields they do not know.

Before the API there is a gateway, which answers in its own words, `{"message": ...}`: 401 without a key, 403
with one that is refused, 413, 429, 500 and 503.

A POST that creates takes an `Idempotency-Key`. For 24 hours the same key with the same request has the same
answer, and nothing is done twice; with another request it is refused. Repeat with the same key whenever you
had no answer. Only an answer that shows a secret is given once: a repeat is refused, and names what was made.

What belongs to somebody else is answered as if it did not exist."""

SUCCESS = {
    200: "As it stands.",
    201: "Created and kept. A job is done later.",
    202: "Not final yet. Ask again after `Retry-After` seconds.",
}

SECURITY: dict[str, Any] = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key: `Authorization: Bearer KEY`. Each operation names the scope that it needs.",
}

IN_HEADER: dict[str, Any] = {"type": "string", "pattern": f"^{SANE.pattern}$"}
VALUE_IN_PATH: dict[str, Any] = {"type": "string", "pattern": f"^{IN_PATH.pattern}$"}


def parameter(name: str, description: str, *, example: str, required: bool = False) -> dict[str, Any]:
    said = {"description": description, "schema": IN_HEADER, "example": example}
    return {"name": name, "in": "header", "required": required, **said}


PARAMETERS: dict[str, Any] = {
    "X-Site-Id": parameter(
        "X-Site-Id", "The site that the request is for.", example="site_abc", required=True
    ),
    "X-User-Id": parameter(
        "X-User-Id",
        "Who asks, as the calling system knows them. It is written down.",
        example="user_xyz",
        required=True,
    ),
    "Idempotency-Key": parameter(
        "Idempotency-Key",
        "Makes a repeat harmless. Any text, such as a UUID.",
        example="1f0b5f2e-9d3c-4b52-8f0e-6b1f6a3f7d11",
    ),
    # Whatever it is, no request fails by it.
    "X-Request-Id": {
        **parameter(
            "X-Request-Id", "An id of yours for this request, to be found in logs.", example="mine-1"
        ),
        "schema": {"type": "string"},
    },
}


def header(description: str, *, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


HEADERS: dict[str, Any] = {
    "X-Request-Id": header("The id you sent, or one made for you. Name it when you ask for help."),
    "Retry-After": header("In how many seconds it is worth asking again.", kind="integer"),
    "Idempotent-Replayed": header("`true` when this is the answer to an earlier request with the same key."),
    "RateLimit": header("What is left of the quota, and for how many seconds, as in the IETF's draft."),
    "RateLimit-Policy": header("The quota, and how long it holds, as in the IETF's draft."),
}
