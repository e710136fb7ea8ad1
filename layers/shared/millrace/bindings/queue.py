"""`env.QUEUE`: the doorbell. A ring says "there may be work of this kind", so a lost one costs only time."""

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from millrace.bindings.aws import LateClient
from millrace.bindings.waiting import wait_at_most
from millrace.errors import QueueUnavailable

RING_SECONDS = 0.9
LONGEST_DELAY_SECONDS = 900
MESSAGES_PER_CALL = 10
# Who looks after queues waits to learn what became of it; with SQS away, for all kinds within a minute.
PATIENCE = {
    "connect_timeout": 5,
    "read_timeout": 10,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
}

logger = logging.getLogger(__name__)


class Queue(Protocol):
    """The face itself. `configured` is False when nobody would hear the ring."""

    @property
    def configured(self) -> bool: ...

    def ring(self, kind: str, *, count: int = 1, delay_seconds: int = 0) -> None:
        """Say `count` times that there may be work of this kind.

        It never raises and waits at most a second: what could not be said is logged as `doorbell_lost`, and
        the schedule rings for it.
        """
        ...

    def redrive(self, kind: str) -> int:
        """Put this kind's dead letters back and say about how many. QueueUnavailable when that cannot be."""
        ...


@dataclass(slots=True)
class Loss:
    """How many messages of a ring have not gone out yet: when it fails, they are what was lost."""

    count: int


class NoQueue:
    """Nobody listens."""

    configured = False

    def ring(self, kind: str, *, count: int = 1, delay_seconds: int = 0) -> None:
        """Nothing happens: the schedule finds the work."""

    def redrive(self, kind: str) -> int:
        raise QueueUnavailable(f"No queue is configured for the kind {kind}.")


class InProcessQueue:
    """Each ring is a call of deliver(kind, count, delay_seconds) here and now, so that must not wait."""

    configured = True

    def __init__(self, deliver: Callable[[str, int, int], None]):
        self._deliver = deliver

    def ring(self, kind: str, *, count: int = 1, delay_seconds: int = 0) -> None:
        with losses_reported(kind, count=count):
            if count > 0:
                self._deliver(kind, count, within_reach(delay_seconds))

    def redrive(self, kind: str) -> int:
        raise QueueUnavailable(f"The queue of the kind {kind} lives and dies with this process.")


class SqsQueue:
    """One SQS queue per kind. One client for all of them, made at the first ring, and one for operators."""

    configured = True

    def __init__(self, urls: Mapping[str, str]):
        self._urls = dict(urls)
        self._client = LateClient(
            "sqs",
            connect_timeout=RING_SECONDS,
            read_timeout=RING_SECONDS,
            retries={"total_max_attempts": 1},
        )
        self._patient_client = LateClient("sqs", **PATIENCE)

    def ring(self, kind: str, *, count: int = 1, delay_seconds: int = 0) -> None:
        with losses_reported(kind, count=count) as loss:
            # Made before the clock starts: on a small Lambda the import alone may take most of a second.
            self._client()
            send = partial(self._send, kind, loss=loss, delay_seconds=delay_seconds)
            wait_at_most(RING_SECONDS, work=send)

    def redrive(self, kind: str) -> int:
        """SQS moves them by itself from here on."""
        from botocore.exceptions import BotoCoreError, ClientError

        url = self._urls.get(kind)
        if url is None:
            raise QueueUnavailable(f"No queue is configured for the kind {kind}.")
        try:
            return move_dead_letters(self._patient_client(), url=url)
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"SQS refused: {error}") from error

    def _send(self, kind: str, *, loss: Loss, delay_seconds: int) -> None:
        url = self._urls.get(kind)
        if url is None:
            raise LookupError("no queue is configured for this kind")
        give_up_at = time.monotonic() + RING_SECONDS
        for messages in batches(kind, count=loss.count, delay_seconds=delay_seconds):
            if time.monotonic() > give_up_at:
                raise TimeoutError("too many to be sent in time")
            answer = self._client().send_message_batch(QueueUrl=url, Entries=messages)
            refused = answer.get("Failed", [])
            loss.count -= len(messages) - len(refused)
            if refused:
                raise RuntimeError(f"SQS refused {len(refused)}: {refused[0].get('Code')}")


def move_dead_letters(sqs: Any, *, url: str) -> int:
    """Start the move, if there is anything to move."""
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    source = json.loads(policy["RedrivePolicy"])["deadLetterTargetArn"]
    letters = f"{url.rpartition('/')[0]}/{source.rpartition(':')[2]}"
    name = "ApproximateNumberOfMessages"
    waiting = int(sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=[name])["Attributes"][name])
    if waiting:
        sqs.start_message_move_task(SourceArn=source)
    return waiting


def batches(kind: str, *, count: int, delay_seconds: int) -> Iterator[list[dict[str, Any]]]:
    """`count` messages, as many at a time as SQS takes in one call."""
    message = {"MessageBody": json.dumps({"kind": kind}), "DelaySeconds": within_reach(delay_seconds)}
    for first in range(0, count, MESSAGES_PER_CALL):
        size = min(MESSAGES_PER_CALL, count - first)
        yield [{"Id": str(place), **message} for place in range(size)]


def within_reach(delay_seconds: int) -> int:
    """SQS waits at most 15 minutes. Ringing early is harmless: the row says when it is due."""
    return max(0, min(delay_seconds, LONGEST_DELAY_SECONDS))


@contextmanager
def losses_reported(kind: str, *, count: int) -> Iterator[Loss]:
    loss = Loss(count)
    try:
        yield loss
    except Exception as error:  # noqa: BLE001 - a ring never raises, whatever happens to it
        cause = f"{type(error).__name__}: {error}"
        logger.warning("doorbell_lost", extra={"kind": kind, "count": loss.count, "cause": cause})
