"""How RunPod tells that a job has ended: at most three times, ten seconds apart."""

import pytest

from local.runpod.mischief import Fault
from tests.bindings.loopback import refusing
from tests.runpod_bed import receiver


def end_one(bed, *, webhook, output="done"):
    job_id = bed.run(webhook=webhook)
    worker, _ = bed.take()
    bed.finish(worker, job_id, output=output)
    return job_id


def test_an_end_is_told_once_and_as_status_would_say_it(bed):
    with receiver() as hook:
        job_id = end_one(bed, webhook=hook.url)
        bed.runpod.tend()
        bed.clock.advance(60)
        bed.runpod.tend()

    assert hook.told == [bed.status(job_id).json()]
    assert hook.told[0]["status"] == "COMPLETED"


def test_nobody_is_told_that_a_job_runs(bed):
    with receiver() as hook:
        bed.run(webhook=hook.url)
        bed.take()
        bed.runpod.tend()

    assert hook.told == []


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED", "TIMED_OUT"])
def test_every_end_is_told(bed, status):
    with receiver() as hook:
        job_id = bed.run(webhook=hook.url)
        worker, _ = bed.take()
        match status:
            case "FAILED":
                bed.finish(worker, job_id, error="no")
            case "CANCELLED":
                bed.cancel(job_id)
            case "TIMED_OUT":
                bed.clock.advance(600)
        bed.runpod.tend()

    assert [told["status"] for told in hook.told] == [status]


def test_a_job_that_was_forgotten_is_not_spoken_of(bed):
    with receiver() as hook:
        bed.run(webhook=hook.url, policy={"ttl": 10_000})
        bed.clock.advance(10)
        bed.runpod.tend()

    assert hook.told == []


@pytest.mark.parametrize("status", [201, 302, 400, 404, 500])
def test_anything_but_200_is_tried_three_times_ten_seconds_apart(bed, status):
    with receiver(*[status] * 9) as hook:
        end_one(bed, webhook=hook.url)

        counts = []
        for _ in range(5):
            bed.runpod.tend()
            counts.append(len(hook.told))
            bed.clock.advance(9)
            bed.runpod.tend()
            bed.clock.advance(1)

    assert counts == [1, 2, 3, 3, 3]
    assert bed.runpod.outbox.given_up == 1


def test_once_it_is_taken_it_is_not_told_again(bed):
    with receiver(500) as hook:
        end_one(bed, webhook=hook.url)
        for _ in range(4):
            bed.runpod.tend()
            bed.clock.advance(10)

    assert len(hook.told) == 2


def test_a_webhook_that_nobody_answers_is_given_up(bed):
    end_one(bed, webhook=f"{refusing()}/hook")

    for _ in range(4):
        bed.runpod.tend()
        bed.clock.advance(10)

    assert bed.runpod.outbox.given_up == 1


def test_a_webhook_can_be_lost(bed):
    bed.mischief.do_next(Fault.LOSE_WEBHOOK)
    with receiver() as hook:
        end_one(bed, webhook=hook.url)
        bed.runpod.tend()
        bed.clock.advance(60)
        bed.runpod.tend()

    assert hook.told == []
    assert bed.mischief.done == {Fault.LOSE_WEBHOOK: 1}


def test_a_webhook_can_come_twice(bed):
    bed.mischief.do_next(Fault.DOUBLE_WEBHOOK)
    with receiver() as hook:
        end_one(bed, webhook=hook.url)
        bed.runpod.tend()

    assert len(hook.told) == 2


def test_a_webhook_can_be_late(bed):
    bed.mischief.do_next(Fault.DELAY_WEBHOOK)
    with receiver() as hook:
        end_one(bed, webhook=hook.url)
        bed.runpod.tend()
        assert hook.told == []

        bed.clock.advance(30)
        bed.runpod.tend()

    assert len(hook.told) == 1


def test_a_webhook_can_be_overtaken_by_the_next(bed):
    bed.mischief.do_next(Fault.REORDER_WEBHOOK)
    with receiver() as hook:
        first = end_one(bed, webhook=hook.url)
        bed.runpod.tend()
        second = end_one(bed, webhook=hook.url)
        bed.runpod.tend()

    assert [told["id"] for told in hook.told] == [second, first]


def test_a_webhook_that_none_overtakes_comes_late(bed):
    bed.mischief.do_next(Fault.REORDER_WEBHOOK)
    with receiver() as hook:
        end_one(bed, webhook=hook.url)
        bed.runpod.tend()
        bed.clock.advance(30)
        bed.runpod.tend()

    assert len(hook.told) == 1
