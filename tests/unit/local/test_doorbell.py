"""Queues as SQS keeps them, and messages as Lambda delivers them."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from local.doorbell import Doorbells, Message, MessageQueue, deliver, is_failed, to_record
from local.runtime import FunctionFailed
from local.template import Consumer, Template
from tests.unit.local.cloud.labour import app as work
from tests.unit.local.conftest import Served, Stopwatch

CONSUMER = Consumer("Bell", "Work", batch_size=1, most_at_once=2, reports_failures=True)


class Bench:
    """A queue with dead letters, and a clock to be moved."""

    def __init__(self, template: Template):
        self.clock = Stopwatch()
        self.dead = MessageQueue(template.queues["DeadLetters"], clock=self.clock)
        self.bell = MessageQueue(template.queues["Bell"], dead_letters=self.dead, clock=self.clock)

    def receive(self) -> Message | None:
        return self.bell.receive(wait=False)


@pytest.fixture
def bench(template: Template) -> Bench:
    return Bench(template)


def test_messages_come_in_the_order_they_were_sent(bench: Bench):
    bench.bell.send("first")
    bench.bell.send("second")

    assert [message.body for message in (bench.receive(), bench.receive()) if message] == ["first", "second"]


def test_a_delayed_message_comes_when_its_time_has_come(bench: Bench):
    bench.bell.send("later", delay_seconds=10)
    assert bench.receive() is None

    bench.clock.seconds = 10

    assert bench.receive() is not None


def test_a_message_in_hand_is_hidden_and_returns_after_the_visibility_timeout(bench: Bench):
    bench.bell.send("once")
    first = bench.receive()
    assert bench.receive() is None

    bench.clock.seconds = 30
    second = bench.receive()

    assert first is second
    assert second is not None
    assert second.receives == 2


def test_a_deleted_message_does_not_return(bench: Bench):
    bench.bell.send("once")
    message = bench.receive()
    assert message is not None

    bench.bell.delete(message)
    bench.clock.seconds = 30

    assert bench.receive() is None
    assert len(bench.bell) == 0


def test_a_message_that_failed_too_often_is_a_dead_letter(bench: Bench):
    bench.bell.send("hopeless")
    for seconds in (0, 30):
        bench.clock.seconds = seconds
        assert bench.receive() is not None

    bench.clock.seconds = 60

    assert bench.receive() is None
    assert (len(bench.bell), len(bench.dead)) == (0, 1)


def test_a_closed_queue_gives_nothing_more(bench: Bench):
    bench.bell.send("too late")

    bench.bell.close()

    assert bench.bell.receive() is None


@pytest.mark.parametrize(
    ("answer", "stays"),
    [
        (None, False),
        ({}, False),
        ({"batchItemFailures": []}, False),
        ({"batchItemFailures": [{"itemIdentifier": "m1"}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": "another"}]}, True),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, True),
        ({"batchItemFailures": ["m1"]}, True),
        ("nonsense", True),
    ],
)
def test_only_an_answer_that_makes_sense_lets_a_message_go(answer: Any, stays: bool):
    assert is_failed(Message("{}", sent_at=0, id="m1"), answer) is stays


@pytest.mark.parametrize(("reports_failures", "left"), [(True, 1), (False, 0)])
def test_failures_are_read_only_where_the_template_says_that_they_are_reported(
    bench: Bench, reports_failures: bool, left: int
):
    bench.bell.send("{}")
    message = bench.receive()
    assert message is not None

    deliver(
        message,
        queue=bench.bell,
        consumer=replace(CONSUMER, reports_failures=reports_failures),
        invoke=lambda function, event: {"batchItemFailures": [{"itemIdentifier": message.id}]},
    )

    assert len(bench.bell) == left


def test_a_function_that_fails_keeps_the_message(bench: Bench):
    bench.bell.send("{}")
    message = bench.receive()
    assert message is not None

    def fail(function: str, event: Any) -> None:
        raise FunctionFailed("as asked")

    deliver(message, queue=bench.bell, consumer=CONSUMER, invoke=fail)

    assert len(bench.bell) == 1


def test_a_message_looks_as_lambda_shows_it(template: Template):
    message = Message('{"kind": "evaluation"}', sent_at=1.5, id="m1", receives=1, first_received_at=2.5)

    record = to_record(message, queue=template.queues["Bell"])

    assert record["messageId"] == "m1"
    assert json.loads(record["body"]) == {"kind": "evaluation"}
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"] == "1500"
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:Bell"


def test_no_more_run_at_once_than_the_template_allows(template: Template):
    guard, together, most = threading.Lock(), 0, 0
    done = threading.Semaphore(0)
    pair = threading.Barrier(2)

    def invoke(function: str, event: Any) -> None:
        nonlocal together, most
        with guard:
            together += 1
            most = max(most, together)
        pair.wait(5)
        with guard:
            together -= 1
        done.release()

    doorbells = Doorbells(template, invoke=invoke)
    for _ in range(6):
        doorbells.send(template.queues["Bell"].url, "{}")
    doorbells.start()
    for _ in range(6):
        assert done.acquire(timeout=5)
    doorbells.stop()

    assert most == 2


def test_a_ring_reaches_the_function_at_once(served: Served, template: Template):
    work.rang.clear()

    served.cloud.doorbells.send(template.queues["Bell"].url, '{"kind": "bell"}')

    assert work.rang.wait(1)
    assert work.seen[-1]["Records"][0]["body"] == '{"kind": "bell"}'


def test_a_consumer_goes_on_after_an_error_that_nobody_expected(
    template: Template, caplog: pytest.LogCaptureFixture
):
    delivered = threading.Semaphore(0)

    def break_down(function: str, event: Any) -> None:
        delivered.release()
        raise OSError("no disk")

    doorbells = Doorbells(template, invoke=break_down)
    for _ in range(CONSUMER.most_at_once + 1):
        doorbells.send(template.queues["Bell"].url, "{}")
    doorbells.start()

    for _ in range(CONSUMER.most_at_once + 1):
        assert delivered.acquire(timeout=5)
    doorbells.stop()
    assert "Bell: a message could not be delivered" in caplog.text
