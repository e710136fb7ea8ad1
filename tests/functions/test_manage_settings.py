"""A tenant's choices about AI, and what they do to the next request."""

from dataclasses import replace
from typing import Any

import pytest

from functions.create_job.app import handler as create_job
from millrace.env import Env
from tests.events import Context, read_event, said
from tests.factories import count_rows
from tests.functions.asking import manage
from tests.functions.conftest import World

PATH = "ai-settings"
UNTOUCHED = {
    "ai_enabled": True,
    "auto_run_on_documents": False,
    "default_model": "auto",
    "models": ["local/rules"],
}


@pytest.fixture
def two_models(world: World) -> World:
    """The world with a second model that may be chosen."""
    configure(world, "local/rules", "some/model")
    return world


def configure(world: World, *models: str) -> None:
    env = world.api
    config = replace(env.config, ai_models=models)
    world.api = Env(config, now=env.now, DB=env.DB, QUEUE=env.QUEUE, BUCKET=env.BUCKET)


def change(world: World, body: Any, **given: Any) -> dict[str, Any]:
    return manage(world, "PUT", PATH, body, **given)


def read(world: World, **given: Any) -> dict[str, Any]:
    answer = manage(world, "GET", PATH, **given)
    assert answer["statusCode"] == 200
    return dict(said(answer)["data"])


def create(world: World, event: str = "minimal") -> dict[str, Any]:
    return create_job(read_event(f"create_job/{event}"), Context(), env=world.api)


def test_who_has_chosen_nothing_is_told_what_holds(world: World):
    assert read(world, x_site_id="", x_user_id="") == UNTOUCHED


def test_what_is_left_out_stays_as_it_is(two_models: World):
    first = change(two_models, {"auto_run_on_documents": True, "default_model": "some/model"})
    second = change(two_models, {"ai_enabled": False})

    expected = UNTOUCHED | {
        "auto_run_on_documents": True, "default_model": "some/model", "models": ["local/rules", "some/model"],
    }  # fmt: skip
    assert (first["statusCode"], said(first)) == (200, {"success": True, "data": expected})
    assert said(second)["data"] == read(two_models) == expected | {"ai_enabled": False}


def test_nothing_said_changes_nothing(world: World):
    before = count_rows(world.owner, "settings")

    answer = change(world, None)

    assert (answer["statusCode"], said(answer)["data"]) == (200, UNTOUCHED)
    assert count_rows(world.owner, "settings") == before


def test_an_answer_can_be_sent_back_as_far_as_it_is_a_choice(two_models: World):
    change(two_models, {"default_model": "some/model"})
    configure(two_models, "local/rules")

    shown = read(two_models)
    chosen = {name: value for name, value in shown.items() if name != "models"}

    assert shown["default_model"] == "auto"
    assert said(change(two_models, chosen))["data"] == shown


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"default_model": "somebody/elses"}, "must be one of auto, local/rules, some/model"),
        ({"default_model": ""}, "must not be empty"),
        ({"default_model": None}, "must be text"),
        ({"ai_enabled": None}, "must be true or false"),
        ({"ai_enabled": "off"}, "must be true or false"),
        ({"auto_run_on_documents": 1}, "must be true or false"),
        ({"daily_spend_limit": 1_000_000}, "is not a known field"),
    ],
)
def test_what_cannot_be_chosen_is_400_and_changes_nothing(
    two_models: World, body: dict[str, Any], fault: str
):
    before = count_rows(two_models.owner, "settings")

    answer = change(two_models, {"ai_enabled": False} | body)

    assert answer["statusCode"] == 400
    assert said(answer)["fields"] == [{"field": next(iter(body)), "message": fault}]
    assert count_rows(two_models.owner, "settings") == before


def test_a_choice_is_for_one_tenant_alone(world: World):
    change(world, {"ai_enabled": False}, tenant_id="tenant_other")

    assert read(world)["ai_enabled"] is True
    assert read(world, tenant_id="tenant_other")["ai_enabled"] is False


@pytest.mark.parametrize(
    ("method", "scopes", "headers", "error"),
    [
        ("PUT", "evaluations:read evaluations:write usage:read", {}, "MissingScope"),
        ("GET", "evaluations:write usage:read settings:admin", {}, "MissingScope"),
        ("PUT", "settings:admin", {"x_user_id": ""}, "MissingHeaders"),
    ],
)
def test_who_may_not_is_refused(world: World, method: str, scopes: str, headers: dict[str, str], error: str):
    answer = manage(world, method, PATH, {} if method == "PUT" else None, scopes=scopes, **headers)

    assert said(answer)["error"] == error


def test_switched_off_no_evaluation_is_accepted_until_it_is_switched_on(world: World):
    change(world, {"ai_enabled": False})

    refused = create(world, "with_options")
    kept = [count_rows(world.owner, table) for table in ("ai_evaluation_usage", "idempotency_keys")]
    change(world, {"ai_enabled": True})
    accepted = create(world, "with_options")

    assert (refused["statusCode"], said(refused)["error"]) == (403, "AiDisabled")
    assert kept == [0, 0]
    assert (accepted["statusCode"], len(world.jobs())) == (201, 1)


def test_auto_is_the_tenant_s_default_model_while_it_is_configured(two_models: World):
    change(two_models, {"default_model": "some/model"})
    create(two_models)
    chosen = two_models.job()["model_version"]
    two_models.owner.prepare("DELETE FROM ai_evaluation_jobs").run()
    configure(two_models, "local/rules")

    create(two_models)

    assert (chosen, two_models.job()["model_version"]) == ("some/model", "local/rules")
