"""Workers are started when jobs wait and stopped when none do; as programs they outlive nobody."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.runpod import pod
from local.runpod.workers import IDLE_SECONDS, PAUSE_SECONDS, STOP_SECONDS, Process
from tests.runpod_bed import Machine, runpod_bed

WORKER = [sys.executable, "-m", "local.runpod.worker", "tests.runpod_worker:handle"]
ROOT = Path(__file__).parents[4]
ENOUGH = 60


def wait_for(condition, *, while_doing=lambda: None):
    """What the condition gives once it gives something."""
    give_up_at = time.monotonic() + ENOUGH
    while time.monotonic() < give_up_at:
        if found := condition():
            return found
        while_doing()
        time.sleep(0.01)
    raise AssertionError("it did not come to that")


def launch(_worker, variables):
    return Process(WORKER, variables=variables)


@pytest.fixture
def programs(monkeypatch):
    """A RunPod whose workers are programs."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with runpod_bed(launch=launch) as bed:
        yield bed


def run_to_the_end(bed, given):
    job_id = bed.run(given)

    def ended():
        told = bed.status(job_id).json()
        return told if told["status"] not in ("IN_QUEUE", "IN_PROGRESS") else None

    return wait_for(ended, while_doing=bed.runpod.tend)


def test_there_are_as_many_workers_as_jobs_wait_but_no_more_than_may_be(bed):
    for _ in range(2):
        bed.run()
    bed.runpod.tend()
    assert len(bed.machines) == 2

    for _ in range(5):
        bed.run()
    bed.runpod.tend()
    bed.runpod.tend()
    assert len(bed.machines) == 3


def test_a_worker_goes_on_with_the_next_job(bed):
    bed.run()
    worker, job = bed.take()
    bed.finish(worker, job["id"], output=1)
    bed.run()

    assert bed.take()[0] == worker
    assert len(bed.machines) == 1


def test_a_worker_that_has_nothing_to_do_is_stopped(bed):
    bed.run()
    worker, job = bed.take()
    bed.runpod.tend()
    bed.clock.advance(100)
    bed.runpod.tend()
    assert not bed.machines[worker].killed

    bed.finish(worker, job["id"], output=1)
    bed.clock.advance(IDLE_SECONDS - 1)
    bed.runpod.tend()
    assert not bed.machines[worker].killed
    bed.clock.advance(1)
    bed.runpod.tend()
    assert bed.machines[worker].killed


def test_a_worker_that_asks_to_be_stopped_is(bed):
    bed.run()
    worker, job = bed.take()

    bed.finish(worker, job["id"], output=1, stopPod=True)
    bed.runpod.tend()

    assert bed.machines[worker].killed


def test_what_a_worker_that_ended_worked_on_has_failed(bed):
    job_id = bed.run()
    worker, _ = bed.take()

    bed.machines[worker].over = True
    bed.runpod.tend()

    assert bed.status(job_id).json()["status"] == "FAILED"


def test_a_worker_that_does_not_start_is_not_started_over_and_over(bed, caplog):
    job_id = bed.run()
    bed.runpod.tend()
    (first,) = bed.machines.values()
    first.over = True

    for _ in range(3):
        bed.runpod.tend()
    assert len(bed.machines) == 1
    assert "Does its command start?" in caplog.text

    bed.clock.advance(PAUSE_SECONDS)
    bed.runpod.tend()
    assert len(bed.machines) == 2
    assert bed.status(job_id).json()["status"] == "IN_QUEUE"


def test_a_worker_that_could_not_be_started_is_started_as_soon_as_it_can_be(caplog):
    tries = []

    def launch(worker, variables):
        tries.append(worker)
        if len(tries) == 1:
            raise BlockingIOError("no more processes")
        return Machine(dict(variables))

    with runpod_bed(launch=launch) as bed:
        bed.run()
        bed.runpod.go_on_by_itself()

        wait_for(lambda: bed.runpod.fleet.counts()["idle"] == 1)

    assert "no more processes" in caplog.text


def test_a_program_takes_jobs_and_brings_their_results(programs):
    told = run_to_the_end(programs, {"say": "hello"})
    assert (told["status"], told["output"]) == ("COMPLETED", {"say": "hello"})

    told = run_to_the_end(programs, {"fail": "no such file"})
    assert (told["status"], told["error"]) == ("FAILED", "no such file")

    told = run_to_the_end(programs, {"raise": "too small"})
    assert (told["status"], told["error"]) == ("FAILED", "ValueError: too small")


def test_a_program_that_ends_in_its_job_fails_it_and_another_takes_the_next(programs):
    assert run_to_the_end(programs, {"die": 3})["status"] == "FAILED"
    assert run_to_the_end(programs, {"say": "hello"})["status"] == "COMPLETED"


def test_a_program_is_told_what_a_worker_is_and_no_secret_of_this_process(programs, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "opens nothing")

    told = run_to_the_end(programs, {"tell": "variables"})["output"]

    assert told["RUNPOD_ENDPOINT_ID"] == "renders"
    assert told["RUNPOD_POD_ID"]
    assert told["HOME"] == told["TMPDIR"] != os.environ.get("HOME")
    assert not [name for name in told if name.startswith("AWS_")]


def test_a_program_ends_the_job_that_is_cancelled_and_is_stopped(programs):
    job_id = programs.run({"wait": True})
    wait_for(programs.runpod.endpoint.busy, while_doing=programs.runpod.tend)
    (known,) = programs.runpod.fleet._pods.values()

    programs.cancel(job_id)

    # By the clock that stands still, it is not time yet to stop a program that goes on.
    wait_for(known.worker.is_over, while_doing=programs.runpod.tend)
    assert programs.status(job_id).json()["status"] == "CANCELLED"


def test_a_program_that_does_not_end_the_job_that_is_cancelled_is_killed(programs):
    job_id = programs.run({"hang": True})
    wait_for(programs.runpod.endpoint.busy, while_doing=programs.runpod.tend)
    (known,) = programs.runpod.fleet._pods.values()

    programs.cancel(job_id)
    programs.runpod.tend()
    programs.clock.advance(STOP_SECONDS)
    programs.runpod.tend()

    assert known.worker.is_over()


def test_a_program_and_its_folder_end_with_who_started_it_however_that_ends(tmp_path):
    own = tmp_path / "own"
    said = "f'{os.getpid()} {os.environ[\"TMPDIR\"]}\\n'"
    program = f"import os, signal; open({str(own)!r}, 'w').write({said}); signal.pause()"
    started = subprocess.Popen(
        [sys.executable, "-I", pod.__file__, sys.executable, "-c", program], stdin=subprocess.PIPE
    )
    told = wait_for(lambda: own.exists() and own.read_text().endswith("\n") and own.read_text())
    process_id, folder = int(told.split()[0]), Path(told.split()[1])
    os.kill(process_id, 0)
    assert folder.is_dir()

    # As when it is killed: nobody tells the pod anything, the pipe just closes.
    started.stdin.close()

    started.wait(ENOUGH)
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)
    assert not folder.exists()
