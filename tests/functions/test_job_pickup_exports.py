"""Every minute the exports that fell silent are looked up, as many as there is time for."""

import json

import pytest

from functions.job_pickup.app import SECONDS_FOR_THE_REST, handler
from millrace.domain.jobs import EXPORT
from millrace.errors import GpuUnavailable
from tests.events import Context, read_event
from tests.export_bed import ExportBed
from tests.valid_rows import add_row


@pytest.fixture
def bed(db, clock, tmp_path):
    """Handed over, and silent since."""
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    bed.run()
    bed.clock.advance(seconds=EXPORT.lease_seconds + 1)
    return bed


def tick(bed, *, milliseconds_left=120_000, **given):
    context = Context(milliseconds_left=milliseconds_left)
    handler(read_event("job_pickup/every_minute"), context, env=bed.make_env(**given))


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_silent_export_is_looked_up_and_what_came_of_it_is_told(bed, capsys):
    bed.gpu.says("failed")

    tick(bed)

    assert bed.job["status"] == "pending"
    told = [line for line in lines(capsys) if line.get("message") == "job_retried"]
    assert [(line["kind"], line["code"]) for line in told] == [("export", "RenderFailed")]


def test_an_export_is_never_given_up_before_its_provider_was_asked(bed):
    bed.gpu.statuses["gpu-1"] = GpuUnavailable("away")

    tick(bed)

    assert bed.gpu.asked == ["gpu-1"]
    assert bed.columns("status", "retry_count") == ("processing", 0)


def test_a_provider_that_hangs_leaves_time_for_the_rest(bed):
    tick(bed, milliseconds_left=SECONDS_FOR_THE_REST * 1_000 - 1)

    assert bed.gpu.asked == []


def test_one_look_that_breaks_keeps_no_other_from_being_taken(bed):
    def break_once(provider_job_id):
        bed.gpu.asked.append(provider_job_id)
        if len(bed.gpu.asked) == 1:
            raise ValueError("a bug of ours")

    class Broken(type(bed.gpu)):
        def status(self, provider_job_id):
            return break_once(provider_job_id)

    live = {
        name: bed.job[name]
        for name in ("status", "locked_until", "worker_id", "submitted_at", "provider_deadline_at", "attempt")
    }
    add_row(bed.db, "export_jobs", id="export_b", runpod_job_id="gpu-2", **live)

    with pytest.raises(RuntimeError):
        tick(bed, GPU=Broken())

    assert sorted(bed.gpu.asked) == ["gpu-1", "gpu-2"]
