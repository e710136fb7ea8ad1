"""An export on the RunPod of this machine: ordered, called back over HTTP, told of, looked up."""

from contextlib import contextmanager

import httpx
import pytest

from functions.gpu_callback.app import handler
from local.runpod.mischief import Fault
from millrace.bindings.gpu.runpod import Runpod
from millrace.domain.jobs import EXPORT
from millrace.domain.model_access import Account, Key
from millrace.workloads import reconciling
from tests.bindings.loopback import QuietHandler, serving
from tests.events import Context, http_event
from tests.export_bed import VIDEO, ExportBed
from tests.functions.calling_back import KEY, completed, failed, said
from tests.runpod_bed import ENDPOINT, runpod_bed
from tests.runpod_bed import KEY as RUNPOD_KEY


@contextmanager
def api(bed):
    """Where callbacks are taken, as API Gateway would hand them to the function."""

    class Handler(QuietHandler):
        def respond(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            event = http_event("POST", self.path, body=body, caller=None)
            answer = handler(event, Context(), env=bed.env)
            self.answer(answer["statusCode"], body=answer["body"].encode())

    with serving(Handler) as url:
        yield url


class Here:
    """The platform, RunPod, and a worker whose part the test plays."""

    def __init__(self, bed: ExportBed, *, runpod, url: str):
        self.bed = bed
        self.runpod = runpod
        gpu = Runpod.of(Account(f"{runpod.runpod.url}/{ENDPOINT}", Key("GPU_KEY", value=RUNPOD_KEY)))
        bed.env = bed.make_env(GPU=gpu, url=url)

    def start(self):
        """A worker takes the job and says so. The export's assignment."""
        self.worker, self.job = self.runpod.take()
        return self.tell(said("started"))["assignment"]

    def tell(self, report):
        report = {**report, "provider_job_id": self.job["id"]}
        answer = httpx.post(self.job["input"]["callback_url"], json=report, trust_env=False)
        return answer.raise_for_status().json()["data"]

    def finish(self, output):
        self.runpod.finish(self.worker, self.job["id"], output=output)
        self.runpod.runpod.tend()

    def report(self, report):
        return {**report, "provider_job_id": self.job["id"]}

    def reconcile(self, *, after_seconds=EXPORT.lease_seconds + 1):
        self.bed.clock.advance(seconds=after_seconds)
        self.runpod.clock.advance(after_seconds)
        return [reconciling.look_up(row, env=self.bed.env) for row in self.bed.list_stale()]


@pytest.fixture
def here(db, clock, tmp_path):
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    with runpod_bed() as runpod, api(bed) as url:
        yield Here(bed, runpod=runpod, url=url)


def upload(here):
    here.bed.bucket.put(KEY, VIDEO, content_type="video/mp4")


def test_a_render_is_ordered_reported_and_complete(here):
    assert here.bed.run_in(here.bed.env).state == "submitted"

    assignment = here.start()
    assert assignment["output_video_key"] == KEY
    assert here.tell(said("progress", progress=40, message="Rendering")) == {"stop": False}
    upload(here)
    assert here.tell(completed()) == {"stop": False}
    here.finish(here.report(completed()))

    assert here.bed.columns("status", "runpod_job_id") == ("complete", here.job["id"])
    assert here.reconcile() == []


def test_what_no_callback_told_the_webhook_tells(here):
    here.bed.run_in(here.bed.env)
    here.start()
    upload(here)
    here.runpod.clock.advance(12.3)

    here.finish(here.report(completed()))

    assert here.bed.columns("status", "gpu_seconds") == ("complete", 13)
    assert here.bed.is_charged(13)


def test_what_no_webhook_told_is_looked_up(here):
    here.runpod.mischief.do_next(Fault.LOSE_WEBHOOK)
    here.bed.run_in(here.bed.env)
    here.start()
    upload(here)
    here.runpod.clock.advance(12.3)
    here.finish(here.report(completed()))
    assert here.bed.job["status"] == "processing"

    (ending,) = here.reconcile()

    assert ending.state == "completed"
    assert here.bed.columns("status", "gpu_seconds") == ("complete", 13)


@pytest.mark.parametrize("is_uploaded", [True, False])
def test_with_a_pickup_each_hour_the_provider_has_forgotten_what_nobody_told(here, is_uploaded):
    here.runpod.mischief.do_next(Fault.LOSE_WEBHOOK)
    here.bed.run_in(here.bed.env)
    here.start()
    if is_uploaded:
        upload(here)
    here.finish(here.report(completed()))

    (ending,) = here.reconcile(after_seconds=3_600)

    assert here.runpod.status(here.job["id"]).status_code == 404
    assert ending.state == ("completed" if is_uploaded else "retried")


def test_a_worker_that_reports_a_failure_is_followed_by_another_attempt(here):
    here.bed.run_in(here.bed.env)
    here.start()

    here.finish({**here.report(failed()), "error": "The upload failed."})

    assert here.bed.columns("status", "error", "retry_count") == ("pending", "The upload failed.", 1)
    here.bed.clock.advance(minutes=5)
    assert here.bed.run_in(here.bed.env).state == "submitted"


def test_an_order_whose_answer_was_lost_is_adopted_when_its_worker_calls(here):
    here.runpod.mischief.do_next(Fault.ANSWER_NULL)
    assert here.bed.run_in(here.bed.env).state == "unknown"

    here.start()

    assert here.bed.columns("status", "runpod_job_id") == ("processing", here.job["id"])
    assert here.reconcile() == [None]


def test_a_cancelled_export_tells_its_worker_to_stop(here):
    here.bed.run_in(here.bed.env)
    here.start()
    here.bed.cancel()

    assert here.tell(said("progress", progress=50, message="Rendering")) == {"stop": True}
