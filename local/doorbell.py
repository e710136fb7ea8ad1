"""Plays SQS and what Lambda hangs on it: delays, redelivery, dead letters, consumers with a limit."""

import hashlib
import heapq
import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.intrinsics import REGION
from local.runtime import Clock, FunctionFailed
from local.template import Consumer, Queue, Template

logger = logging.getLogger("local")

Invoke = Callable[[str, Any], Any]


@dataclass(slots=True)
class Message:
    body: str
    sent_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receives: int = 0
    first_received_at: float = 0.0


class MessageQueue:
    """One SQS queue. `receive` waits for a message that is visible; None when the queue was closed."""

    def __init__(
        self, queue: Queue, *, dead_letters: "MessageQueue | None" = None, clock: Clock = time.monotonic
    ):
        self.queue = queue
        self._dead_letters = dead_letters
        self._clock = clock
        self._waiting: list[tuple[float, int, Message]] = []
        self._kept: set[str] = set()
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._open = True

    def __len__(self) -> int:
        """How many messages wait, those in a consumer's hands included: they return unless deleted."""
        with self._changed:
            return len(self._kept)

    def send(self, body: str, *, delay_seconds: float = 0) -> None:
        self._put(Message(body, sent_at=time.time()), delay_seconds=delay_seconds)

    def receive(self, *, wait: bool = True) -> Message | None:
        """Take the next message. It returns after the visibility timeout, unless it is deleted."""
        with self._changed:
            while self._open:
                message = self._take()
                if message is not None or not wait:
                    return message
                soonest = self._waiting[0][0] - self._clock() if self._waiting else None
                self._changed.wait(timeout=soonest)
        return None

    def delete(self, message: Message) -> None:
        with self._changed:
            self._kept.discard(message.id)

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _put(self, message: Message, *, delay_seconds: float) -> None:
        with self._changed:
            self._kept.add(message.id)
            heapq.heappush(self._waiting, (self._clock() + delay_seconds, next(self._order), message))
            self._changed.notify()

    def _take(self) -> Message | None:
        while self._waiting and self._waiting[0][0] <= self._clock():
            message = heapq.heappop(self._waiting)[2]
            if message.id not in self._kept:
                continue
            if self._dead_letters is not None and message.receives >= self.queue.most_receives:
                logger.error("%s: a message failed %d times and is dead", self.queue.name, message.receives)
                self._kept.discard(message.id)
                self._dead_letters._put(message, delay_seconds=0)
                continue
            message.receives += 1
            message.first_received_at = message.first_received_at or time.time()
            heapq.heappush(
                self._waiting, (self._clock() + self.queue.visibility_seconds, next(self._order), message)
            )
            return message
        return None


class Doorbells:
    """Every queue of the template and the threads that carry messages to its consumer.

    What was not delivered when the process ends is gone, as any doorbell may be: the schedule rings again.
    """

    def __init__(self, template: Template, *, invoke: Invoke, clock: Clock = time.monotonic):
        self._template = template
        self._invoke = invoke
        self._threads: list[threading.Thread] = []
        self.queues: dict[str, MessageQueue] = {}
        for queue in sorted(template.queues.values(), key=lambda one: one.dead_letters is not None):
            dead_letters = self.queues[queue.dead_letters] if queue.dead_letters else None
            self.queues[queue.name] = MessageQueue(queue, dead_letters=dead_letters, clock=clock)
        self._by_url = {one.queue.url: one for one in self.queues.values()}

    def send(self, url: str, body: str, *, delay_seconds: float = 0) -> None:
        self._by_url[url].send(body, delay_seconds=delay_seconds)

    def start(self) -> None:
        for consumer in self._template.consumers:
            for number in range(consumer.most_at_once):
                name = f"{consumer.queue}-{number}"
                thread = threading.Thread(target=self._consume, args=[consumer], name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def stop(self) -> None:
        """Deliver nothing more. What is being worked on goes on."""
        for queue in self.queues.values():
            queue.close()

    def _consume(self, consumer: Consumer) -> None:
        queue = self.queues[consumer.queue]
        while message := queue.receive():
            try:
                deliver(message, queue=queue, consumer=consumer, invoke=self._invoke)
            except Exception:
                # The message returns, and this thread must be there for it and for all that follow.
                logger.exception("%s: a message could not be delivered", consumer.queue)


def deliver(message: Message, *, queue: MessageQueue, consumer: Consumer, invoke: Invoke) -> None:
    """Give the message to the function, and delete it unless the function failed it."""
    try:
        answer = invoke(consumer.function, {"Records": [to_record(message, queue=queue.queue)]})
    except FunctionFailed:
        return
    if not (consumer.reports_failures and is_failed(message, answer)):
        queue.delete(message)


def is_failed(message: Message, answer: Any) -> bool:
    """Whether a partial batch response keeps this message; one that makes no sense keeps them all."""
    if answer is None:
        return False
    if not isinstance(answer, Mapping):
        return True
    failures = answer.get("batchItemFailures") or []
    if not all(isinstance(one, Mapping) and one.get("itemIdentifier") for one in failures):
        return True
    failed = {one["itemIdentifier"] for one in failures}
    return bool(failed) and (message.id in failed or not failed <= {message.id})


def to_record(message: Message, *, queue: Queue) -> dict[str, Any]:
    """The message as Lambda shows it to a function."""
    return {
        "messageId": message.id,
        "receiptHandle": f"{message.id}#{message.receives}",
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "SenderId": "local",
            "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    }
