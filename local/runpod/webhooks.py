"""Tells webhooks that jobs have ended: three tries, ten seconds apart, unless 200 is answered."""

import json
import threading
from dataclasses import dataclass, replace
from typing import Any

from local.runpod.jobs import Clock, Endpoint
from local.runpod.mischief import WEBHOOKS, Fault, Mischief
from local.runpod.posting import Post, post

TRIES = 3
PAUSE_SECONDS = 10
DELAY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Letter:
    url: str
    body: bytes
    due_at: float
    tries: int = 0


class Outbox:
    """What is still to be told. `given_up` counts what nobody has taken."""

    def __init__(self, endpoint: Endpoint, *, clock: Clock, mischief: Mischief, send: Post = post):
        self._endpoint = endpoint
        self._clock = clock
        self._mischief = mischief
        self._send = send
        self._letters: list[Letter] = []
        self._overtaken: list[Letter] = []
        self._delivering = threading.Lock()
        self.given_up = 0

    def deliver(self) -> None:
        """All that is due by now, one after the other."""
        with self._delivering:
            while self._endpoint.ended:
                job = self._endpoint.ended.popleft()
                if job.order.webhook:
                    self._write(job.order.webhook, told=job.shown())
            now = self._clock()
            due = [letter for letter in self._letters if letter.due_at <= now]
            self._letters = [letter for letter in self._letters if letter.due_at > now]
            for letter in due:
                self._deliver(letter)

    def _write(self, url: str, *, told: dict[str, Any]) -> None:
        """A letter that is to be overtaken waits for the next one, or as long as one that is delayed."""
        letter = Letter(url, json.dumps(told).encode(), due_at=self._clock())
        late = replace(letter, due_at=letter.due_at + DELAY_SECONDS)
        overtaken, self._overtaken = self._overtaken, []
        match self._mischief.pick(WEBHOOKS):
            case Fault.LOSE_WEBHOOK:
                pass
            case Fault.DOUBLE_WEBHOOK:
                self._letters += [letter, letter]
            case Fault.DELAY_WEBHOOK:
                self._letters.append(late)
            case Fault.REORDER_WEBHOOK:
                self._letters.append(late)
                self._overtaken.append(late)
            case _:
                self._letters.append(letter)
        for older in overtaken:
            if older in self._letters:
                self._letters.remove(older)
                self._letters.append(replace(older, due_at=letter.due_at))

    def _deliver(self, letter: Letter) -> None:
        try:
            taken = self._send(letter.url, letter.body).status == 200
        except OSError:
            taken = False
        if taken:
            return
        again = replace(letter, tries=letter.tries + 1, due_at=self._clock() + PAUSE_SECONDS)
        if again.tries < TRIES:
            self._letters.append(again)
        else:
            self.given_up += 1
