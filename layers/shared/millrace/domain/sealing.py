"""What a sealed value is bound to: its tenant and its row. Moved to another one, it cannot be opened."""

from typing import NewType

Sealed = NewType("Sealed", str)


def integration_context(integration_id: str, *, tenant_id: str) -> dict[str, str]:
    """For a CRM integration's key. KMS writes it to its log, so it holds ids and nothing else."""
    return {"tenant": tenant_id, "row": f"crm_integrations/{integration_id}"}
