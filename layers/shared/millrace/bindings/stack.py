"""`env.STACK`: CloudFormation, which waits for an answer of its custom resources at an address of S3's."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from millrace.errors import StackUnavailable

ANSWER_SECONDS = 10
TRIES = 4


class Stack:
    def __init__(self, *, pause: Callable[[float], None] = time.sleep):
        self._pause = pause

    def answer(self, url: str, answer: Mapping[str, Any]) -> None:
        """Tell CloudFormation. StackUnavailable after some tries: then it waits until its own time is up."""
        if urlsplit(url).scheme not in ("https", "http"):
            raise StackUnavailable("CloudFormation is answered at an https:// address.")
        body = json.dumps(answer).encode()
        for number in range(TRIES):
            try:
                self._put(url, body)
                break
            except OSError as error:
                if number == TRIES - 1:
                    # The address is a secret while it lasts, and some errors quote it.
                    raise StackUnavailable(
                        f"CloudFormation was not reached: {type(error).__name__}"
                    ) from None
            self._pause(2.0**number)

    def _put(self, url: str, body: bytes) -> None:
        # Signed without a content type, so it must be sent without one: urllib would add that of a form.
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            url, data=body, method="PUT", headers={"Content-Type": ""}
        )
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310 - the same
            pass
