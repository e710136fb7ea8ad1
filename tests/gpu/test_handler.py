"""What RunPod calls: a whole job in a thread, and the provider's own way to stop it."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gpu import handler
from tests.gpu.platform import SECRET

ROOT = Path(__file__).parents[2]
NO_ORDERS = [None, {}, {"job_id": "j1"}, {"job_id": "j1", "attempt": 0, "callback_url": "a"}]


def job(platform):
    given = {"job_id": "j1", "attempt": 1, "callback_url": platform.callback_url}
    return {"id": "r1", "input": given}


def test_a_job_of_the_providers_queue_is_done(platform):
    outcome = asyncio.run(handler.handle(job(platform)))

    assert outcome["event"] == "complete"
    assert platform.events[0] == "started"
    assert "out.mp4" in platform.objects


@pytest.mark.parametrize("given", NO_ORDERS)
def test_an_input_that_is_no_order_is_refused(given, caplog):
    outcome = asyncio.run(handler.handle({"id": "r1", "input": given}))

    assert outcome == {"error": "The input is no render order: job_id, attempt and callback_url."}
    assert caplog.text == ""


def test_the_provider_ends_a_job_by_cancelling_it(platform):
    started, cancelled = threading.Event(), threading.Event()

    def answer(report, *_):
        if isinstance(report, dict) and report["event"] == "started":
            started.set()
            assert cancelled.wait(20)

    async def cancel():
        task = asyncio.create_task(handler.handle(job(platform)))
        await asyncio.to_thread(started.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled.set()

    platform.answers = answer

    # It returns when the thread of the work has ended too.
    asyncio.run(cancel())

    assert platform.events == ["started"]
    assert platform.asked == []


def test_requests_are_not_logged_since_their_links_are_secrets(platform, caplog):
    caplog.set_level("INFO")

    asyncio.run(handler.handle(job(platform)))

    assert SECRET not in caplog.text


def test_the_worker_needs_nothing_of_the_layer_but_its_domain():
    # What the Dockerfile copies; the SDK, which only the image has, is imported when the file is run.
    code = (
        "import sys, gpu.handler;"
        "rooms = {name.split('.')[1] for name in sys.modules if name.startswith('millrace.')};"
        "assert rooms <= {'domain', 'errors'}, rooms;"
        "assert not {'runpod', 'boto3', 'aws_lambda_powertools'} & set(sys.modules)"
    )
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/shared'}"}

    done = subprocess.run(
        [sys.executable, "-c", code], env=paths, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
