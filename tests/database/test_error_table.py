"""Why an evaluation may end without a result: under which name, after how many attempts, at whose cost."""

import json

import pytest

from millrace.errors import (
    InsufficientDocuments,
    ModelAnswerInvalid,
    ModelTimeout,
    ModelUnavailable,
    ProcessingError,
)
from tests.evaluation_bed import FACTS, Bed, BrokenBucket, Model
from tests.factories import accept_job, count_rows

NONSENSE = ["", "I am sorry, I cannot do that.", '{"recommendation": "reject"}', "{" * 9_999]
FAILING = {
    "a model over its time limit": ("ModelTimeout", ModelTimeout("The model took longer than 30 s.")),
    "a model that has too much to do": ("ModelUnavailable", ModelUnavailable("The model answers 429.")),
    "a model that is broken": ("ModelUnavailable", ModelUnavailable("The model answers 500.")),
    "a bug": ("ProcessingError", RuntimeError("net pay $1,879.45")),
    "what nobody foresaw": ("ProcessingError", ProcessingError("It did not work.")),
}
ATTEMPTS = 4


def run_to_the_end(bed: Bed, **given) -> list[str]:
    """How each attempt ended, one after the other, until none is due."""
    states = []
    while ending := bed.run(**given):
        states.append(ending.state)
        bed.clock.advance(hours=1)
    return states


def assert_ended(bed: Bed, code: str, *, charged: int) -> None:
    assert (bed.job["status"], bed.job["error_code"]) == ("failed", code)
    assert bed.job["error_message"]
    assert bed.is_charged(charged)
    assert count_rows(bed.db, "lead_ai_evaluations") == 0


def test_a_lead_that_is_gone_ends_it_at_once_and_is_free(bed, job_id):
    bed.add_document()
    bed.set_lead(status="deleted", deleted_at=bed.clock.now())

    assert run_to_the_end(bed) == ["failed"]
    assert_ended(bed, "ResourceNotFound", charged=0)
    assert bed.lead["status"] == "deleted"


def test_a_lead_without_documents_ends_it_at_once_and_is_free(bed, job_id):
    assert run_to_the_end(bed) == ["failed"]
    assert_ended(bed, "InsufficientDocuments", charged=0)
    assert bed.bell.rings == []


@pytest.mark.parametrize("content", [None, b"", b"Lovely weather here. Yours, Aunt May"])
def test_without_a_document_that_can_be_read_it_ends_at_once_and_is_free(bed, job_id, content):
    bed.add_document(content)

    assert run_to_the_end(bed) == ["failed"]
    assert_ended(bed, "InsufficientDocuments", charged=0)


def test_documents_that_the_model_cannot_take_end_it_at_once_and_are_free(bed, job_id):
    bed.add_document()

    assert run_to_the_end(bed, model=Model(InsufficientDocuments("It takes images only."))) == ["failed"]
    assert_ended(bed, "InsufficientDocuments", charged=0)


def test_a_model_that_is_no_longer_configured_ends_it_at_once_and_is_free(bed, job_id):
    bed.add_document()
    bed.db.prepare("UPDATE ai_evaluation_jobs SET model_version = 'openai/gone'").run()
    model = Model(json.dumps(FACTS))

    assert run_to_the_end(bed, model=model) == ["failed"]
    assert_ended(bed, "ModelNotConfigured", charged=0)
    assert bed.job["error_message"] == (
        "The model openai/gone is not configured here. Ask again with one of local/rules."
    )
    assert (model.questions, bed.bell.rings) == ([], [])


def test_why_some_documents_were_left_out_is_said_also_when_the_others_say_nothing(bed, job_id):
    bed.add_document(None)
    bed.add_document(b"Lovely weather here. Yours, Aunt May")

    assert run_to_the_end(bed) == ["failed"]
    assert_ended(bed, "InsufficientDocuments", charged=0)
    assert bed.job["error_message"].endswith(
        "Document 2 is neither a pay slip nor an employment letter nor a bank statement. "
        "Document 1 was not read: the file is missing."
    )


def test_a_bucket_that_fails_is_asked_again_and_in_the_end_it_was_free(bed, job_id):
    bed.add_document()

    assert run_to_the_end(bed, bucket=BrokenBucket()) == ["retried"] * (ATTEMPTS - 1) + ["failed"]
    assert_ended(bed, "StorageError", charged=0)


