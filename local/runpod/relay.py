"""Stands between workers and whom they call back, so that callbacks are lost, doubled, late or reordered."""

import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local.runpod.mischief import CALLBACKS, Fault, Mischief
from local.runpod.posting import Post, Reply, post

# The field of an order's input that holds the link.
FIELD = "callback_url"
DELAY_SECONDS = 15


class Lost(Exception):
    """No answer comes back: the line is cut."""


class Relay:
    """Only there when callbacks are to go wrong: otherwise workers call back directly, as at RunPod."""

    def __init__(self, mischief: Mischief, *, wait: Callable[[float], object], send: Post = post):
        self._mischief = mischief
        self._wait = wait
        self._send = send
        self._urls: dict[str, str] = {}
        self._passed = threading.Condition()
        self._passes = 0

    def redirect(self, given: Mapping[str, Any], *, base: str) -> dict[str, Any]:
        """The input as the worker sees it."""
        url = given.get(FIELD)
        if not isinstance(url, str) or not self._mischief.concerns(CALLBACKS):
            return dict(given)
        token = secrets.token_urlsafe(16)
        self._urls[token] = url
        return {**given, FIELD: f"{base}/relay/{token}"}

    def knows(self, token: str) -> bool:
        return token in self._urls

    def pass_on(self, token: str, body: bytes) -> Reply:
        """What was answered. Raises Lost when the worker is to hear nothing, OSError when there is nobody."""
        url = self._urls[token]
        match self._mischief.pick(CALLBACKS):
            case Fault.LOSE_CALLBACK:
                raise Lost
            case Fault.LOSE_CALLBACK_ANSWER:
                self._forward(url, body)
                raise Lost
            case Fault.DOUBLE_CALLBACK:
                self._forward(url, body)
            case Fault.DELAY_CALLBACK:
                self._wait(DELAY_SECONDS)
            case Fault.REORDER_CALLBACK:
                self._let_another_pass()
        return self._forward(url, body)

    def _forward(self, url: str, body: bytes) -> Reply:
        reply = self._send(url, body)
        with self._passed:
            self._passes += 1
            self._passed.notify_all()
        return reply

    def _let_another_pass(self) -> None:
        with self._passed:
            before = self._passes
            self._passed.wait_for(lambda: self._passes > before, timeout=DELAY_SECONDS)
