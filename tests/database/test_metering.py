"""Every call of a model that was paid for is recorded once, whatever became of the job it was made for."""

import json

import pytest

from millrace.domain.jobs import EVALUATION
from millrace.domain.questions import ModelAnswer
from millrace.errors import ModelAnswerInvalid, ModelTimeout, ModelUnavailable
from millrace.store import jobs, judgements
from tests.evaluation_bed import FACTS, Blinking, Model
from tests.factories import new_id

ANSWER = json.dumps(FACTS)


@pytest.fixture
def time_left(clock):
    """A function's whole time, which passes with the clock."""
    started = clock.now()
    return lambda: 90 - (clock.now() - started).total_seconds()


def test_nobody_is_charged_because_the_caller_named_them(bed, job_id):
    """A key without a user charges no other: `X-User-Id` is the caller's own word."""
    bed.add_document()
    bed.db.prepare("UPDATE ai_evaluation_jobs SET user_id = '', requested_by = 'victim'").run()

    bed.run(model=Model(lambda: ANSWER))

    assert [call["user_id"] for call in bed.calls] == [""]


def test_a_record_says_who_asked_what_was_used_and_by_which_run(bed, job_id):
    bed.add_document()
    bed.db.prepare("UPDATE ai_evaluation_jobs SET user_id = 'user_of_key'").run()

    def think():
        bed.clock.advance(seconds=4)
        return ANSWER

    bed.run(model=Model(think))

    (call,) = bed.calls
    assert (call["kind"], call["job_id"], call["tenant_id"]) == ("evaluation", job_id, "tenant_a")
    assert (call["user_id"], call["request_id"]) == ("user_of_key", "worker_a")
    assert (call["model"], call["input_tokens"], call["output_tokens"]) == ("test/model@7", 1_200, 80)
    assert (call["cost_microusd"], call["iterations_run"]) == (42, [])
    assert call["timestamp"] == bed.clock.now()
    assert call["duration_ms"] == 4_000


def test_the_rules_are_metered_like_any_model_and_cost_nothing(bed, job_id):
    bed.add_document()

    bed.run()

    (call,) = bed.calls
    assert call["model"].startswith("local/rules@")
    assert call["cost_microusd"] == 0


@pytest.mark.parametrize(
    ("doings", "count", "state"),
    [
        ([ANSWER], 1, "completed"),
        (["nonsense", ANSWER], 2, "completed"),
        (["nonsense", "more of it"], 2, "failed"),
        (["nonsense", ModelTimeout("slow")], 1, "retried"),
        (["nonsense", ModelUnavailable("The model answers 429.")], 1, "retried"),
        (["nonsense", RuntimeError("a bug")], 1, "retried"),
        ([ModelTimeout("slow")], 0, "retried"),
    ],
)
def test_each_answer_is_recorded_however_the_attempt_ends(bed, job_id, doings, count, state):
    bed.add_document()

    ending = bed.run(model=Model(*doings))

    assert ending.state == state
    assert [call["cost_microusd"] for call in bed.calls] == [42] * count


def test_a_refusal_that_was_paid_for_is_recorded(bed, job_id):
    bed.add_document()
    refusal = ModelAnswer("No.", model_version="test/model@7", cost_microusd=5)

    ending = bed.run(model=Model(ModelAnswerInvalid("The model refuses.", answers=[refusal])))

    assert ending.state == "failed"
    assert [call["cost_microusd"] for call in bed.calls] == [5]


def test_a_call_for_a_job_that_was_cancelled_meanwhile_is_recorded(bed, job_id):
    bed.add_document()

    def think():
        bed.cancel()
        return ANSWER

    assert bed.run(model=Model(think)).state == "overtaken"
    assert len(bed.calls) == 1


def test_a_call_that_failed_a_job_cancelled_meanwhile_is_recorded(bed, job_id):
    bed.add_document()

    def think():
        bed.cancel()
        return "nonsense"

    model = Model(think, "more of it")

    assert bed.run(model=model).state == "overtaken"
    assert len(bed.calls) == 2


def test_a_worker_given_up_for_dead_has_its_call_recorded_beside_that_of_the_next(bed, job_id):
    bed.add_document()

    def oversleep():
        bed.clock.advance(seconds=EVALUATION.lease_seconds + 1)
        now = bed.clock.now()
        list(jobs.rescue(bed.db, EVALUATION, now=now, new_id=new_id, jitter=lambda: 0.0))
        assert bed.run(model=Model(ANSWER)).state == "completed"
        return ANSWER

    assert bed.run(model=Model(oversleep)).state == "overtaken"
    assert len(bed.calls) == 2
    assert bed.is_charged(1)


@pytest.mark.parametrize("blinks", [["before"], ["after"], ["before", "after"]])
@pytest.mark.parametrize(
    ("move", "doings"),
    [("SET status = 'completed'", [ANSWER]), ("SET status = CASE", ["nonsense", ModelTimeout("slow")])],
)
def test_an_ending_that_is_insisted_on_records_a_call_once(bed, job_id, time_left, move, doings, blinks):
    bed.add_document()
    blinking = Blinking(bed.db, move=move, blinks=blinks)

    bed.run(model=Model(*doings), db=blinking, seconds_left=time_left)

    assert len(bed.calls) == 1


def test_a_result_the_database_will_not_take_is_a_failure_whose_call_is_recorded(bed, job_id, monkeypatch):
    bed.add_document()

    def refuse(*given, **named):
        raise ValueError("not storable")

    monkeypatch.setattr(judgements, "complete", refuse)

    ending = bed.run(model=Model(ANSWER))

    assert (ending.state, ending.failure.code) == ("retried", "ProcessingError")
    assert len(bed.calls) == 1


def test_numbers_that_no_row_can_hold_do_not_keep_a_job_from_its_end(bed, job_id):
    bed.add_document()

    class Boasting(Model):
        def run(self, model, question):
            super().run(model, question)
            return ModelAnswer(
                ANSWER, model_version="test", input_tokens=10**12, output_tokens=-1, cost_microusd=10**30
            )

    assert bed.run(model=Boasting(ANSWER)).state == "completed"
    (call,) = bed.calls
    assert (call["input_tokens"], call["output_tokens"]) == (2**31 - 1, 0)
    assert call["cost_microusd"] == 10**12
