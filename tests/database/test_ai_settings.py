"""What a tenant chooses about AI holds for its next job and for nobody else, from its batch on."""

from datetime import timedelta

import pytest

from millrace.domain.idempotency import IdempotencyKey
from millrace.errors import AiDisabled
from millrace.store import evaluations, settings
from tests.databases import on_postgres
from tests.factories import (
    BY,
    NOW,
    add_house,
    add_lead,
    add_site,
    add_tenant,
    count_rows,
    new_id,
    order_for,
)
from tests.valid_rows import add_row

OFF = {"ai_enabled": False}


def change(db, values, *, tenant_id="tenant_a", now=NOW):
    return settings.change(db, values, tenant_id=tenant_id, by=BY, now=now)


def create(db, lead_id, *, key=None, **changes):
    order = order_for(lead_id, **changes)
    return evaluations.create(db, order, job_id=new_id("job"), now=NOW, key=key).facts


def model_of(db, facts):
    chosen = db.prepare("SELECT model_version FROM ai_evaluation_jobs WHERE id = ?1")
    return chosen.bind(facts["job_id"]).first("model_version")


@pytest.fixture
def house(db):
    add_house(db)
    return db


def test_what_is_changed_is_answered_as_it_now_holds_and_kept(house):
    answered = change(house, {"ai_enabled": False, "ai_default_model": "some/model"})

    assert (answered["ai_enabled"], answered["ai_default_model"]) == (False, "some/model")
    assert settings.read(house, tenant_id="tenant_a") == answered


def test_a_value_is_changed_in_its_row_and_all_others_stay_as_they_are(house):
    change(house, {"ai_enabled": False, "ai_default_model": "some/model"})
    later = NOW + timedelta(hours=1)

    answered = change(house, {"ai_enabled": True}, now=later)

    rows = house.prepare(
        "SELECT key, value, updated_at FROM settings WHERE tenant_id IS NOT NULL ORDER BY key"
    )
    assert rows.raw() == [("ai_default_model", "some/model", NOW), ("ai_enabled", "true", later)]
    assert (answered["ai_enabled"], answered["ai_default_model"]) == (True, "some/model")


def test_nothing_to_change_changes_nothing(house):
    before = count_rows(house, "settings")

    assert change(house, {}) == settings.read(house, tenant_id="tenant_a")
    assert count_rows(house, "settings") == before


def test_switched_off_there_is_no_job_no_charge_and_no_kept_key(house):
    lead = add_lead(house)
    change(house, OFF)

    with pytest.raises(AiDisabled):
        create(house, lead, key=IdempotencyKey("once", "fingerprint"))

    tables = ("ai_evaluation_jobs", "ai_evaluation_usage", "quota_entries", "job_events", "idempotency_keys")
    assert [count_rows(house, table) for table in tables] == [0] * 5
    change(house, {"ai_enabled": True})
    assert create(house, lead, key=IdempotencyKey("once", "fingerprint"))["used"] == 1


def test_a_switch_is_for_one_tenant_alone(house):
    add_tenant(house, "tenant_b")
    add_site(house, "site_b", tenant_id="tenant_b")
    change(house, OFF, tenant_id="tenant_b")

    assert create(house, add_lead(house))["used"] == 1


@pytest.mark.parametrize(("own", "accepted"), [(None, False), (True, True)])
def test_what_is_set_for_all_holds_for_who_has_no_value_of_their_own(house, own, accepted):
    lead = add_lead(house)
    add_row(house, "settings", key="ai_enabled", value="false", value_type="boolean", tenant_id=None)
    if own is not None:
        change(house, {"ai_enabled": own})

    if accepted:
        assert create(house, lead)["used"] == 1
    else:
        with pytest.raises(AiDisabled):
            create(house, lead)


@pytest.mark.parametrize(
    ("chosen", "configured", "used"),
    [
        (None, ("local/rules", "some/model"), "local/rules"),
        ("auto", ("local/rules", "some/model"), "local/rules"),
        ("some/model", ("local/rules", "some/model"), "some/model"),
        ("some/model", ("local/rules", "another/model"), "local/rules"),
        # Who named a model in the request is not told another.
        ("some/model", (), "local/rules"),
    ],
)
def test_auto_is_the_tenant_s_model_while_it_is_configured(house, chosen, configured, used):
    if chosen:
        change(house, {"ai_default_model": chosen})

    assert model_of(house, create(house, add_lead(house), models=configured)) == used


def test_a_model_that_is_set_for_all_is_the_default_of_who_has_none(house):
    add_row(house, "settings", key="ai_default_model", value="some/model", tenant_id=None)

    facts = create(house, add_lead(house), models=("local/rules", "some/model"))

    assert model_of(house, facts) == "some/model"


@on_postgres
def test_the_api_changes_the_settings_of_its_tenant_beside_what_holds_for_all(house, api_db):
    add_tenant(house, "tenant_b")
    add_row(house, "settings", key="ai_enabled", value="true", value_type="boolean", tenant_id=None)
    change(house, OFF, tenant_id="tenant_b")
    own = api_db.for_tenant("tenant_a")

    first, again = change(own, OFF), change(own, {"ai_enabled": True})

    assert (first["ai_enabled"], again["ai_enabled"]) == (False, True)
    assert settings.read(house, tenant_id="tenant_b")["ai_enabled"] is False
    default = "SELECT value FROM settings WHERE tenant_id IS NULL AND key = 'ai_enabled'"
    assert house.prepare(default).first("value") == "true"
