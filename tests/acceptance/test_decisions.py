"""What people decide, over HTTP: something else, once more, no more, not at all."""

from typing import Any

from tests.acceptance.conftest import System

AT_DEMO = {"X-Site-Id": "site_demo"}
MOST_LOOKS = 10


def test_an_override_is_shown_beside_the_evaluation_that_stays(system: System):
    system.wait_for(system.post("lead_011").json()["data"]["job_id"])
    said = {"new_recommendation": "reject", "reason": "The employer knows nobody of that name."}

    made = system.client.post("/api/ops/leads/lead_011/ai-evaluation/override", json=said)

    latest = system.client.get("/api/ops/leads/lead_011/ai-evaluation").json()["data"]
    assert made.status_code == 201
    assert made.json()["data"].items() >= {**said, "recommendation": "approve"}.items()
    assert latest["recommendation"] == "approve"
    assert latest["override"].items() >= {**said, "overridden_by": "user_xyz"}.items()


def test_a_failed_job_is_run_again_and_costs_nothing_while_there_is_no_result(system: System):
    job_id = system.post("lead_demo_empty", **AT_DEMO).json()["data"]["job_id"]
    path = f"/api/ops/ai-evaluation-jobs/{job_id}"
    wait_for_failure(system, path)

    again = system.client.post(f"{path}/retry", headers=AT_DEMO)

    assert again.status_code == 202
    assert again.json()["data"]["status"] == "pending"
    assert wait_for_failure(system, path)["error_code"] == "InsufficientDocuments"
    month = again.json()["usage"]["month"]
    usage = system.client.get("/api/ops/sites/site_demo/ai-usage", params={"month": month}).json()["data"]
    assert usage["used"] == 0


def wait_for_failure(system: System, path: str) -> dict[str, Any]:
    for _ in range(MOST_LOOKS):
        job: dict[str, Any] = system.client.get(path, headers=AT_DEMO, params={"wait": 5}).json()["data"]
        if job["status"] == "failed":
            return job
    raise AssertionError(f"{path} does not fail:\n{system.said()}")


def test_a_waiting_job_is_cancelled_and_may_be_asked_for_again(deaf: System):
    job_id = deaf.post("lead_012").json()["data"]["job_id"]

    first, second = (deaf.client.post(f"/api/ops/ai-evaluation-jobs/{job_id}/cancel") for _ in range(2))

    assert (first.status_code, first.json()["data"]["status"]) == (200, "cancelled")
    assert second.json() == first.json()
    again = deaf.post("lead_012")
    assert (again.status_code, again.json()["usage"]["remaining"]) == (201, 19)


def test_switched_off_nothing_is_accepted_until_it_is_switched_on(system: System):
    switch = [{"ai_enabled": False}, {"ai_enabled": True}]

    off = system.client.put("/api/ops/ai-settings", json=switch[0])
    refused = system.post("lead_013")
    on = system.client.put("/api/ops/ai-settings", json=switch[1])
    accepted = system.post("lead_013")

    assert (off.json()["data"]["ai_enabled"], on.json()["data"]["ai_enabled"]) == (False, True)
    assert (refused.status_code, refused.json()["error"]) == (403, "AiDisabled")
    assert accepted.status_code == 201
