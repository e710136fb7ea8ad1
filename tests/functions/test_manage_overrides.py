"""What a person recommends instead of what was evaluated."""

from typing import Any

import pytest

from tests.events import said
from tests.functions.asking import post
from tests.functions.conftest import World
from tests.functions.deciding import accept, code_of, complete, count_batches

OVERRIDE = {"new_recommendation": "reject", "reason": "  The employer knows no Robin Example.\n"}


def test_an_override_is_201_and_stands_beside_what_was_evaluated(world: World):
    accept(world)
    evaluation_id = complete(world)
    world.clock.advance(minutes=5)

    answer = post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE)

    data = said(answer)["data"]
    override_id = data.pop("override_id")
    assert answer["statusCode"] == 201
    assert data == {
        "lead_id": "lead_123",
        "evaluation_id": evaluation_id,
        "recommendation": "approve",
        "new_recommendation": "reject",
        "reason": "The employer knows no Robin Example.",
        "overridden_by": "user_xyz",
        "overridden_at": "2025-12-17T10:05:00Z",
    }
    rows = world.owner.prepare("SELECT id, reason FROM evaluation_overrides").raw()
    assert rows == [(override_id, "The employer knows no Robin Example.")]


def test_a_repeated_override_is_the_first_one_word_for_word(world: World, capsys):
    accept(world)
    complete(world)
    first = post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE, idempotency_key="once")
    world.clock.advance(minutes=5)

    again = post(
        world, "leads/lead_123/ai-evaluation/override", OVERRIDE, idempotency_key="once", x_user_id="another"
    )
    other = post(
        world,
        "leads/lead_123/ai-evaluation/override",
        OVERRIDE | {"reason": "Other."},
        idempotency_key="once",
    )

    assert (again["statusCode"], again["body"]) == (201, first["body"])
    assert again["headers"]["Idempotent-Replayed"] == "true"
    assert code_of(other) == (422, "IdempotencyKeyReused")
    assert world.owner.prepare("SELECT COUNT(*) AS n FROM evaluation_overrides").first("n") == 1
    assert "employer" not in capsys.readouterr().out


def test_only_the_evaluation_that_the_person_saw_is_overridden(world: World):
    accept(world)
    seen = complete(world)
    world.clock.advance(minutes=1)
    accept(world)
    complete(world)

    answer = post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE | {"evaluation_id": seen})

    assert code_of(answer) == (404, "EvaluationNotFound")
    assert said(answer)["message"].startswith("This is not the lead's latest evaluation.")


@pytest.mark.parametrize(
    ("lead_id", "site_id", "error"),
    [
        ("lead_123", "site_abc", "EvaluationNotFound"),
        ("nobody", "site_abc", "LeadNotFound"),
        ("lead_of_another", "site_abc", "LeadNotFound"),
        ("lead_of_another", "site_other", "SiteNotFound"),
    ],
)
def test_without_an_evaluation_of_theirs_there_is_nothing_to_override(
    world: World, lead_id: str, site_id: str, error: str
):
    accept(world, "lead_of_another", tenant_id="tenant_other", site_id="site_other")
    complete(world)

    answer = post(world, f"leads/{lead_id}/ai-evaluation/override", OVERRIDE, x_site_id=site_id)

    assert code_of(answer) == (404, error)
    assert "approve" not in answer["body"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"new_recommendation": "perhaps"}, "new_recommendation"),
        ({"reason": " \n "}, "reason"),
        ({"reason": "x" * 1_001}, "reason"),
        ({"evaluation_id": ""}, "evaluation_id"),
        ({"score": 100}, "score"),
    ],
)
def test_what_makes_no_sense_as_an_override_is_400_and_named(
    world: World, change: dict[str, Any], field: str
):
    answer = post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE | change)

    assert answer["statusCode"] == 400
    assert [fault["field"] for fault in said(answer)["fields"]] == [field]


def test_who_decides_must_be_named(world: World):
    answer = post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE, x_user_id="")

    assert code_of(answer) == (400, "MissingHeaders")


def test_an_override_is_one_round_trip(world: World, monkeypatch: pytest.MonkeyPatch):
    accept(world)
    complete(world)
    sizes = count_batches(world, monkeypatch)

    post(world, "leads/lead_123/ai-evaluation/override", OVERRIDE, idempotency_key="once")

    assert len(sizes) == 1
