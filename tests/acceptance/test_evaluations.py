"""Evaluations over HTTP: asked for, polled, finished, refused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.acceptance.conftest import System

SITE_LIMIT = 20


def test_a_job_is_accepted_at_once_and_finishes_with_a_result(system: System):
    accepted = system.post("lead_123")

    assert accepted.status_code == 201
    body = accepted.json()
    assert body.keys() == {"success", "data", "usage"}
    assert body["success"] is True
    assert body["data"].keys() == {"job_id", "lead_id", "status", "requested_at", "estimated_completion"}
    assert body["data"]["job_id"].startswith("job_")
    assert (body["data"]["lead_id"], body["data"]["status"]) == ("lead_123", "pending")
    assert body["usage"].keys() >= {"remaining", "limit", "month"}
    assert body["usage"]["limit"] == SITE_LIMIT

    job = system.wait_for(body["data"]["job_id"])
    assert job["status"] == "completed"
    assert (job["evaluation"]["score"], job["evaluation"]["label"]) == (100, "A")
    assert job["evaluation"]["recommendation"] == "approve"


def test_what_was_judged_is_found_again_under_its_lead_and_its_site(system: System):
    job_id = system.post("lead_020").json()["data"]["job_id"]
    while (polled := system.get(f"{job_id}?wait=20")).status_code == 202:
        assert polled.json()["data"]["status"] in {"pending", "processing"}

    latest, history, activity, jobs, usage = (
        system.client.get(f"/api/ops/{path}").json()["data"]
        for path in (
            "leads/lead_020/ai-evaluation",
            "leads/lead_020/ai-evaluations",
            "leads/lead_020/activity",
            "ai-evaluation-jobs?lead_id=lead_020&limit=5",
            "sites/site_abc/ai-usage",
        )
    )

    assert polled.status_code == 200
    assert latest["id"] == polled.json()["data"]["evaluation"]["id"]
    assert history == [latest]
    assert [one["what"] for one in activity] == ["completed", "requested"]
    assert [job["job_id"] for job in jobs] == [job_id]
    assert 1 <= usage["used"] <= usage["limit"] == SITE_LIMIT


def test_a_lead_that_is_not_there_is_404(system: System):
    response = system.post("nonexistent")

    assert response.status_code == 404
    assert response.json() == {
        "success": False,
        "error": "LeadNotFound",
        "message": "Lead not found or access denied",
    }


def test_another_tenants_site_and_lead_are_404(system: System):
    assert system.post("lead_other", **{"X-Site-Id": "site_other"}).json()["error"] == "SiteNotFound"
    assert system.post("lead_other").json()["error"] == "LeadNotFound"


def test_an_evaluated_lead_is_judged_again_only_when_forced(system: System):
    job_id = system.post("lead_002").json()["data"]["job_id"]
    evaluation_id = system.wait_for(job_id)["evaluation"]["id"]

    again, forced = system.post("lead_002"), system.post("lead_002", body={"force_refresh": True})

    assert again.status_code == 409
    assert again.json()["error"] == "AlreadyEvaluated"
    assert again.json()["evaluation_id"] == evaluation_id
    assert forced.status_code == 201
    assert forced.json()["data"]["job_id"] != job_id
    assert system.wait_for(forced.json()["data"]["job_id"])["status"] == "completed"


def test_a_repeat_with_the_same_idempotency_key_is_the_same_answer(system: System):
    headers = {"Idempotency-Key": "once-please"}

    first, second = system.post("lead_003", **headers), system.post("lead_003", **headers)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert second.headers["idempotent-replayed"] == "true"


def test_a_lead_without_documents_ends_without_a_result_and_says_why(system: System):
    accepted = system.post("lead_demo_empty", **{"X-Site-Id": "site_demo"})

    job_id = accepted.json()["data"]["job_id"]
    system.client.headers["X-Site-Id"] = "site_demo"
    job = system.wait_for(job_id)
    system.client.headers["X-Site-Id"] = "site_abc"
    assert (job["status"], job["error_code"]) == ("failed", "InsufficientDocuments")


def test_a_job_that_does_not_exist_is_404(system: System):
    response = system.get("job_0")

    assert (response.status_code, response.json()["error"]) == (404, "JobNotFound")


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"unknown": 1}', "application/json", 400),
        (b'{"force_refresh": "yes"}', "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415),
        (b'"' + b"x" * 1_100_000 + b'"', "application/json", 413),
    ],
)
def test_bad_input_is_a_clear_refusal(system: System, content: bytes, content_type: str, status: int):
    response = system.client.post(
        "/api/ops/leads/lead_004/ai-evaluation", content=content, headers={"Content-Type": content_type}
    )

    assert response.status_code == status
    assert response.json()["success"] is False


def test_the_gateway_answers_in_its_own_words(system: System):
    url = "/api/ops/ai-evaluation-jobs/job_0"
    wrong = system.client.get(url, headers={"Authorization": "Bearer wrong"})
    del system.client.headers["Authorization"]
    missing = system.client.get(url)
    system.client.headers["Authorization"] = "Bearer test-token"

    assert (missing.status_code, missing.content) == (401, b'{"message":"Unauthorized"}')
    assert (wrong.status_code, wrong.content) == (403, b'{"message":"Forbidden"}')


def test_creators_at_the_same_time_get_exactly_what_the_quota_allows(stopped: System):
    stopped.start()
    leads = [f"lead_{number:03}" for number in range(1, 31)]

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(stopped.post, leads))

    accepted = [answer for answer in answers if answer.status_code == 201]
    refused = [answer.json() for answer in answers if answer.status_code == 429]
    assert (len(accepted), len(refused)) == (SITE_LIMIT, 10)
    assert {answer["error"] for answer in refused} == {"QuotaExceeded"}
    assert refused[0]["usage"]["used"] == refused[0]["usage"]["limit"] == SITE_LIMIT
    jobs = [stopped.wait_for(answer.json()["data"]["job_id"]) for answer in accepted]
    assert {job["status"] for job in jobs} == {"completed"}
