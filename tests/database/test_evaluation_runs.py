"""Running an evaluation: what its result says, and what becomes of a job that gets none."""

import json

import pytest

from millrace.errors import InsufficientDocuments, ModelAnswerInvalid, ModelTimeout, ModelUnavailable
from millrace.store import jobs
from tests.evaluation_bed import FACTS, BrokenBucket, Model
from tests.factories import count_rows


def test_a_pay_slip_becomes_a_judgement_that_explains_itself(bed, job_id):
    bed.add_document()

    ending = bed.run()

    assert (ending.state, ending.job.id, ending.failure) == ("completed", job_id, None)
    evaluation = bed.evaluation
    assert (evaluation["score"], evaluation["label"], evaluation["recommendation"]) == (90, "A", "approve")
    assert evaluation["model_version"] == "local/rules@1"
    assert evaluation["extracted_data"]["monthly_income_microusd"] == 4_600_000_000
    assert [row["reason"] for row in evaluation["score_breakdown"]] == ["documents_incomplete"]
    assert bed.lead["status"] == "ai_evaluated"
    assert (bed.lead["ai_score"], bed.lead["latest_evaluation_id"]) == (90, evaluation["id"])
    assert (bed.job["status"], bed.job["evaluation_id"]) == ("completed", evaluation["id"])
    assert bed.is_charged(1)


def test_a_missing_file_is_a_warning_in_the_result(bed, job_id):
    bed.add_document(None)
    bed.add_document()

    assert bed.run().state == "completed"
    assert bed.evaluation["warnings"] == ["Document 1 was not read: the file is missing."]


def test_a_document_the_model_cannot_take_is_a_warning_in_the_result(bed, job_id):
    bed.add_document()
    bed.add_document(b"%PDF-1.7", mime_type="application/pdf")

    assert bed.run().state == "completed"
    assert bed.evaluation["warnings"] == ["Document 2 was not read: the rules read plain text only."]


@pytest.mark.parametrize("content", [None, b"", b"Lovely weather here. Yours, Aunt May"])
def test_without_readable_documents_the_job_fails_for_good_and_is_free(bed, job_id, content):
    bed.add_document(content)

    ending = bed.run()

    assert ending.state == "failed"
    assert isinstance(ending.failure, InsufficientDocuments)
    assert bed.job["error_code"] == "InsufficientDocuments"
    assert bed.is_charged(0)
    assert bed.bell.rings == []


def test_a_lead_that_is_gone_fails_the_job_for_good_and_is_free(bed, job_id, monkeypatch):
    # While foreign keys hold no lead goes before its job, so this job is pointed nowhere by hand.
    claim = jobs.claim

    def claim_with_no_lead(*given, **named):
        job = claim(*given, **named)
        return type(job).of({**job.row, "lead_id": "lead_gone"})

    monkeypatch.setattr(jobs, "claim", claim_with_no_lead)

    ending = bed.run()

    assert ending.state == "failed"
    assert bed.job["error_code"] == "ResourceNotFound"
    assert bed.is_charged(0)


@pytest.mark.parametrize(
    ("error", "code", "delay"),
    [
        (ModelTimeout("The model took longer than 30 s."), "ModelTimeout", 15),
        (ModelUnavailable("The model answers 503."), "ModelUnavailable", 15),
        (ModelUnavailable("The model answers 429.", retry_after_seconds=77.5), "ModelUnavailable", 78),
        (RuntimeError("net pay $1,879.45"), "ProcessingError", 15),
    ],
)
def test_a_transient_failure_is_tried_again_later_and_rung_for(bed, job_id, error, code, delay):
    bed.add_document()

    ending = bed.run(model=Model(error))

    assert (ending.state, ending.failure.code) == ("retried", code)
    job = bed.job
    assert (job["status"], job["error_code"], job["retry_count"]) == ("pending", code, 1)
    assert bed.bell.rings == [("evaluation", delay)]
    assert bed.run() is None
    bed.clock.advance(seconds=delay)
    assert bed.run().state == "completed"
    assert bed.is_charged(1)


def test_an_unforeseen_error_keeps_its_cause_for_the_log_and_hides_it_from_the_row(bed, job_id):
    bed.add_document()
    cause = RuntimeError("net pay $1,879.45")

    ending = bed.run(model=Model(cause))

    assert ending.failure.__cause__ is cause
    assert "1,879.45" not in bed.job["error_message"]


def test_a_bucket_that_fails_is_a_storage_error_and_tried_again(bed, job_id):
    bed.add_document()

    ending = bed.run(bucket=BrokenBucket())

    assert (ending.state, ending.failure.code) == ("retried", "StorageError")


def test_after_the_last_retry_the_job_has_failed_and_is_free(bed, job_id):
    bed.add_document()
    model = Model(ModelUnavailable("The model answers 503."))

    states = []
    for _ in range(4):
        states.append(bed.run(model=model).state)
        bed.clock.advance(hours=1)

    assert states == ["retried", "retried", "retried", "failed"]
    assert bed.job["retry_count"] == 3
    assert bed.is_charged(0)


def test_an_answer_that_cannot_be_read_is_asked_for_again_with_what_was_wrong(bed, job_id):
    bed.add_document()
    model = Model('{"score": 45, "label": "C"}', json.dumps(FACTS))

    ending = bed.run(model=model)

    assert ending.state == "completed"
    assert "extracted_data: Field required" in model.questions[1].complaint
    assert bed.evaluation["model_version"] == "test/model@7"


@pytest.mark.parametrize(
    "nonsense", ["", "I am sorry, I cannot do that.", '{"recommendation": "reject"}', "{" * 9_999]
)
def test_an_unreadable_answer_never_becomes_a_rejection_of_a_person(bed, job_id, nonsense):
    bed.add_document()
    before = dict(bed.lead)

    ending = bed.run(model=Model(nonsense))

    assert ending.state == "failed"
    assert isinstance(ending.failure, ModelAnswerInvalid)
    assert bed.job["error_code"] == "ModelAnswerInvalid"
    assert count_rows(bed.db, "lead_ai_evaluations") == 0
    assert (
        (bed.lead["ai_score"], bed.lead["ai_label"])
        == (before["ai_score"], before["ai_label"])
        == (None, None)
    )
    assert bed.is_charged(1)


def test_a_verdict_given_by_the_model_is_not_heard(bed, job_id):
    bed.add_document()

    bed.run(model=Model(json.dumps({**FACTS, "score": 0, "label": "C", "recommendation": "reject"})))

    assert (bed.evaluation["score"], bed.evaluation["recommendation"]) == (100, "approve")
