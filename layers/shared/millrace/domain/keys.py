"""What an API key looks like, and what is kept of it: mrk_live_<id>_<secret>_<check>."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import Literal
from zlib import crc32

Mode = Literal["live", "test"]

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_DIGITS = 43  # what 256 bits need in base 62
CHECK_DIGITS = 6  # what 32 bits need
PREFIX = "mrk_"
TOKEN = re.compile(rf"(mrk_(live|test)_([0-9a-f]{{32}})_[0-9A-Za-z]{{{SECRET_DIGITS}}})_([0-9A-Za-z]{{6}})")
# What tells a key from an id of anybody's, also when a part of it is missing.
KEYLIKE = re.compile(r"mrk_(live|test)_[0-9A-Za-z]")
NO_KEY = "must not be an API key"
SHOWN = len("mrk_live_") + 12  # its time, to the millisecond

# For how long one lives that is to end.
MOST_DAYS = 3_650
# How long a key lives at most, if it is to end at all.
MOST_DAYS = 3_650
# For how long a key that was rotated lives on beside its successor.
USUAL_GRACE_HOURS, MOST_GRACE_HOURS = 24, 30 * 24


@dataclass(frozen=True, slots=True)
class Key:
    """A token that is whole: `id` finds its row. Whether it is known, only its hash tells."""

    id: str
    token: str = field(repr=False)

    @property
    def shown(self) -> str:
        """Its beginning, by which a person tells their keys apart."""
        return self.token[:SHOWN]


def make_key(key_id: str, *, secret: int, mode: Mode = "live") -> Key:
    """`key_id` as env.new_id("key") makes it, `secret` 256 bits of chance."""
    body = f"{PREFIX}{mode}_{key_id.removeprefix('key_')}_{to_base62(secret, digits=SECRET_DIGITS)}"
    return Key(key_id, f"{body}_{check_of(body)}")


def read_key(token: str) -> Key | None:
    """None for what was never a key of ours, or was mistyped: its check says so, without a look anywhere."""
    found = TOKEN.fullmatch(token)
    if found is None or found[4] != check_of(found[1]):
        return None
    return Key(f"key_{found[3]}", token)


def holds_key(text: str) -> bool:
    """Whether a key of ours stands in it, whole or its beginning: where no key belongs, that is a slip."""
    return KEYLIKE.search(text) is not None


def mode_of(shown: str) -> Mode:
    """By what is shown of a key. One of another form is as good as live."""
    return "test" if shown.startswith(f"{PREFIX}test_") else "live"


def hash_token(token: str, *, pepper: bytes | None) -> str:
    """What is kept of a token. The pepper is not in the database, so a copy of that alone proves nothing."""
    if pepper is None:
        return hashlib.sha256(token.encode()).hexdigest()
    return hmac.new(pepper, token.encode(), hashlib.sha256).hexdigest()


def check_of(body: str) -> str:
    return to_base62(crc32(body.encode()), digits=CHECK_DIGITS)


def to_base62(number: int, *, digits: int) -> str:
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, len(DIGITS))
        text = DIGITS[digit] + text
    return text
