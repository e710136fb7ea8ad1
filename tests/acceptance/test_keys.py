"""A key's life over HTTP: issued by another, used, rotated, revoked."""

from typing import Any

import httpx

from tests.acceptance.conftest import System


def issue(system: System, *scopes: str) -> dict[str, Any]:
    wanted = {"name": "For the night shift", "scopes": list(scopes), "expires_in_days": 1}
    response = system.client.post("/api/keys", json=wanted)
    assert response.status_code == 201, response.text
    return dict(response.json()["data"])


def read_jobs(system: System, key: str) -> httpx.Response:
    return system.client.get("/api/ops/ai-evaluation-jobs", headers={"Authorization": f"Bearer {key}"})


def test_an_issued_key_may_do_what_it_was_issued_for_and_nothing_else(system: System):
    reader = issue(system, "evaluations:read")["key"]

    read = read_jobs(system, reader)
    written = system.post("lead_021", Authorization=f"Bearer {reader}")

    assert read.status_code == 200
    assert (written.status_code, written.json()["scope"]) == (403, "evaluations:write")


def test_a_rotated_key_and_its_successor_both_open_until_one_is_revoked(system: System):
    old = issue(system, "evaluations:read")
    rotated = system.client.post(f"/api/keys/{old['key_id']}/rotate").json()["data"]
    # Before anybody has used it: whom the gateway has let in, it remembers for a minute.
    revoked = system.client.delete(f"/api/keys/{old['key_id']}")

    assert read_jobs(system, rotated["key"]).status_code == 200
    assert (revoked.status_code, read_jobs(system, old["key"]).status_code) == (200, 403)
    listed = system.client.get("/api/keys?limit=100").json()["data"]
    by_id = {key["key_id"]: key for key in listed}
    assert by_id[old["key_id"]]["replaced_by"] == rotated["key_id"]
    assert "last_used_at" in by_id[rotated["key_id"]]
    assert old["key"] not in system.said()
    assert rotated["key"] not in system.said()
