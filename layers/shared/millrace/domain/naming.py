"""What people may call things: an id that fits into a header, a name in one line, and never a key of ours."""

import re
from typing import NamedTuple

from millrace.domain.keys import NO_KEY, holds_key


class Rule(NamedTuple):
    """`words` follow the name of what breaks it."""

    pattern: str
    words: str

    def fault_of(self, text: str) -> str | None:
        if not re.fullmatch(self.pattern, text):
            return self.words
        return NO_KEY if holds_key(text) else None


ID = Rule(r"^[\x21-\x7e]{1,128}$", "must be 1 to 128 printable ASCII characters without spaces")
NAME = Rule(r"^[^\x00-\x1f\x7f-\x9f]{1,100}$", "must be 1 to 100 characters in one line")
