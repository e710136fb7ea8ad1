"""GET: the API's description, for programs and for people. Anybody may read it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILES = {
    "GET /openapi.json": ("openapi.json", "application/json"),
    "GET /docs": ("docs.html", "text/html; charset=utf-8"),
}
HEADERS = {
    "Cache-Control": "public, max-age=300",
    "X-Content-Type-Options": "nosniff",
    # The page has a style of its own and needs nothing else.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


def handler(event: Mapping[str, Any], _context: object, **_env: object) -> dict[str, Any]:
    """Two files as they are. Without env, and so without the layer: reading them costs next to nothing."""
    name, kind = FILES[event["routeKey"]]
    body = (HERE / name).read_text(encoding="utf-8")
    return {"statusCode": 200, "headers": {**HEADERS, "Content-Type": kind}, "body": body}
