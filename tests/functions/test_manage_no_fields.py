"""Where no field is expected, one that is sent all the same is refused and not passed over."""

import pytest

from tests.events import said
from tests.functions.asking import manage, post
from tests.functions.conftest import World
from tests.functions.deciding import accept, failed_job, moves_of
from tests.functions.uploading import PDF, announce, send


@pytest.mark.parametrize("decision", ["retry", "cancel"])
def test_a_field_that_no_decision_knows_is_400_and_changes_nothing(world: World, decision: str):
    job_id = failed_job(world) if decision == "retry" else accept(world)
    before = moves_of(world, job_id)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/{decision}", {"model_version": "auto"})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == "model_version"
    assert moves_of(world, job_id) == before


def test_a_field_with_which_a_document_is_said_to_be_complete_is_400_and_it_is_not(world: World):
    made = said(announce(world))["data"]
    send(world, made["upload"], PDF)
    path = f"leads/lead_123/documents/{made['document_id']}"

    answer = post(world, f"{path}/complete", {"sha256": "0" * 64})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == "sha256"
    assert said(manage(world, "GET", path))["data"]["status"] == "awaiting_upload"
    assert [post(world, f"{path}/complete", body)["statusCode"] for body in ({}, None)] == [200, 200]


@pytest.mark.parametrize("body", [None, {}])
def test_a_decision_needs_no_body_and_takes_an_empty_one(world: World, body: dict[str, str] | None):
    job_id = failed_job(world)

    assert post(world, f"ai-evaluation-jobs/{job_id}/retry", body)["statusCode"] == 202
    assert post(world, f"ai-evaluation-jobs/{job_id}/cancel", body)["statusCode"] == 200
