"""What both databases can hold and give back as it was."""

import math
import re

INT64 = range(-(2**63), 2**63)
# PostgreSQL's text cannot hold the first, UTF-8 not the others.
UNSTORABLE_TEXT = re.compile("[\x00\ud800-\udfff]")


def is_storable_text(text: str) -> bool:
    return not UNSTORABLE_TEXT.search(text)


def is_storable_number(number: float) -> bool:
    return number in INT64 if isinstance(number, int) else math.isfinite(number)
