"""A CRM's key is kept sealed: who reads the row, or moves it to their own, does not have it."""

import pytest

from millrace.bindings.seal import KeyFileSeal
from millrace.domain.sealing import integration_context
from millrace.errors import SealBroken
from millrace.store import integrations
from millrace.store.integrations import NewIntegration
from tests.factories import add_tenant

PLAIN = "a key to their CRM"


@pytest.fixture
def seal(tmp_path):
    return KeyFileSeal(tmp_path / "seal.key")


def create(db, seal, *, integration_id="crm_1", tenant_id="tenant_a"):
    add_tenant(db, tenant_id)
    sealed = seal.seal(PLAIN, context=integration_context(integration_id, tenant_id=tenant_id))
    return integrations.create(db, NewIntegration(integration_id, tenant_id, "hubspot", sealed))


def opened(row, seal):
    context = integration_context(row["id"], tenant_id=row["tenant_id"])
    return seal.open(row["api_key"], context=context)


def test_the_row_holds_the_key_sealed_and_its_tenant_can_have_it_opened(db, seal):
    create(db, seal)

    row = integrations.find(db, "crm_1", tenant_id="tenant_a")

    assert PLAIN not in str(dict(row))
    assert opened(row, seal) == PLAIN
    assert integrations.find(db, "crm_1", tenant_id="tenant_b") is None


def test_an_integration_that_is_there_is_left_as_it_is(db, seal):
    create(db, seal)

    assert not integrations.create(db, NewIntegration("crm_1", "tenant_a", "other", "sealed:file:AAAA"))
    assert integrations.find(db, "crm_1", tenant_id="tenant_a")["crm_type"] == "hubspot"


def test_a_key_copied_into_another_tenants_row_does_not_open(db, seal):
    create(db, seal)
    create(db, seal, integration_id="crm_2", tenant_id="tenant_b")

    db.prepare("""
        UPDATE crm_integrations SET api_key = (SELECT api_key FROM crm_integrations WHERE id = 'crm_1')
        WHERE id = 'crm_2'
    """).run()

    with pytest.raises(SealBroken):
        opened(integrations.find(db, "crm_2", tenant_id="tenant_b"), seal)