@pytest.mark.parametrize("what", FAILING)
def test_what_may_pass_is_tried_again_and_in_the_end_it_was_free(bed, job_id, what):
    code, error = FAILING[what]
    bed.add_document()

    assert run_to_the_end(bed, model=Model(error)) == ["retried"] * (ATTEMPTS - 1) + ["failed"]
    assert_ended(bed, code, charged=0)


@pytest.mark.parametrize("what", FAILING)
def test_what_may_pass_is_charged_meanwhile_and_when_it_has_passed_there_is_a_result(bed, job_id, what):
    code, error = FAILING[what]
    bed.add_document()

    ending = bed.run(model=Model(error))

    assert (ending.state, ending.failure.code) == ("retried", code)
    assert (bed.job["status"], bed.job["error_code"], bed.job["retry_count"]) == ("pending", code, 1)
    assert bed.bell.rings == [("evaluation", 15)]
    assert bed.is_charged(1)
    assert bed.run() is None
    bed.clock.advance(seconds=15)
    assert bed.run().state == "completed"
    assert (bed.job["error_code"], bed.is_charged(1)) == (None, True)


@pytest.mark.parametrize(("asked", "waited"), [(77.5, 77.5), (1, 15), (86_400, 900), (float("nan"), 15)])
def test_a_model_that_says_when_to_come_again_is_left_alone_until_then(bed, job_id, asked, waited):
    bed.add_document()
    busy = ModelUnavailable("The model answers 429.", retry_after_seconds=asked)

    bed.run(model=Model(busy))

    assert (bed.job["run_after"] - bed.clock.now()).total_seconds() == waited
    bed.clock.advance(seconds=waited - 0.001)
    assert bed.run() is None
    bed.clock.advance(seconds=0.001)
    assert bed.run().state == "completed"


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_an_unreadable_answer_never_becomes_a_rejection_of_a_person(bed, job_id, nonsense):
    bed.add_document()
    model = Model(nonsense)

    assert run_to_the_end(bed, model=model) == ["failed"]
    assert len(model.questions) == 2
    assert_ended(bed, "ModelAnswerInvalid", charged=1)
    lead = bed.lead
    assert lead["status"] == "manual_review"
    assert (lead["ai_score"], lead["ai_label"], lead["latest_evaluation_id"]) == (None, None, None)


def test_a_model_that_refuses_is_asked_once_and_a_person_looks(bed, job_id):
    bed.add_document()
    model = Model(ModelAnswerInvalid("The model refuses to answer."))

    assert run_to_the_end(bed, model=model) == ["failed"]
    assert len(model.questions) == 1
    assert_ended(bed, "ModelAnswerInvalid", charged=1)
    assert bed.lead["status"] == "manual_review"


def test_a_judgement_of_before_stands_when_a_later_answer_cannot_be_read(bed, job_id):
    bed.add_document()
    bed.run(model=Model(json.dumps(FACTS)))
    before = bed.lead
    accept_job(bed.db, bed.lead_id, force_refresh=True)

    bed.run(model=Model("nonsense"))

    lead = bed.lead
    assert lead["status"] == "manual_review"
    for column in ("ai_score", "ai_label", "latest_evaluation_id"):
        assert lead[column] == before[column] is not None


@pytest.mark.parametrize("what", [name for name in FAILING if name != "a bug"])
def test_only_an_unreadable_answer_asks_for_a_person(bed, job_id, what):
    bed.add_document()

    run_to_the_end(bed, model=Model(FAILING[what][1]))

    assert bed.lead["status"] == "new"


def test_a_lead_deleted_while_the_model_read_is_not_judged(bed, job_id):
    bed.add_document()

    def think():
        bed.set_lead(status="deleted", deleted_at=bed.clock.now())
        return json.dumps(FACTS)

    assert run_to_the_end(bed, model=Model(think)) == ["retried", "failed"]
    assert_ended(bed, "ResourceNotFound", charged=0)
    assert (bed.lead["status"], bed.lead["ai_score"]) == ("deleted", None)


def test_a_lead_deleted_while_the_model_wrote_nonsense_is_not_marked(bed, job_id):
    bed.add_document()

    def think():
        bed.set_lead(status="deleted", deleted_at=bed.clock.now())
        return "nonsense"

    assert run_to_the_end(bed, model=Model(think)) == ["failed"]
    assert bed.lead["status"] == "deleted"
