"""What may stand behind the question mark of a request: each kind of parameter with its bounds."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticKnownError

from millrace.domain.pages import MOST

LONGEST_CURSOR = 300


def check_digits(value: Any) -> Any:
    """pydantic alone would read "1_0" and " 10 " too."""
    if isinstance(value, str) and not re.fullmatch("-?[0-9]+", value):
        raise PydanticKnownError("int_parsing")
    return value


Digits = BeforeValidator(check_digits)

Limit = Annotated[int, Field(ge=1, le=MOST, description="How many entries at most."), Digits]
Cursor = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=LONGEST_CURSOR,
        description="The `next_cursor` of the page before. Without it the list begins with the newest.",
    ),
]
