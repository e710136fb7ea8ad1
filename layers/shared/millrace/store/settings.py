"""Settings: a tenant's own value, or else what holds for all."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from millrace.bindings.database import Database

# A float is read as a decimal, because some are dollars.
MEANING: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "float": Decimal,
    "boolean": lambda text: text == "true",
    "json": json.loads,
}


def read(db: Database, *, tenant_id: str) -> dict[str, Any]:
    """Every setting as it holds for the tenant, as a value of its type."""
    rows = db.prepare("""
        SELECT key, value, value_type FROM settings WHERE tenant_id IS NULL OR tenant_id = ?1
        ORDER BY tenant_id IS NOT NULL
    """)
    return {
        row["key"]: MEANING[row["value_type"]](row["value"]) for row in rows.bind(tenant_id).all().results
    }
