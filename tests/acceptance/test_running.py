"""The system itself: lost doorbells, Ctrl-C, kill -9, the demo."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.acceptance.conftest import ROOT, System


def test_a_job_whose_doorbell_was_lost_waits_and_the_schedule_finds_it(deaf: System):
    accepted = deaf.post("lead_123")
    job_id = accepted.json()["data"]["job_id"]
    waiting, repeated = deaf.get(job_id), deaf.post("lead_123")

    assert (waiting.status_code, waiting.json()["data"]["status"]) == (202, "pending")
    assert int(waiting.headers["retry-after"]) > 0
    assert (repeated.status_code, repeated.json()["error"]) == (409, "JobAlreadyPending")
    assert repeated.json()["job_id"] == job_id

    fired = deaf.client.get("/__scheduled", params={"cron": "* * * * *"})

    assert fired.json()["fired"][0]["function"] == "JobPickup"
    assert deaf.wait_for(job_id)["status"] == "completed"


def test_a_job_is_started_by_its_doorbell_alone(unscheduled: System):
    jobs = [unscheduled.post(f"lead_{number:03}").json()["data"]["job_id"] for number in range(1, 6)]

    assert {unscheduled.wait_for(job_id)["status"] for job_id in jobs} == {"completed"}


def test_after_a_kill_every_accepted_job_is_there_and_finishes(deaf: System):
    jobs = [deaf.post(f"lead_{number:03}").json()["data"]["job_id"] for number in range(1, 6)]

    deaf.stop(signal.SIGKILL)
    deaf.flags = ()
    deaf.start()

    assert {deaf.wait_for(job_id)["status"] for job_id in jobs} == {"completed"}


def test_ctrl_c_ends_it_cleanly_and_nothing_is_lost(stopped: System):
    stopped.start()
    jobs = [stopped.post(f"lead_{number:03}").json()["data"]["job_id"] for number in range(1, 11)]

    status = stopped.stop(signal.SIGINT)
    stopped.start()

    assert status == 0
    assert "Millrace has stopped." in stopped.said()
    assert {stopped.wait_for(job_id)["status"] for job_id in jobs} == {"completed"}


def test_what_is_there_at_a_second_start_is_left_as_it_is(stopped: System):
    stopped.start()
    job_id = stopped.post("lead_123").json()["data"]["job_id"]
    evaluation = stopped.wait_for(job_id)["evaluation"]

    stopped.stop()
    stopped.start()

    assert stopped.get(job_id).json()["data"]["evaluation"] == evaluation


def test_the_demo_succeeds_as_often_as_one_likes(system: System, tmp_path: Path):
    for _ in range(2):
        demo = subprocess.run(
            [sys.executable, "-m", "local.demo", "--port", str(system.port), "--folder", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert (demo.returncode, demo.stderr) == (0, "")
        assert "Everything went as it should." in demo.stdout
        rendered = {path.name for path in tmp_path.iterdir()}
        assert rendered == {"clip.mp4", "framing.mp4", "overlay.mp4", "annotate.mp4", "clips.tsv"}
