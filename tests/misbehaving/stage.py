"""Threads that play one after the other, each until it waits, by a clock that nobody but the test moves.

So what happens is a matter of the seed, though whoever plays may call others over HTTP and wait for them.
"""

from collections.abc import Callable
from threading import Semaphore, Thread
from typing import Any

from tests.clock import Clock


class Gone(BaseException):
    """Who played this part is no more: nobody catches it, and nothing is tidied up."""


class Actor:
    """One thread. `fault` is what it ended with, if it was not meant to."""

    def __init__(self, play: Callable[[], Any], *, due: float):
        self.due = due
        self.is_over = self.is_killed = False
        self.result: Any = None
        self.fault: BaseException | None = None
        self.turn, self.yielded = Semaphore(0), Semaphore(0)
        self._play = play
        Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self.turn.acquire()
        try:
            self.result = None if self.is_killed else self._play()
        except Gone:
            self.is_killed = True
        except BaseException as fault:  # noqa: BLE001 - raised again by who directs
            self.fault = fault
        self.is_over = True
        self.yielded.release()


class Stage:
    """`pause` is how whoever plays waits, in whichever thread it does so."""

    def __init__(self, clock: Clock):
        self._clock = clock
        self._actors: list[Actor] = []
        self._playing: Actor | None = None

    def now(self) -> float:
        return self._clock.now().timestamp()

    def enter(self, play: Callable[[], Any]) -> Actor:
        """It begins when it is resumed."""
        actor = Actor(play, due=self.now())
        self._actors.append(actor)
        return actor

    def resume(self, actor: Actor) -> None:
        """Until it waits, or is over."""
        before, self._playing = self._playing, actor
        actor.turn.release()
        actor.yielded.acquire()
        self._playing = before

    def pause(self, seconds: float) -> None:
        me = self._playing
        assert me is not None
        me.due = self.now() + seconds
        me.yielded.release()
        me.turn.acquire()
        if me.is_killed:
            raise Gone

    def kill(self, actor: Actor) -> None:
        """As a machine that is switched off. One that is over stays as it is."""
        actor.is_killed = True
        if not actor.is_over:
            self.resume(actor)

    def go_on(self) -> None:
        """All that are due, the longest waiting first."""
        for actor in sorted(self._actors, key=lambda one: one.due):
            if actor.due <= self.now() and not actor.is_over:
                self.resume(actor)
        for actor in self._actors:
            if actor.fault:
                raise actor.fault
        self._actors = [actor for actor in self._actors if not actor.is_over]

    def close(self) -> None:
        for actor in self._actors:
            self.kill(actor)
