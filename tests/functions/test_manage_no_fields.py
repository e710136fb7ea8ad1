"""Where no field is expected, one that is sent all the same is refused and not passed over."""

import pytest

from tests.events import said
from tests.functions.asking import post
from tests.functions.conftest import World
from tests.functions.deciding import accept, failed_job, moves_of


@pytest.mark.parametrize("decision", ["retry", "cancel"])
def test_a_field_that_no_decision_knows_is_400_and_changes_nothing(world: World, decision: str):
    job_id = failed_job(world) if decision == "retry" else accept(world)
    before = moves_of(world, job_id)

    answer = post(world, f"ai-evaluation-jobs/{job_id}/{decision}", {"model_version": "auto"})

    assert answer["statusCode"] == 400
    assert said(answer)["fields"][0]["field"] == "model_version"
    assert moves_of(world, job_id) == before


@pytest.mark.parametrize("body", [None, {}])
def test_a_decision_needs_no_body_and_takes_an_empty_one(world: World, body: dict[str, str] | None):
    job_id = failed_job(world)

    assert post(world, f"ai-evaluation-jobs/{job_id}/retry", body)["statusCode"] == 202
    assert post(world, f"ai-evaluation-jobs/{job_id}/cancel", body)["statusCode"] == 200
