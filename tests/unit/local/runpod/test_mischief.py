"""What the server on this machine does wrong when it is told to."""

import threading

import httpx
import pytest

from local.runpod.mischief import ANSWERS, CALLBACKS, WEBHOOKS, Fault, Mischief, read_rates
from local.runpod.relay import DELAY_SECONDS
from tests.runpod_bed import receiver

REPORT = {"event": "progress", "progress": 40}


def test_without_being_told_it_does_nothing_wrong():
    mischief = Mischief()

    assert [mischief.pick(tuple(Fault)) for _ in range(1_000)] == [None] * 1_000


def test_the_same_seed_does_the_same_wrong():
    def picks(seed):
        mischief = Mischief({Fault.HANG: 0.2, Fault.CUT: 0.2}, seed=seed)
        return [mischief.pick(tuple(Fault)) for _ in range(100)]

    assert picks(7) == picks(7)
    assert picks(7) != picks(8)
    assert set(picks(7)) == {None, Fault.HANG, Fault.CUT}


def test_what_is_to_be_done_next_waits_for_its_occasion():
    mischief = Mischief()
    mischief.do_next(Fault.LOSE_WEBHOOK, Fault.CUT)

    assert mischief.pick((Fault.CUT,)) is None
    assert mischief.pick((Fault.LOSE_WEBHOOK,)) == Fault.LOSE_WEBHOOK
    assert mischief.pick((Fault.CUT,)) == Fault.CUT


def test_rates_are_read_by_name():
    rates = read_rates("lose_webhook=0.5, hang=0.01")

    assert rates == {Fault.LOSE_WEBHOOK: 0.5, Fault.HANG: 0.01}
    assert read_rates("") == {}


@pytest.mark.parametrize("text", ["explode=1", "hang", "hang=often", "hang=1.1", "hang=-1", "hang=nan"])
def test_a_rate_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        read_rates(text)


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.ANSWER_429, 429), (Fault.ANSWER_500, 500), (Fault.ANSWER_404, 404)]
)
def test_a_refusal_out_of_the_blue_does_nothing_else(bed, fault, status):
    bed.mischief.do_next(fault)
    with bed.client() as client:
        answer = client.post("run", json={"input": {}})
        assert client.get("health").json()["jobs"]["inQueue"] == 0

    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)


def test_null_is_answered_to_what_was_done(bed):
    bed.mischief.do_next(Fault.ANSWER_NULL)
    with bed.client() as client:
        answer = client.post("run", json={"input": {}})
        assert client.get("health").json()["jobs"]["inQueue"] == 1

    assert (answer.status_code, answer.json()) == (200, None)


def test_the_line_is_cut_after_what_was_done(bed):
    bed.mischief.do_next(Fault.CUT)
    with bed.client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("run", json={"input": {}})
        assert client.get("health").json()["jobs"]["inQueue"] == 1


def test_an_answer_can_hang_until_the_client_has_had_enough(bed):
    bed.mischief.do_next(Fault.HANG)
    with bed.client() as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("run", json={"input": {}}, timeout=0.2)
        assert client.get("health").json()["jobs"]["inQueue"] == 1


def test_a_worker_can_be_killed_in_its_job(bed):
    bed.mischief.do_next(Fault.KILL_WORKER)
    job_id = bed.run()
    worker, _ = bed.take()
    bed.runpod.tend()
    assert bed.status(job_id).json()["status"] == "IN_PROGRESS"

    bed.clock.advance(1)
    bed.runpod.tend()

    assert bed.machines[worker].killed
    told = bed.status(job_id).json()
    assert (told["status"], told["error"]) == ("FAILED", "the worker ended without a result")


def test_workers_call_back_directly_as_long_as_callbacks_do_not_go_wrong(bed):
    bed.run({"callback_url": "http://127.0.0.1/callback"})

    assert bed.take()[1]["input"] == {"callback_url": "http://127.0.0.1/callback"}


def call_back(bed, fault, *, url):
    """The worker's link to a callback that this is to happen to."""
    bed.mischief.do_next(fault)
    bed.run({"callback_url": url, "say": "hello"})
    given = bed.take()[1]["input"]
    assert given["say"] == "hello"
    assert given["callback_url"].startswith(bed.runpod.url.removesuffix("/v2"))
    return given["callback_url"]


def test_a_callback_can_be_lost_before_it_arrives(bed):
    with receiver() as platform:
        url = call_back(bed, Fault.LOSE_CALLBACK, url=platform.url)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(url, json=REPORT)
        assert platform.told == []

        answer = httpx.post(url, json=REPORT)

    assert platform.told == [REPORT]
    assert answer.json() == {"success": True, "data": {"stop": False}}


def test_the_answer_to_a_callback_can_be_lost(bed):
    with receiver() as platform:
        url = call_back(bed, Fault.LOSE_CALLBACK_ANSWER, url=platform.url)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(url, json=REPORT)

    assert platform.told == [REPORT]


def test_a_callback_can_arrive_twice(bed):
    with receiver() as platform:
        url = call_back(bed, Fault.DOUBLE_CALLBACK, url=platform.url)
        assert httpx.post(url, json=REPORT).status_code == 200

    assert platform.told == [REPORT, REPORT]


def test_a_callback_can_be_late(bed):
    with receiver() as platform:
        url = call_back(bed, Fault.DELAY_CALLBACK, url=platform.url)
        assert httpx.post(url, json=REPORT).status_code == 200

    assert bed.waits == [DELAY_SECONDS]
    assert platform.told == [REPORT]


def test_a_callback_can_be_overtaken_by_the_next(bed):
    first, second = {"progress": 1}, {"progress": 2}
    with receiver() as platform:
        url = call_back(bed, Fault.REORDER_CALLBACK, url=platform.url)
        held = threading.Thread(target=lambda: httpx.post(url, json=first, timeout=30))
        held.start()
        while not bed.mischief.done[Fault.REORDER_CALLBACK]:
            threading.Event().wait(0.01)
        # Until it is heard of, one callback after the other may overtake it.
        while first not in platform.told:
            httpx.post(url, json=second)
        held.join()

    assert platform.told[0] == second


def test_what_the_platform_refuses_the_worker_hears(bed):
    with receiver(409) as platform:
        url = call_back(bed, Fault.DOUBLE_CALLBACK, url=platform.url)
        assert [httpx.post(url, json=REPORT).status_code for _ in range(2)] == [200, 200]

    assert len(platform.told) == 3


def test_every_fault_has_its_occasion():
    assert {*ANSWERS, *WEBHOOKS, *CALLBACKS, Fault.KILL_WORKER} == set(Fault)
