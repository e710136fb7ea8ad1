"""What RunPod's documentation says of a job's life, as the server on this machine keeps it."""

import threading
import time

from local.runpod.workers import STOP_SECONDS

MINUTE = 60
LONG = {"policy": {"executionTimeout": 900_000, "ttl": 3_600_000}}


def test_a_job_is_queued_taken_and_completed(bed):
    job_id = bed.run({"say": "hello"})
    assert bed.status(job_id).json() == {"id": job_id, "status": "IN_QUEUE"}

    bed.clock.advance(2)
    worker, job = bed.take()
    assert job == {"id": job_id, "input": {"say": "hello"}}
    told = {"id": job_id, "status": "IN_PROGRESS", "delayTime": 2_000, "workerId": worker}
    assert bed.status(job_id).json() == told

    bed.clock.advance(3.5)
    assert bed.finish(worker, job_id, output={"said": "hello"}).status_code == 200
    ended = {**told, "status": "COMPLETED", "executionTime": 3_500, "output": {"said": "hello"}}
    assert bed.status(job_id).json() == ended


def test_what_run_answers_is_the_id_and_that_it_is_queued(bed):
    with bed.client() as client:
        answer = client.post("run", json={"input": {}})

    assert answer.status_code == 200
    assert answer.json() == {"id": answer.json()["id"], "status": "IN_QUEUE"}


def test_a_job_that_ends_with_an_error_has_failed(bed):
    job_id = bed.run()
    worker, _ = bed.take()

    bed.finish(worker, job_id, error="no such file")

    told = bed.status(job_id).json()
    assert (told["status"], told["error"]) == ("FAILED", "no such file")


def test_progress_is_shown_as_the_output_of_what_still_runs(bed):
    job_id = bed.run()
    worker, _ = bed.take()

    bed.finish(worker, job_id, status="IN_PROGRESS", output="half")

    told = bed.status(job_id).json()
    assert (told["status"], told["output"]) == ("IN_PROGRESS", "half")


def test_jobs_are_taken_in_the_order_they_came(bed):
    ids = [bed.run(), bed.run()]

    assert [bed.take()[1]["id"] for _ in ids] == ids


def test_a_worker_that_waits_has_a_job_as_soon_as_it_comes_whoever_else_waits(bed):
    endpoint, taken = bed.runpod.endpoint, []
    waits = (
        lambda: endpoint.jobs_to_stop("other", wait_seconds=60),
        lambda: taken.append(endpoint.take("worker", wait_seconds=60).id),
    )
    threads = [threading.Thread(target=wait) for wait in waits]
    for count, thread in enumerate(threads, start=1):
        thread.start()
        while len(endpoint._changed._waiters) < count:
            time.sleep(0.01)

    job_id = bed.run()
    threads[1].join(timeout=30)
    endpoint.close()
    threads[0].join()

    assert taken == [job_id]


def test_a_queued_job_that_is_cancelled_is_never_taken(bed):
    job_id = bed.run()

    assert bed.cancel(job_id).json() == {"id": job_id, "status": "CANCELLED"}

    bed.runpod.tend()
    assert bed.machines == {}
    assert bed.status(job_id).json() == {"id": job_id, "status": "CANCELLED"}


def jobs_to_stop(bed, worker):
    answer = bed.ask_as(worker, "GET", f"job-stop/{worker}")
    return answer.json()["jobsToStop"] if answer.status_code == 200 else []


def test_the_worker_of_a_running_job_that_is_cancelled_is_told_once_and_soon_stopped(bed):
    job_id = bed.run()
    worker, _ = bed.take()
    assert jobs_to_stop(bed, worker) == []

    bed.cancel(job_id)
    assert bed.status(job_id).json()["status"] == "CANCELLED"
    assert [jobs_to_stop(bed, worker), jobs_to_stop(bed, worker)] == [[job_id], []]

    bed.runpod.tend()
    assert not bed.machines[worker].killed
    bed.clock.advance(STOP_SECONDS)
    bed.runpod.tend()
    assert bed.machines[worker].killed


def test_the_result_of_a_job_that_was_cancelled_is_not_taken(bed):
    job_id = bed.run()
    worker, _ = bed.take()
    bed.cancel(job_id)

    assert bed.finish(worker, job_id, output="too late").status_code == 404

    assert bed.status(job_id).json()["status"] == "CANCELLED"
    bed.runpod.tend()
    assert bed.machines[worker].killed


def test_a_worker_that_is_to_be_stopped_is_given_nothing_more(bed):
    job_id = bed.run()
    worker, _ = bed.take()
    bed.cancel(job_id)
    other = bed.run()

    assert bed.ask_as(worker, "GET", f"job-take/{worker}").status_code == 204
    assert bed.status(other).json()["status"] == "IN_QUEUE"


def test_cancelling_what_has_ended_changes_nothing(bed):
    job_id = bed.run()
    worker, _ = bed.take()
    bed.finish(worker, job_id, output="done")

    assert bed.cancel(job_id).json() == {"id": job_id, "status": "COMPLETED"}
    assert bed.status(job_id).json()["output"] == "done"


def test_a_job_that_runs_longer_than_it_may_times_out_and_its_worker_is_stopped(bed):
    job_id = bed.run(**LONG)
    worker, _ = bed.take()

    bed.clock.advance(899)
    bed.runpod.tend()
    assert bed.status(job_id).json()["status"] == "IN_PROGRESS"

    bed.clock.advance(1)
    bed.runpod.tend()
    told = bed.status(job_id).json()
    assert (told["status"], told["executionTime"]) == ("TIMED_OUT", 900_000)
    assert jobs_to_stop(bed, worker) == [job_id]
    bed.clock.advance(STOP_SECONDS)
    bed.runpod.tend()
    assert bed.machines[worker].killed


def test_without_a_policy_a_job_may_run_for_ten_minutes(bed):
    job_id = bed.run()
    bed.take()

    bed.clock.advance(10 * MINUTE)

    assert bed.status(job_id).json()["status"] == "TIMED_OUT"


def test_a_job_past_its_ttl_is_gone_while_it_waits(bed):
    job_id = bed.run(**LONG)

    bed.clock.advance(60 * MINUTE)

    assert bed.status(job_id).status_code == 404
    bed.runpod.tend()
    assert bed.machines == {}


def test_a_job_past_its_ttl_is_gone_even_while_it_runs_and_so_is_its_result(bed):
    job_id = bed.run(policy={"executionTimeout": 3_000_000, "ttl": 60_000})
    worker, _ = bed.take()

    bed.clock.advance(60)
    bed.runpod.tend()

    assert bed.status(job_id).status_code == 404
    assert bed.cancel(job_id).status_code == 404
    assert not bed.machines[worker].killed
    assert bed.finish(worker, job_id, output="for nobody").status_code == 404


def test_the_ttl_counts_from_the_submission_and_spares_no_result(bed):
    job_id = bed.run(policy={"ttl": 60_000})
    worker, _ = bed.take()
    bed.clock.advance(50)
    bed.finish(worker, job_id, output="done")

    bed.clock.advance(10)

    assert bed.status(job_id).status_code == 404


def test_a_result_is_kept_for_thirty_minutes(bed):
    job_id = bed.run()
    worker, _ = bed.take()
    bed.finish(worker, job_id, output="done")

    bed.clock.advance(30 * MINUTE - 1)
    assert bed.status(job_id).status_code == 200
    bed.clock.advance(1)
    assert bed.status(job_id).status_code == 404
