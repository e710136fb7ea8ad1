"""The audit log, for an operator: what is in it, and whether it is whole."""

import re
from dataclasses import asdict
from typing import Any

from millrace.domain.audit import Link
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.operations import lists
from millrace.operations.tenants import check_tenant
from millrace.store import audit

HASH = re.compile(r"[0-9a-f]{64}")


def list_newest(env: Env, *, tenant_id: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """A tenant's entries or everybody's."""
    if tenant_id is not None:
        check_tenant(env, tenant_id)
    page = lists.ask_for("audit", tenant_id, limit=limit, cursor=cursor)
    return lists.show("entries", audit.list_newest(env.DB, tenant_id=tenant_id, page=page), page=page)


def verify(env: Env, *, known: str | None) -> dict[str, Any]:
    """How far the chain holds. `known`: PLACE:HASH that somebody wrote down, and that must be in it."""
    walk = audit.verify(env.DB, known=read_link(known) if known else Link())
    return {
        "place": walk.link.place,
        "hash": walk.link.hash,
        "unsealed": audit.count_unsealed(env.DB),
        "broken": asdict(walk.broken) if walk.broken else None,
    }


def read_link(text: str) -> Link:
    place, _, known_hash = text.partition(":")
    if not (place.isdecimal() and HASH.fullmatch(known_hash)):
        raise CommandRefused("It is written PLACE:HASH, as `audit verify` says it and the log does: 7:0f3c…")
    return Link(int(place), known_hash)
