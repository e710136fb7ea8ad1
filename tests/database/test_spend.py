"""What an attempt may cost is set aside of the tenant's day first, and settled when it is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.domain.money import to_dollars
from millrace.domain.spending import WAITING, WAITING_FOR_OTHERS
from millrace.errors import ModelTimeout, ModelUnavailable
from millrace.store import jobs
from tests.evaluation_bed import Bed, Blinking, Model
from tests.factories import accept_job, new_id
from tests.spending_bed import ANSWER, REAL, PaidBed, books_agree, limit_spend, spent
from tests.valid_rows import add_row

TODAY, TOMORROW = "2025-12-17", "2025-12-18"


@pytest.fixture
def paid(db, clock, tmp_path):
    bed = PaidBed(db, clock=clock, folder=tmp_path)
    bed.add_document()
    bed.accept()
    return bed


@pytest.fixture
def time_left(clock):
    started = clock.now()
    return lambda: 90 - (clock.now() - started).total_seconds()


def test_the_most_that_it_may_cost_is_set_aside_before_the_model_is_asked_and_then_settled(paid):
    seen = []

    def look():
        seen.append(paid.day["used"])
        return ANSWER

    assert paid.run(model=Model(look)).state == "completed"

    assert seen[0] > 10 * REAL
    assert paid.day["used"] == REAL == paid.calls[0]["cost_microusd"]
    assert paid.entries == [("1", TODAY, "reserve"), ("1", TODAY, "settle")]
    assert books_agree(paid.db)


def test_both_the_first_question_and_the_second_fit_into_what_is_set_aside(paid):
    assert paid.run(model=Model("nonsense", ANSWER)).state == "completed"

    reserved = paid.db.prepare("SELECT amount FROM quota_entries WHERE meter = 'spend' AND kind = 'reserve'")
    assert 2 * REAL == paid.day["used"] < reserved.first("amount")
    assert books_agree(paid.db)


def test_a_day_without_so_much_left_gives_the_job_back_as_it_was(paid):
    paid.limit("0.01")
    model = Model(ANSWER)

    ending = paid.run(model=model)

    assert (ending.state, ending.failure.code) == ("waiting", "SpendLimitReached")
    assert model.questions == []
    job = paid.job
    assert (job["status"], job["retry_count"], job["error_code"]) == ("pending", 0, None)
    assert (job["model_called_at"], job["progress_message"]) == (None, WAITING)
    assert job["run_after"] == paid.clock.now() + timedelta(minutes=15, seconds=30)
    assert paid.bell.rings[-1] == ("evaluation", 930)
    assert ("release", "SpendLimitReached") in paid.moves
    assert paid.is_charged(1)
    assert (spent(paid.db), paid.entries) == (0, [])


def test_a_job_that_only_others_keep_waiting_says_so_and_is_soon_looked_at_again(paid):
    seen = []

    def look():
        paid.limit(str(to_dollars(paid.day["used"])))
        paid.turn_to_another_lead()
        paid.add_document()
        paid.accept()
        seen.append(paid.run())
        return ANSWER

    assert paid.run(model=Model(look)).state == "completed"

    assert (seen[0].state, seen[0].failure.passes) == ("waiting", True)
    waiting = paid.job
    paid.limit("1")
    assert waiting["progress_message"] == WAITING_FOR_OTHERS
    assert waiting["run_after"] == paid.clock.now() + timedelta(minutes=1, seconds=30)
    assert ("evaluation", 90) in paid.bell.rings
    paid.clock.at = waiting["run_after"]
    assert paid.run().state == "completed"


def test_a_job_that_had_to_wait_runs_with_the_first_minute_of_the_next_day(paid):
    paid.clock.at = datetime(2025, 12, 17, 23, 50, tzinfo=UTC)
    paid.limit("0.10")
    spend_all(paid)
    assert paid.run().state == "waiting"
    assert paid.job["run_after"] == datetime(2025, 12, 18, 0, 0, 30, tzinfo=UTC)

    paid.clock.at = paid.job["run_after"]

    assert paid.run().state == "completed"
    assert (paid.day["day"], paid.day["used"]) == (TOMORROW, REAL)


def spend_all(bed):
    """As if others had spent all of the day."""
    add_row(bed.db, "daily_spend", used=100_000, quota_limit=100_000)


def test_a_raised_limit_is_found_when_the_job_is_looked_at_again(paid):
    paid.limit("0.01")
    assert paid.run().state == "waiting"
    paid.limit("25")
    assert paid.run() is None

    paid.clock.at = paid.job["run_after"]

    assert paid.run().state == "completed"
    assert paid.job["progress_message"] != WAITING


def test_what_is_reserved_today_and_known_tomorrow_is_todays(paid):
    paid.clock.at = datetime(2025, 12, 17, 23, 59, 50, tzinfo=UTC)

    def think():
        paid.clock.advance(seconds=15)
        return ANSWER

    assert paid.run(model=Model(think)).state == "completed"

    assert (paid.day["day"], paid.day["used"]) == (TODAY, REAL)
    assert paid.entries == [("1", TODAY, "reserve"), ("1", TODAY, "settle")]
    assert paid.calls[0]["date"].isoformat() == TOMORROW
    assert books_agree(paid.db)


def test_a_worker_that_dies_keeps_what_was_set_aside_and_the_next_sets_aside_its_own(paid):
    def die():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paid.run(model=Model(die))
    reserved = paid.day["used"]
    rescue(paid)

    assert paid.run().state == "completed"

    assert spent(paid.db) == reserved + REAL
    assert paid.entries == [("1", TODAY, "reserve"), ("2", TODAY, "reserve"), ("2", TODAY, "settle")]
    assert books_agree(paid.db)


def rescue(bed):
    now = bed.clock.advance(seconds=EVALUATION.lease_seconds + 1)
    (moved,) = jobs.rescue(bed.db, EVALUATION, now=now, new_id=new_id, jitter=lambda: 0.0)
    assert moved["status"] == "pending"


def test_a_worker_given_up_for_dead_settles_what_was_set_aside_when_it_wakes(paid):
    def oversleep():
        rescue(paid)
        assert paid.run(model=Model(ANSWER)).state == "completed"
        return ANSWER

    assert paid.run(model=Model(oversleep)).state == "overtaken"

    assert spent(paid.db) == 2 * REAL
    assert [row["attempt"] for row in sorted(paid.calls, key=lambda row: row["attempt"])] == [1, 2]
    assert books_agree(paid.db)


def test_a_job_cancelled_while_the_model_thinks_is_settled_by_its_worker(paid):
    def think():
        paid.cancel()
        return ANSWER

    assert paid.run(model=Model(think)).state == "overtaken"

    assert spent(paid.db) == REAL
    assert books_agree(paid.db)


def test_of_a_question_that_was_not_answered_all_is_given_back(paid):
    assert paid.run(model=Model(ModelUnavailable("503"))).state == "retried"

    assert spent(paid.db) == 0
    assert paid.entries == [("1", TODAY, "reserve"), ("1", TODAY, "release")]
    assert books_agree(paid.db)


def test_a_model_that_took_too_long_may_be_charged_for_and_keeps_what_was_set_aside(paid):
    assert paid.run(model=Model(ModelTimeout("slow"))).state == "retried"

    assert spent(paid.db) > 10 * REAL
    assert paid.entries == [("1", TODAY, "reserve")]
    assert books_agree(paid.db)


@pytest.mark.parametrize("blinks", [["before"], ["after"], ["before", "after"]])
def test_an_ending_that_is_insisted_on_settles_once(paid, time_left, blinks):
    blinking = Blinking(paid.db, move="SET status = 'completed'", blinks=blinks)

    assert paid.run(db=blinking, seconds_left=time_left).state == "completed"

    assert paid.entries == [("1", TODAY, "reserve"), ("1", TODAY, "settle")]
    (used,) = paid.db.prepare("SELECT * FROM daily_usage").all().results
    assert (used["input_tokens"], used["output_tokens"], used["cost_microusd"]) == (1_200, 80, REAL)
    assert books_agree(paid.db)


def test_a_model_that_is_free_is_never_kept_waiting(db, clock, tmp_path):
    bed = Bed(db, clock=clock, folder=tmp_path)
    bed.add_document()
    accept_job(db, bed.lead_id)
    limit_spend(db, "0")

    assert bed.run().state == "completed"
    assert spent(db) == 0


def test_a_provider_that_counts_more_than_it_may_is_believed(paid):
    class Boasting(Model):
        def run(self, model, question):
            return replace(super().run(model, question), input_tokens=10**9)

    paid.limit("0.50")

    assert paid.run(model=Boasting(ANSWER)).state == "completed"

    assert paid.day["used"] > paid.day["quota_limit"]
    assert books_agree(paid.db)
