"""The worker as a program of its own, ordered through `env.GPU` from the RunPod of this machine."""

import sys
import time
from pathlib import Path

from local.runpod.server import LocalRunpod, Wanted
from local.runpod.workers import Process
from millrace.bindings.gpu.runpod import Runpod
from millrace.domain.gpu import read_runpod_status
from millrace.domain.model_access import Account, Key
from tests.runpod_bed import receiver

ROOT = Path(__file__).parents[2]
WORKER = [sys.executable, "-m", "local.runpod.worker", "gpu.handler:handle"]
ENOUGH = 120


def launch(_worker, variables):
    return Process(WORKER, variables={**variables, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'shared'}"})


def test_what_is_ordered_is_rendered_reported_and_kept_as_the_provider_s_result(platform):
    payload = {"job_id": "j1", "attempt": 1, "callback_url": platform.callback_url}
    with receiver() as hook, LocalRunpod(Wanted(launch=launch, key="of-the-test")) as runpod:
        runpod.go_on_by_itself()
        gpu = Runpod.of(Account(f"{runpod.url}/local", Key("GPU_KEY", value="of-the-test")))
        job_id = gpu.submit(payload, webhook_url=hook.url, execution_seconds=600, ttl_seconds=1_200)
        give_up_at = time.monotonic() + ENOUGH
        while not hook.told and time.monotonic() < give_up_at:
            time.sleep(0.05)
        status = gpu.status(job_id)

    assert status.state == "completed"
    assert status.output["event"] == "complete"
    assert status.execution_ms > 0
    assert platform.objects["out.mp4"][4:8] == b"ftyp"
    assert [platform.events[0], platform.events[-1]] == ["started", "complete"]
    assert {report["provider_job_id"] for report in platform.reports} == {job_id}
    assert read_runpod_status(hook.told[0]) == status
