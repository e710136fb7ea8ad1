"""Who changed what through the API is written down with where from, and the minute's schedule seals it."""

import json
from typing import Any

import pytest

from functions.job_pickup.app import handler as pick_up
from tests.events import Context, read_event
from tests.functions.asking import manage, post
from tests.functions.conftest import World
from tests.functions.deciding import accept, complete
from tests.functions.keeping_keys import issued, revoke, rotate

OVERRIDE = {"new_recommendation": "reject", "reason": "Seen."}


def entries(world: World) -> list[dict[str, Any]]:
    """In the order in which they came."""
    rows = world.owner.prepare("SELECT * FROM audit_log ORDER BY created_at, id").all().results
    return [dict(row) for row in rows]


def tick(world: World) -> None:
    pick_up(read_event("job_pickup/every_minute"), Context(), env=world.engine)


def test_each_says_who_with_which_key_and_from_where(world: World):
    accept(world)
    complete(world)

    steps = {
        "setting_changed": lambda: manage(world, "PUT", "ai-settings", {"ai_enabled": True}),
        "evaluation_overridden": lambda: post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE),
        "lead_deleted": lambda: manage(world, "DELETE", "leads/lead_123"),
        "key_issued": lambda: issued(world),
    }
    for step in steps.values():
        world.clock.advance(seconds=1)
        step()
    key_id = entries(world)[-1]["subject"]
    for action, answer in (("key_rotated", rotate), ("key_revoked", revoke)):
        world.clock.advance(seconds=1)
        assert answer(world, key_id)["statusCode"] in (200, 201), action

    found = entries(world)
    assert [entry["action"] for entry in found] == [*steps, "key_rotated", "key_revoked"]
    who = {(entry["tenant_id"], entry["person"], entry["key_id"], entry["source"]) for entry in found}
    assert who == {("tenant_demo", "user_xyz", "key_demo", "203.0.113.7")}


def test_what_is_refused_is_not_written_down(world: World):
    refused = [
        manage(world, "DELETE", "leads/nobody"),
        manage(world, "DELETE", "leads/lead_of_another"),
        post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE),
        revoke(world, "key_of_nobody"),
        manage(world, "PUT", "ai-settings", {"ai_enabled": False}, scopes="evaluations:read"),
    ]

    assert [answer["statusCode"] for answer in refused] == [404, 404, 404, 404, 403]
    assert entries(world) == []


def test_the_schedule_seals_and_says_how_long_the_chain_is_and_its_hash(world: World, capsys):
    issued(world)
    capsys.readouterr()

    tick(world)
    first = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    tick(world)
    second = capsys.readouterr().out

    (entry,) = entries(world)
    (said,) = [line for line in first if line.get("message") == "audit_sealed"]
    assert (said["place"], said["hash"]) == (entry["place"], entry["hash"]) == (1, entry["hash"])
    assert "audit_sealed" not in second


def test_a_log_that_was_shortened_fails_the_tick_and_all_else_is_done(world: World, capsys):
    sealed = "INSERT INTO audit_seals (place, hash, created_at) VALUES (7, 'ab', ?1)"
    world.owner.prepare(sealed).bind(world.clock.now()).run()
    accept(world)

    with pytest.raises(RuntimeError):
        tick(world)

    assert "AuditChainBroken" in capsys.readouterr().out
    assert ("evaluation", 1, 0) in world.doorbell.rung
