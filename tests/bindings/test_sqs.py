import json
import logging
import threading
import time
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from millrace.bindings.queue import RING_SECONDS, InProcessQueue, NoQueue, SqsQueue
from millrace.errors import QueueUnavailable
from tests.bindings.loopback import QuietHandler, accepting, refusing, serving

EVALUATION = "https://sqs.eu-west-1.amazonaws.com/123456789012/evaluation"

# A server here would keep its caller waiting for ever. RING_SECONDS is what is meant; a busy machine is late.
LONG = 10


@pytest.fixture
def sqs():
    with mock_aws():
        yield boto3.client("sqs")


def bodies_in(sqs, url: str) -> list[dict]:
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def ring_at(address: str, monkeypatch, *, count: int = 1) -> float:
    """Ring at a queue that lives at this address. The seconds it took, once its client was made."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", address)
    queue = SqsQueue({"evaluation": EVALUATION})
    queue.ring("evaluation", count=0)
    started = time.monotonic()
    queue.ring("evaluation", count=count)
    return time.monotonic() - started


def the_loss(caplog) -> logging.LogRecord:
    (record,) = [record for record in caplog.records if record.name.startswith("millrace")]
    assert record.message == "doorbell_lost"
    assert record.kind == "evaluation"
    return record


def test_a_ring_is_one_message_that_names_the_kind(sqs, caplog):
    url = sqs.create_queue(QueueName="evaluation")["QueueUrl"]
    queue = SqsQueue({"evaluation": url})

    queue.ring("evaluation")

    assert queue.configured
    assert bodies_in(sqs, url) == [{"kind": "evaluation"}]
    assert not caplog.records


def test_each_kind_has_its_queue(sqs):
    urls = {kind: sqs.create_queue(QueueName=kind)["QueueUrl"] for kind in ("evaluation", "export")}

    SqsQueue(urls).ring("export", count=2)

    assert bodies_in(sqs, urls["evaluation"]) == []
    assert bodies_in(sqs, urls["export"]) == [{"kind": "export"}] * 2


def test_many_rings_are_many_messages(sqs):
    url = sqs.create_queue(QueueName="evaluation")["QueueUrl"]

    SqsQueue({"evaluation": url}).ring("evaluation", count=23)

    assert len(bodies_in(sqs, url)) == 23


def test_what_would_take_too_long_is_given_up(sqs, monkeypatch, caplog):
    url = sqs.create_queue(QueueName="evaluation")["QueueUrl"]
    stopwatch = iter([0.0, 0.0, 0.5, 1.0])
    monkeypatch.setattr("millrace.bindings.queue.time", SimpleNamespace(monotonic=lambda: next(stopwatch)))

    SqsQueue({"evaluation": url}).ring("evaluation", count=50)

    assert len(bodies_in(sqs, url)) == 20
    assert the_loss(caplog).cause == "TimeoutError: too many to be sent in time"
    assert the_loss(caplog).count == 30


def test_a_delayed_ring_is_not_heard_yet(sqs):
    url = sqs.create_queue(QueueName="evaluation")["QueueUrl"]

    SqsQueue({"evaluation": url}).ring("evaluation", delay_seconds=10_000)

    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert counted["ApproximateNumberOfMessagesDelayed"] == "1"
    assert bodies_in(sqs, url) == []


def test_a_queue_that_is_gone_is_a_lost_doorbell(sqs, caplog):
    SqsQueue({"evaluation": EVALUATION}).ring("evaluation", count=3)

    assert the_loss(caplog).count == 3
    assert "QueueDoesNotExist" in the_loss(caplog).cause or "NonExistentQueue" in the_loss(caplog).cause


def test_a_kind_without_a_queue_is_a_lost_doorbell(caplog):
    SqsQueue({"export": EVALUATION}).ring("evaluation")

    assert "no queue is configured" in the_loss(caplog).cause


def test_messages_that_sqs_refuses_are_a_lost_doorbell(monkeypatch, caplog):
    class RefuseOne(QuietHandler):
        def respond(self) -> None:
            failed = [{"Id": "0", "Code": "InternalError", "SenderFault": False}]
            self.answer(200, body=json.dumps({"Successful": [], "Failed": failed}).encode())

    with serving(RefuseOne) as address:
        ring_at(address, monkeypatch, count=5)

    assert the_loss(caplog).cause == "RuntimeError: SQS refused 1: InternalError"
    assert the_loss(caplog).count == 1


def test_a_server_that_answers_500_is_asked_once(monkeypatch, caplog):
    asked = []

    class Fail(QuietHandler):
        def respond(self) -> None:
            asked.append(self.path)
            self.answer(500, body=b"{}")

    with serving(Fail) as address:
        seconds = ring_at(address, monkeypatch)

    assert len(asked) == 1
    assert seconds < LONG
    assert "500" in the_loss(caplog).cause


def test_a_server_that_refuses_the_connection_costs_no_more_than_a_second(monkeypatch, caplog):
    seconds = ring_at(refusing(), monkeypatch)

    assert seconds < LONG
    assert "EndpointConnectionError" in the_loss(caplog).cause


def test_the_longest_wait_is_below_a_second():
    assert RING_SECONDS < 1


def test_a_server_that_hangs_costs_no_more_than_a_second(monkeypatch, caplog):
    with accepting(lambda connection: None) as address:
        seconds = ring_at(address, monkeypatch, count=50)

    assert seconds < LONG
    assert "Timeout" in the_loss(caplog).cause


def test_a_server_that_answers_in_drips_costs_no_more_than_a_second(monkeypatch, caplog):
    over = threading.Event()

    def drip(connection) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not over.wait(0.05):
            connection.sendall(b"a")

    with accepting(drip) as address:
        seconds = ring_at(address, monkeypatch)
        over.set()

    assert seconds < LONG
    assert the_loss(caplog).cause.startswith("TimeoutError")


def test_a_machine_without_credentials_loses_the_doorbell_and_says_so(monkeypatch, caplog):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    ring_at(refusing(), monkeypatch)

    assert "NoCredentials" in the_loss(caplog).cause


def test_all_rings_of_a_process_share_one_client(sqs, monkeypatch):
    url = sqs.create_queue(QueueName="evaluation")["QueueUrl"]
    made = []
    make = boto3.client
    monkeypatch.setattr(boto3, "client", lambda *args, **named: made.append(args) or make(*args, **named))
    queue = SqsQueue({"evaluation": url})

    for _ in range(3):
        queue.ring("evaluation")

    assert made == [("sqs",)]
    assert len(bodies_in(sqs, url)) == 3


def queue_with_dead_letters(sqs, *, letters: int) -> tuple[SqsQueue, str]:
    """A queue, and the address of its dead letters."""
    dead = sqs.create_queue(QueueName="evaluation-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
    url = sqs.create_queue(QueueName="evaluation", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    for _ in range(letters):
        sqs.send_message(QueueUrl=dead, MessageBody='{"kind": "evaluation"}')
    return SqsQueue({"evaluation": url}), arn


@pytest.mark.parametrize("letters", [0, 3])
def test_dead_letters_are_put_back_by_sqs_itself_if_there_are_any(sqs, monkeypatch, letters):
    queue, arn = queue_with_dead_letters(sqs, letters=letters)
    client, started = queue._patient_client(), []
    monkeypatch.setattr(client, "start_message_move_task", lambda **given: started.append(given))

    assert queue.redrive("evaluation") == letters
    assert started == ([{"SourceArn": arn}] if letters else [])


def test_an_operator_outwaits_a_bad_moment_of_sqs_that_a_ring_would_not(monkeypatch):
    asked, pauses = [], []
    policy = json.dumps({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:letters"})
    known = {"RedrivePolicy": policy, "ApproximateNumberOfMessages": "0"}

    class Moody(QuietHandler):
        def respond(self) -> None:
            (name,) = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["AttributeNames"]
            asked.append(name)
            body = json.dumps({"Attributes": {name: known[name]}}).encode()
            self.answer(200 if len(asked) > 1 else 503, body=body)

    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=pauses.append))
    with serving(Moody) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", address)
        put_back = SqsQueue({"evaluation": f"{address}/123456789012/evaluation"}).redrive("evaluation")

    assert (put_back, asked, len(pauses)) == (0, ["RedrivePolicy"] * 2 + ["ApproximateNumberOfMessages"], 1)


def test_an_operator_waits_for_sqs_longer_than_a_ring_does():
    config = SqsQueue({})._patient_client().meta.config

    assert (config.connect_timeout, config.read_timeout) == (5, 10)


def test_what_cannot_be_put_back_is_an_error_that_says_why(sqs, monkeypatch):
    queue, _ = queue_with_dead_letters(sqs, letters=1)
    missing = SqsQueue({"evaluation": f"{EVALUATION}-missing"})

    with pytest.raises(QueueUnavailable, match="No queue is configured for the kind story"):
        queue.redrive("story")
    with pytest.raises(QueueUnavailable, match="SQS refused"):
        missing.redrive("evaluation")


@pytest.mark.parametrize("queue", [NoQueue(), InProcessQueue(lambda *_: None)])
def test_a_laptop_has_no_dead_letters_to_put_back(queue):
    with pytest.raises(QueueUnavailable):
        queue.redrive("evaluation")
