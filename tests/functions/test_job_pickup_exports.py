"""Every minute the exports that fell silent are looked up, as many as there is time for."""

import json

import pytest

from functions.job_pickup.app import SECONDS_FOR_THE_REST, handler
from millrace.bindings.gpu import TIME_LIMIT_SECONDS
from millrace.domain.jobs import EXPORT
from millrace.errors import GpuUnavailable
from tests.bindings.gpu_asking import gpu_at
from tests.bindings.model_server import Told, model_server
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


def add_silent(bed, job_id, *, provider_job_id):
    """One more, like the first."""
    first = bed.db.prepare("SELECT * FROM export_jobs WHERE id = 'export_a'").first()
    names = ("status", "locked_until", "worker_id", "submitted_at", "provider_deadline_at", "attempt")
    live = {name: first[name] for name in names}
    add_row(bed.db, "export_jobs", id=job_id, runpod_job_id=provider_job_id, **live)


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


def test_of_a_provider_that_hangs_all_are_asked_for_in_turn(bed):
    context = Context()

    class Hanging(type(bed.gpu)):
        def status(self, provider_job_id):
            self.asked.append(provider_job_id)
            context.milliseconds_left -= TIME_LIMIT_SECONDS * 1_000
            raise GpuUnavailable("it took too long")

    for number in range(2, 21):
        add_silent(bed, f"export_{number}", provider_job_id=f"gpu-{number}")
    gpu, asked = Hanging(), []

    for _ in range(3):
        context.milliseconds_left = 120_000
        handler(read_event("job_pickup/every_minute"), context, env=bed.make_env(GPU=gpu))
        asked.append(len(gpu.asked) - sum(asked))
        bed.clock.advance(minutes=1)

    assert asked == [10, 10, 0]
    assert len(set(gpu.asked)) == 20
    assert bed.db.prepare("SELECT SUM(retry_count) AS n FROM export_jobs").first("n") == 0


@pytest.mark.parametrize("body", [b"null", b"<html>", b"", b'{"id": "gpu-1", "status": "MELTED"}'])
def test_an_answer_that_is_none_says_nothing_of_the_export_and_keeps_no_other_waiting(bed, body):
    add_silent(bed, "export_b", provider_job_id="gpu-2")
    with model_server(Told(body)) as server:
        tick(bed, GPU=gpu_at(server.url))
        tick(bed, GPU=gpu_at(server.url))

    asked = [one.path.rpartition("/")[2] for one in server.asked]
    assert sorted(asked) == ["gpu-1", "gpu-2"]
    states = bed.db.prepare("SELECT status, retry_count FROM export_jobs").raw()
    assert states == [("processing", 0), ("processing", 0)]


def test_one_look_that_breaks_keeps_no_other_from_being_taken(bed):
    def break_once(provider_job_id):
        bed.gpu.asked.append(provider_job_id)
        if len(bed.gpu.asked) == 1:
            raise ValueError("a bug of ours")

    class Broken(type(bed.gpu)):
        def status(self, provider_job_id):
            return break_once(provider_job_id)

    add_silent(bed, "export_b", provider_job_id="gpu-2")

    with pytest.raises(RuntimeError):
        tick(bed, GPU=Broken())

    assert sorted(bed.gpu.asked) == ["gpu-1", "gpu-2"]
