"""Exports as an operator looks after them."""

import pytest

from millrace import operations
from millrace.domain.gpu_times import GpuUse
from millrace.errors import InputUnusable
from millrace.store import renders
from tests.export_bed import RESERVED, ExportBed
from tests.factories import new_id


@pytest.fixture
def bed(db, clock, tmp_path):
    return ExportBed(db, clock=clock, folder=tmp_path)


def operate(bed, command, **arguments):
    return operations.run(command, arguments, bed.env)


def test_a_failed_export_is_retried_charged_anew_and_rung_for(bed):
    bed.run()
    renders.fail(
        bed.db, bed.as_job(), error=InputUnusable("not a video"), use=GpuUse(7, 0), move_id=new_id(),
        now=bed.clock.now(), jitter=0.0,
    )  # fmt: skip

    operate(bed, "jobs retry", job_id="export_a")

    assert bed.columns("status", "charge_round", "attempt") == ("pending", 1, 1)
    assert bed.is_charged(7 + RESERVED)
    assert bed.bell.rings == [("export", 0)]


def test_an_export_is_shown_with_its_events_and_cancelled(bed):
    bed.run()

    shown = operate(bed, "jobs show", job_id="export_a")
    operate(bed, "jobs cancel", job_id="export_a")

    assert {event["move"] for event in shown["events"]} == {"claim", "submit"}
    assert bed.job["status"] == "cancelled"


def test_what_was_sold_of_gpus_is_verified(bed):
    verified = operate(bed, "quotas verify")["meters"]

    assert {meter["meter"]: meter["drifting"] for meter in verified} == {
        "evaluations": 0, "gpu_seconds": 0, "spend": 0, "daily usage": 0,
    }  # fmt: skip
