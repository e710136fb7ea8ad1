"""One POST of JSON to an address, as a webhook's sender or a relay makes it."""

import http.client
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 30
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    content_type: str = JSON


class Post(Protocol):
    def __call__(self, url: str, body: bytes) -> Reply: ...


def post(url: str, body: bytes) -> Reply:
    """OSError when there is nobody, or no answer that is HTTP."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("POST", target, body=body, headers={"Content-Type": JSON})
        with connection.getresponse() as response:
            return Reply(response.status, response.read(), response.headers.get("Content-Type", JSON))
    except http.client.HTTPException as error:
        raise OSError(f"no answer that is HTTP ({type(error).__name__})") from error
    finally:
        connection.close()
