"""Which requests are answered and which are refused: without the key, malformed, too large, too many."""

import httpx
import pytest

from tests.runpod_bed import KEY


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer wrong", f"Basic {KEY}"])
@pytest.mark.parametrize(("method", "path"), [("POST", "run"), ("GET", "status/1"), ("POST", "cancel/1")])
def test_without_the_key_nothing_is_answered(bed, key, method, path):
    with bed.client(key=key) as client:
        assert client.request(method, path, json={"input": {}}).status_code == 401


def test_the_key_may_come_bare_as_in_the_documentation_s_examples(bed):
    with bed.client(key=KEY) as client:
        assert client.get("health").status_code == 200


def test_workers_have_a_key_of_their_own(bed):
    bed.run()
    bed.runpod.tend()
    (worker,) = bed.machines

    with bed.client() as client:
        assert client.get(f"job-take/{worker}").status_code == 401
    assert bed.machines[worker].variables["RUNPOD_AI_API_KEY"] != KEY


def test_another_endpoint_is_not_there(bed):
    answer = httpx.get(f"{bed.runpod.url}/other/health", headers={"Authorization": KEY})

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{",
        b"[]",
        b'{"prompt": 1}',
        b'{"input": "text"}',
        b'{"input": {}, "webhook": 1}',
        b'{"input": {}, "webhook": "nowhere"}',
        b'{"input": {}, "webhook": "http://somewhere:port/"}',
        b'{"input": {}, "policy": []}',
        b'{"input": {}, "policy": {"executionTimeout": 4999}}',
        b'{"input": {}, "policy": {"executionTimeout": 900.5}}',
        b'{"input": {}, "policy": {"ttl": 9999}}',
        b'{"input": {}, "policy": {"ttl": 604800001}}',
        b'{"input": {}, "policy": {"ttl": true}}',
    ],
)
def test_what_cannot_be_run_is_refused(bed, body):
    with bed.client() as client:
        answer = client.post("run", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_more_than_ten_megabytes_are_refused(bed):
    with bed.client() as client:
        content = b'{"input": {"say": "' + b"x" * 10_000_000 + b'"}}'
        assert client.post("run", content=content).status_code == 413
        assert client.post("run", content=content[:9_999_900] + b'"}}').status_code == 200


def test_how_often_is_limited_for_each_operation_and_ten_seconds(bed):
    with bed.client() as client:
        answers = [client.post("cancel/1") for _ in range(101)]
        assert [answer.status_code for answer in answers] == [404] * 100 + [429]
        assert answers[-1].headers["Retry-After"] == "10"
        assert client.get("status/1").status_code == 404

        bed.clock.advance(10)
        assert client.post("cancel/1").status_code == 404


def test_a_queue_too_long_for_its_workers_takes_no_more(bed, monkeypatch):
    monkeypatch.setattr("local.runpod.jobs.QUEUE", 2)
    monkeypatch.setattr("local.runpod.jobs.QUEUE_OF_A_WORKER", 0)
    for _ in range(3):
        bed.run()

    with bed.client() as client:
        assert client.post("run", json={"input": {}}).status_code == 429


def test_health_counts_jobs_and_workers(bed):
    bed.run()
    bed.run()
    worker, job = bed.take()
    bed.finish(worker, job["id"], output=1)

    with bed.client() as client:
        assert client.get("health").json() == {
            "jobs": {"completed": 1, "failed": 0, "inProgress": 0, "inQueue": 1, "retried": 0},
            "workers": {"idle": 2, "running": 0},
        }


def test_purging_cancels_what_waits_and_nothing_else(bed):
    running = bed.run()
    bed.take()
    waiting = bed.run()

    with bed.client() as client:
        assert client.post("purge-queue").json() == {"removed": 1, "status": "completed"}

    assert bed.status(running).json()["status"] == "IN_PROGRESS"
    assert bed.status(waiting).json()["status"] == "CANCELLED"


def test_what_it_does_not_play_is_not_there(bed):
    with bed.client() as client:
        assert client.post("runsync", json={"input": {}}).status_code == 404
        assert client.get("run").status_code == 405
