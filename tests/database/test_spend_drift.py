"""What the ledger must hold of an attempt that costs money, though all sums may agree without it."""

from dataclasses import replace

import pytest

from millrace.domain.callbacks import Link
from millrace.domain.gpu import GpuStatus
from millrace.domain.questions import ModelAnswer, PaidCall
from millrace.errors import ModelAnswerInvalid, ModelTimeout, ModelUnavailable
from millrace.store import judgements, spend_drift
from millrace.workloads import callbacks
from tests.export_bed import ExportBed
from tests.factories import (
    NOW,
    accept_job,
    add_house,
    add_lead,
    begin_paid_work,
    claim_job,
    count_rows,
    evaluation_of,
)

ANSWER = ModelAnswer("{}", "paid/model", input_tokens=7, output_tokens=3, cost_microusd=42)
PAID = PaidCall("call", ANSWER, NOW)
FREE = replace(PAID, answer=replace(ANSWER, cost_microusd=0))
BALANCE = """
UPDATE daily_spend SET used = (
  SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM quota_entries WHERE meter = 'spend')
"""


def begin(db, *, most_microusd=5_000):
    add_house(db)
    accept_job(db, add_lead(db))
    job = claim_job(db)
    assert begin_paid_work(db, job, most_microusd=most_microusd)
    return job


def complete(db, job, *, calls):
    assert judgements.complete(db, job, evaluation=evaluation_of(), calls=calls, move_id="end", now=NOW)


def take_away(db, *, which="TRUE"):
    """Entries of the ledger, and from the day's counter what they had added to it."""
    db.prepare(f"DELETE FROM quota_entries WHERE meter = 'spend' AND {which}").run()
    db.prepare(BALANCE).run()


def find(db):
    """What is said to be wrong: what the ledger has, and what it must have."""
    found = spend_drift.find_spent(db)
    assert found.drifting == (1 if found.charges else 0)
    return [(charge["ledger_says"], charge["jobs_say"]) for charge in found.charges]


def test_what_has_cost_something_was_reserved(db):
    complete(db, begin(db), calls=[PAID])
    assert find(db) == []

    take_away(db)

    assert find(db) == [("1: nothing", "1: reserve, settle")]


@pytest.mark.parametrize(("calls", "ending"), [([PAID], "settle"), ([FREE], "release"), ([], "release")])
def test_an_attempt_that_is_completed_has_its_ending(db, calls, ending):
    complete(db, begin(db), calls=calls)

    take_away(db, which="kind <> 'reserve'")

    assert find(db) == [("1: reserve", f"1: reserve, {ending}")]


@pytest.mark.parametrize("error", [ModelUnavailable("429"), ModelAnswerInvalid("nonsense")])
def test_one_that_failed_has_its_ending_too(db, error):
    judgements.fail(db, begin(db), error=error, calls=[PAID], move_id="end", now=NOW, jitter=0.0)
    assert find(db) == []

    take_away(db, which="kind <> 'reserve'")

    assert find(db) == [("1: reserve", "1: reserve, settle")]


def test_one_whose_cost_nobody_knows_keeps_what_was_set_aside_whatever_is_recorded(db):
    slow = ModelTimeout("slow")

    judgements.fail(db, begin(db), error=slow, calls=[PAID], move_id="end", now=NOW, jitter=0.0)

    assert (find(db), count_rows(db, "usage_records")) == ([], 1)


def test_what_is_free_needs_no_reserve(db):
    complete(db, begin(db, most_microusd=0), calls=[FREE])

    assert (spend_drift.find_spent(db).lines, count_rows(db, "usage_records")) == (0, 1)


def test_what_a_gpu_took_is_open_until_its_provider_tells_and_then_settled(db, clock, tmp_path):
    bed = ExportBed(db, clock=clock, folder=tmp_path)
    bed.run()
    bed.cancel()
    assert find(db) == []

    told = GpuStatus("gpu-1", "cancelled", execution_ms=4_000)
    callbacks.take(told, link=Link("export_a", 1), env=bed.env)
    assert find(db) == []
    take_away(db, which="kind <> 'reserve'")

    assert find(db) == [("1: reserve", "1: reserve, settle")]
