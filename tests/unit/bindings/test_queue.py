import logging
import subprocess
import sys
import threading
import time

import pytest

from millrace.bindings.queue import InProcessQueue, NoQueue, batches, wait_at_most


def test_no_queue_is_not_configured_and_hears_nothing():
    NoQueue().ring("evaluation", count=3, delay_seconds=5)

    assert not NoQueue().configured


def test_a_ring_in_process_is_one_call_with_its_count_and_delay():
    heard = []
    queue = InProcessQueue(lambda *ring: heard.append(ring))

    queue.ring("evaluation")
    queue.ring("export", count=3, delay_seconds=60)

    assert queue.configured
    assert heard == [("evaluation", 1, 0), ("export", 3, 60)]


@pytest.mark.parametrize(("asked", "given"), [(-5, 0), (900, 900), (901, 900), (86_400, 900)])
def test_a_delay_is_kept_between_now_and_fifteen_minutes(asked, given):
    heard = []

    InProcessQueue(lambda *ring: heard.append(ring)).ring("evaluation", delay_seconds=asked)

    assert heard == [("evaluation", 1, given)]


def test_ringing_no_times_is_silence():
    heard = []

    InProcessQueue(lambda *ring: heard.append(ring)).ring("evaluation", count=0)

    assert heard == []
    assert list(batches("evaluation", count=0, delay_seconds=0)) == []


def test_a_consumer_that_fails_is_a_lost_doorbell_and_no_error(caplog):
    def fail(*_ring):
        raise RuntimeError("the consumer has stopped")

    with caplog.at_level(logging.WARNING):
        InProcessQueue(fail).ring("evaluation", count=2)

    (record,) = caplog.records
    assert record.message == "doorbell_lost"
    assert (record.kind, record.count) == ("evaluation", 2)
    assert record.cause == "RuntimeError: the consumer has stopped"


def test_messages_go_in_tens_each_with_an_id_of_its_own():
    calls = list(batches("evaluation", count=23, delay_seconds=7))

    assert [len(call) for call in calls] == [10, 10, 3]
    assert all(len({entry["Id"] for entry in call}) == len(call) for call in calls)
    assert calls[0][0] == {"Id": "0", "MessageBody": '{"kind": "evaluation"}', "DelaySeconds": 7}


def test_waiting_ends_with_the_work():
    done = []

    wait_at_most(5, work=lambda: done.append("done"))

    assert done == ["done"]


def test_waiting_raises_what_the_work_raised():
    def fail() -> None:
        raise LookupError("not there")

    with pytest.raises(LookupError, match="not there"):
        wait_at_most(5, work=fail)


def test_what_is_not_waited_for_does_not_keep_the_process_alive():
    program = (
        "import threading\n"
        "from millrace.bindings.queue import wait_at_most\n"
        "try:\n"
        "    wait_at_most(0.01, work=threading.Event().wait)\n"
        "except TimeoutError:\n"
        "    print('given up')\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )

    assert ended.stdout == "given up\n"


def test_waiting_ends_when_its_time_is_up():
    release = threading.Event()
    started = time.monotonic()

    with pytest.raises(TimeoutError):
        wait_at_most(0.05, work=release.wait)

    assert time.monotonic() - started < 1
    release.set()
