"""Where evaluations are limited by user, one gets as many as they may, and an operator changes how many."""

from collections.abc import Iterator
from typing import Any

import pytest

from millrace.command.line import main
from tests.acceptance.conftest import System, running


@pytest.fixture
def limited(empty_database: Any, tmp_path: Any) -> Iterator[System]:
    """Nobody runs a job here, so those that are accepted stay live."""
    flags, variables = ("--no-doorbell", "--no-schedule"), {"LIMITED_KINDS": "evaluation"}
    with running(System(empty_database.url, tmp_path, flags, variables)) as system:
        yield system


def allow(system: System, live_jobs: object) -> None:
    said = ["--live-jobs", str(live_jobs), "--database", system.database_url]
    assert main(["tenants", "set-limit", "tenant_demo", *said]) == 0


def live_jobs(system: System, **headers: str) -> dict[str, Any]:
    answer = system.client.get("/api/usage/quota", headers=headers)
    assert answer.status_code == 200, answer.text
    (found,) = (one for one in answer.json()["data"]["limits"] if one["name"] == "live_jobs")
    return dict(found)


def test_a_user_gets_as_many_as_they_may_and_another_their_own(limited: System):
    allow(limited, 2)
    wanted = {"name": "Night shift", "user_id": "another", "scopes": ["evaluations:write", "usage:read"]}
    key = limited.client.post("/api/keys", json=wanted).json()["data"]["key"]
    theirs = {"Authorization": f"Bearer {key}"}

    # Whom the requests name makes no difference.
    leads = {"lead_001": "ann", "lead_002": "bob", "lead_003": "carol"}
    first, second, third = (limited.post(lead, **{"X-User-Id": person}) for lead, person in leads.items())

    assert [first.status_code, second.status_code, third.status_code] == [201, 201, 429]
    assert (third.json()["error"], third.headers["Retry-After"]) == ("RateLimited", "5")
    assert second.json()["usage"]["limits"][-1]["remaining"] == 0
    assert live_jobs(limited)["used"] == 2
    assert limited.post("lead_003", **theirs).status_code == 201
    assert live_jobs(limited, **theirs)["used"] == 1

    allow(limited, "none")

    assert limited.post("lead_004").status_code == 201
    assert live_jobs(limited)["limit"] == 3
