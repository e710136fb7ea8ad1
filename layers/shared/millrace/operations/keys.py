"""API keys: made here, shown once, kept as a hash."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from millrace.domain.callers import SCOPES
from millrace.domain.keys import Mode, hash_token, make_key
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.operations.tenants import check_tenant, check_tier
from millrace.store import keys


def issue(
    env: Env,
    *,
    tenant_id: str,
    user_id: str,
    name: str,
    scopes: Sequence[str],
    tier: str,
    mode: Mode,
    days: int | None,
) -> dict[str, Any]:
    """A new key. `key` is the only time that anybody sees it; `days` None: it never expires."""
    check_tier(tier)
    check_tenant(env, tenant_id)
    check_scopes(scopes)
    if mode not in ("live", "test"):
        raise CommandRefused("A key is either live or test.")
    if days is not None and days < 1:
        raise CommandRefused("A key lives for a day at least.")
    now = env.now()
    expires_at = now + timedelta(days=days) if days is not None else None
    key = make_key(env.new_id("key"), secret=env.new_secret(), mode=mode)
    row = keys.NewKey(
        id=key.id,
        key_hash=hash_token(key.token, pepper=env.PEPPER),
        key_prefix=key.shown,
        user_id=user_id,
        tenant_id=tenant_id,
        name=name,
        scopes=scopes,
        tier=tier,
        expires_at=expires_at,
    )
    if not keys.create(env.DB, row, now=now):
        raise CommandRefused("The key could not be kept, so it is worth nothing. Issue another.")
    expiry = expires_at.isoformat() if expires_at else None
    return {
        "key_id": key.id,
        "tenant_id": tenant_id,
        "scopes": list(scopes),
        "expires_at": expiry,
        "key": key.token,
    }


def check_scopes(scopes: Sequence[str]) -> None:
    """A scope that nothing asks for would be a mistake that nobody notices."""
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise CommandRefused(f"There is no scope {', '.join(unknown)}. There are {', '.join(SCOPES)}.")
