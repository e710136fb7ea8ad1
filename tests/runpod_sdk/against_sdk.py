"""Holds the RunPod of this machine against RunPod's own SDK: its clients, and its worker.

`make sdk` runs this with the SDK in an environment of its own: it brings some 90 packages, 170 MB.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.runpod.server import LocalRunpod, Wanted
from local.runpod.workers import Process
from millrace.bindings.gpu.runpod import Runpod
from millrace.domain.model_access import Account, Key
from tests.gpu.conftest import FRAMING
from tests.gpu.films import make_film
from tests.gpu.platform import running_platform
from tests.runpod_bed import receiver

ROOT = Path(__file__).parents[2]
PYTHON = os.environ["RUNPOD_PYTHON"]
KEY = "key-of-the-test"
WORKERS = {
    "the SDK's worker": [PYTHON, "-m", "tests.runpod_sdk.worker"],
    "the worker of this machine": [sys.executable, "-m", "local.runpod.worker", "tests.runpod_worker:handle"],
}

RENDERER = [PYTHON, "-m", "gpu.handler"]


def launching(command):
    def launch(_worker, variables):
        return Process(command, variables=variables)

    return launch


@pytest.fixture(autouse=True)
def path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'layers' / 'shared'}")


@pytest.fixture(params=WORKERS)
def runpod(request):
    wanted = Wanted(launch=launching(WORKERS[request.param]), key=KEY, most_workers=1)
    with LocalRunpod(wanted) as runpod:
        yield runpod.go_on_by_itself()


def test_the_sdk_s_clients_take_it_for_runpod(runpod, tmp_path):
    client = subprocess.run(
        [PYTHON, "-m", "tests.runpod_sdk.client"],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": os.environ["PYTHONPATH"],
            "RUNPOD_ENDPOINT_BASE_URL": runpod.url,
            "RUNPOD_ENDPOINT_ID": "local",
            "RUNPOD_API_KEY": KEY,
        },
        stdout=subprocess.PIPE,
        text=True,
        timeout=180,
        check=True,
    )

    assert json.loads(client.stdout) == {
        "output": {"say": "hello"},
        "completed": "COMPLETED",
        "failed": "FAILED",
        "queued": "IN_QUEUE",
        "purged": {"removed": 1, "status": "completed"},
        "cancelled": ["CANCELLED", "CANCELLED"],
        "health": {"completed": 1, "failed": 1, "inProgress": 0, "inQueue": 0, "retried": 0},
        "refused": "401 Unauthorized | Make sure Runpod API key is set and valid.",
        "asyncio": {"output": {"say": "hello again"}, "cancelled": "CANCELLED"},
    }


def test_the_render_worker_renders_as_it_does_in_its_image(tmp_path):
    with running_platform() as platform, receiver() as hook:
        platform.objects["input.mp4"] = make_film(tmp_path / "reel.mp4", beeps=()).read_bytes()
        platform.assign("framing", params=FRAMING)
        payload = {"job_id": "j1", "attempt": 1, "callback_url": platform.callback_url}
        with LocalRunpod(Wanted(launch=launching(RENDERER), key=KEY)) as runpod:
            runpod.go_on_by_itself()
            gpu = Runpod.of(Account(f"{runpod.url}/local", Key("GPU_KEY", value=KEY)))
            gpu.submit(payload, webhook_url=hook.url, execution_seconds=600, ttl_seconds=1_200)
            give_up_at = time.monotonic() + 180
            while not hook.told and time.monotonic() < give_up_at:
                time.sleep(0.1)

    assert [told["status"] for told in hook.told] == ["COMPLETED"]
    assert platform.events[-1] == "complete"
    assert "out.mp4" in platform.objects
