"""Progress, result, failure, cancel, a lost lease and a look at the provider, in every order there is.

`make races` runs the long form: every order in every case, on both databases.
"""

import os
from itertools import permutations, product

from millrace.domain.callbacks import Link
from millrace.domain.jobs import EXPORT
from millrace.domain.rendering import Completed, Failed, Progressed
from millrace.workloads import callbacks, reconciling
from tests.export_bed import VIDEO, ExportBed

ABOUT = {"job_id": "export_a", "attempt": 1, "provider_job_id": "gpu-1"}
LONG = "MILLRACE_RACE_SECONDS" in os.environ
FINAL = ("complete", "error", "cancelled")


def key_of(attempt):
    return f"tenants/tenant_a/exports/export_a/{attempt}.mp4"


def completed(*, attempt=1):
    return Completed(
        job_id="export_a", attempt=attempt, provider_job_id=f"gpu-{attempt}", encoder="libx264",
        output_video_key=key_of(attempt), output_bytes=len(VIDEO), frames=1, duration_seconds=0.1,
        width=1080, height=1920,
    )  # fmt: skip


class Story:
    """One export from its submission on. Whatever happens then, it is checked that an end is an end."""

    def __init__(self, bed: ExportBed, *, should_retry: bool, provider: str):
        self.bed = bed
        self.should_retry = should_retry
        bed.begin_anew()
        bed.bucket.put(key_of(1), VIDEO, content_type="video/mp4")
        if provider != "gone":
            bed.gpu.says(provider, output=completed().model_dump() if provider == "completed" else None)
        assert bed.run().state == "submitted"

    def happen(self, what: str) -> None:
        before = self.bed.job
        getattr(self, what)()
        assert before["status"] not in FINAL or self.bed.job == before, what

    def take(self, said, *, attempt=1):
        return callbacks.take(said, link=Link("export_a", attempt), env=self.bed.env)

    def progress(self):
        self.take(Progressed(**ABOUT, progress=50, message="Rendering"))

    def complete(self):
        self.take(completed())

    def error(self):
        self.take(Failed(**ABOUT, code="X", message="It broke.", should_retry=self.should_retry))

    def cancel(self):
        self.bed.cancel()

    def expire(self):
        self.bed.clock.advance(seconds=EXPORT.lease_seconds + 1)

    def reconcile(self):
        for row in self.bed.list_stale():
            reconciling.look_up(row, env=self.bed.env)

    def bring_to_an_end(self):
        """By another attempt, if nothing has ended it: one that was given up is not taken up again."""
        if self.bed.job["status"] == "processing":
            self.complete()
        if self.bed.job["status"] == "pending":
            self.bed.clock.advance(minutes=20)
            assert self.bed.run().job.attempt == 2
            attempt = len(self.bed.gpu.submitted)
            self.bed.bucket.put(key_of(2), VIDEO, content_type="video/mp4")
            said = completed(attempt=2).model_copy(update={"provider_job_id": f"gpu-{attempt}"})
            assert not self.take(said, attempt=2).answer.stop


WHAT = ("progress", "complete", "error", "cancel", "expire", "reconcile")
# Whether the failure may pass, and what the provider says when it is asked.
CASES = list(product((True, False), ("running", "completed", "failed", "gone")))


def stories(dialect):
    """In the gate every order once, the cases in turn, and on the slower database some; else all of all."""
    orders = list(permutations(WHAT))
    if LONG:
        return list(product(orders, CASES))
    told = [(order, CASES[place % len(CASES)]) for place, order in enumerate(orders)]
    return told if dialect == "sqlite" else told[::7]


def test_whatever_the_order_there_is_one_end_and_nothing_after_it(db, clock, tmp_path):
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    for order, (should_retry, provider) in stories(db.dialect):
        story = Story(bed, should_retry=should_retry, provider=provider)

        for what in order:
            story.happen(what)
        story.bring_to_an_end()
        for what in order:
            story.happen(what)

        about = (order, should_retry, provider)
        assert bed.job["status"] in FINAL, about
        assert bed.count_ends() == (1, 1), about
        assert bed.is_charged(bed.owed()), about
