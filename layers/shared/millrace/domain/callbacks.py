"""The link by which a worker calls back: who has it may speak for one attempt, until its deadline."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from millrace.errors import CallbackRefused

# Part of what is signed, so that nothing signed for another purpose is ever a link.
PURPOSE = "millrace export callback 1"
TOKEN = re.compile(
    r"(?P<signed>(?P<job_id>[A-Za-z0-9_-]{1,60})\.(?P<attempt>[1-9][0-9]{0,8})\.(?P<until>[1-9][0-9]{9,10}))"
    r"\.(?P<signature>[A-Za-z0-9_-]{43})"
)


@dataclass(frozen=True, slots=True)
class Link:
    """Of which attempt at which job a callback tells."""

    job_id: str
    attempt: int


def make_token(link: Link, *, until: datetime, keys: Sequence[bytes]) -> str:
    """Signed with the first key."""
    signed = f"{link.job_id}.{link.attempt}.{int(until.timestamp())}"
    return f"{signed}.{sign(signed, key=keys[0])}"


def read_token(token: str, *, keys: Sequence[bytes], now: datetime) -> Link:
    """What it is a link to. CallbackRefused when none of the keys signed it, or its time is over."""
    read = TOKEN.fullmatch(token)
    # Nothing that a token says is believed before its signature.
    if read is None or not is_signed(read["signed"], signature=read["signature"], keys=keys):
        raise CallbackRefused
    if now >= datetime.fromtimestamp(int(read["until"]), UTC):
        raise CallbackRefused
    return Link(read["job_id"], int(read["attempt"]))


def is_signed(signed: str, *, signature: str, keys: Sequence[bytes]) -> bool:
    """Compared as text: of the last letter some bits would not count."""
    return any(hmac.compare_digest(sign(signed, key=key), signature) for key in keys)


def sign(signed: str, *, key: bytes) -> str:
    code = hmac.new(key, f"{PURPOSE}\n{signed}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(code).decode().rstrip("=")
