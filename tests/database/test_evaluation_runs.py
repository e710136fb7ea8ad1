"""Running an evaluation: what its result says, and what becomes of a job that gets none."""

import hashlib
import json

import pytest

from tests.evaluation_bed import FACTS, SLIP, Model


def test_a_pay_slip_becomes_a_judgement_that_explains_itself(bed, job_id):
    bed.add_document()

    ending = bed.run()

    assert (ending.state, ending.job.id, ending.failure) == ("completed", job_id, None)
    evaluation = bed.evaluation
    assert (evaluation["score"], evaluation["label"], evaluation["recommendation"]) == (90, "A", "approve")
    assert evaluation["model_version"].startswith("local/rules@")
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
    bed.add_document(b"\x89PNG", mime_type="image/png")

    assert bed.run().state == "completed"
    (warning,) = bed.evaluation["warnings"]
    assert warning.startswith("Document 2 was not read: ")


def test_an_unforeseen_error_keeps_its_cause_for_the_log_and_hides_it_from_the_row(bed, job_id):
    bed.add_document()
    cause = RuntimeError("net pay $1,879.45")

    ending = bed.run(model=Model(cause))

    assert ending.failure.__cause__ is cause
    assert "1,879.45" not in bed.job["error_message"]


def test_an_answer_that_cannot_be_read_is_asked_for_again_with_what_was_wrong(bed, job_id):
    bed.add_document()
    model = Model('{"score": 45, "label": "C"}', json.dumps(FACTS))

    ending = bed.run(model=model)

    assert ending.state == "completed"
    assert "extracted_data: Field required" in model.questions[1].complaint
    assert bed.evaluation["model_version"] == "test/model@7"


def test_a_verdict_given_by_the_model_is_not_heard(bed, job_id):
    bed.add_document()

    bed.run(model=Model(json.dumps({**FACTS, "score": 0, "label": "C", "recommendation": "reject"})))

    assert (bed.evaluation["score"], bed.evaluation["recommendation"]) == (100, "approve")


@pytest.mark.parametrize("before", ["new", "ai_evaluated", "manual_review"])
def test_a_judgement_marks_a_lead_that_nobody_has_decided_on(bed, job_id, before):
    bed.add_document()
    bed.set_lead(status=before)

    bed.run()

    assert bed.lead["status"] == "ai_evaluated"


@pytest.mark.parametrize("decision", ["approved", "rejected", "withdrawn"])
@pytest.mark.parametrize("answer", [json.dumps(FACTS), "nonsense"])
def test_what_a_person_has_decided_no_answer_of_a_model_changes(bed, job_id, decision, answer):
    bed.add_document()
    bed.set_lead(status=decision, decided_at=bed.clock.now())

    ending = bed.run(model=Model(answer))

    assert ending.state in ("completed", "failed")
    assert bed.lead["status"] == decision
    assert bed.lead["ai_score"] == (100 if ending.state == "completed" else None)


def test_of_documents_those_that_were_deleted_or_never_came_are_not_read(bed, job_id):
    bed.add_document(b"Gross pay: $1.00", deleted_at=bed.clock.now())
    bed.add_document(b"Gross pay: $2.00", deleted_at=bed.clock.now(), erased_at=bed.clock.now())
    bed.add_document(b"Gross pay: $3.00", uploaded_at=None, link_expires_at=bed.clock.now())
    bed.add_document()
    model = Model(json.dumps(FACTS))

    bed.run(model=model)

    assert [document.content for document in model.questions[0].documents] == [SLIP]


def test_a_document_that_was_changed_after_it_was_checked_is_not_read_and_it_is_said(bed, job_id):
    bed.add_document(checksum=hashlib.sha256(SLIP).hexdigest())
    bed.add_document(checksum=hashlib.sha256(b"another").hexdigest())
    model = Model(json.dumps(FACTS))

    bed.run(model=model)

    assert [document.name for document in model.questions[0].documents] == ["Document 1"]
    assert bed.evaluation["warnings"] == ["Document 2 was not read: it was changed after it was checked."]
