"""API keys: made here, shown once, kept as a hash; listed, rotated, revoked."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from millrace.bindings.database import Row
from millrace.domain.audit import Author
from millrace.domain.callers import SCOPES
from millrace.domain.keys import MOST_DAYS, MOST_GRACE_HOURS, Mode, make_key, mode_of
from millrace.env import Env
from millrace.errors import CommandRefused
from millrace.operations import lists
from millrace.operations.jobs import to_facts
from millrace.operations.tenants import check_id, check_name, check_tenant, check_tier
from millrace.store import keys
from millrace.store.keys import NewKey


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
    check_id(user_id, name="user_id")
    check_name(name)
    if mode not in ("live", "test"):
        raise CommandRefused("A key is either live or test.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise CommandRefused(f"A key lives for 1 to {MOST_DAYS} days.")
    now = env.now()
    expires_at = now + timedelta(days=days) if days is not None else None
    made = make_key(env.new_id("key"), secret=env.new_secret(), mode=mode)
    new = NewKey.of(
        made,
        pepper=env.PEPPER,
        user_id=user_id,
        tenant_id=tenant_id,
        name=name,
        scopes=list(dict.fromkeys(scopes)),
        tier=tier,
        expires_at=expires_at,
    )
    keys.issue(env.DB, new, by=Author.operator(env.new_id), now=now)
    return show(new, token=made.token)


def list_newest(env: Env, *, tenant_id: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """A tenant's keys or everybody's, also those that have ended."""
    if tenant_id is not None:
        check_tenant(env, tenant_id)
    page = lists.ask_for("keys", tenant_id, limit=limit, cursor=cursor)
    return lists.show("keys", keys.list_newest(env.DB, tenant_id=tenant_id, page=page), page=page)


def revoke(env: Env, *, key_id: str) -> dict[str, Any]:
    """For good. A key that was revoked before stays revoked as of then."""
    tenant_id, by = find(env, key_id)["tenant_id"], Author.operator(env.new_id)
    row = keys.revoke(env.DB, key_id, tenant_id=tenant_id, by=by, now=env.now())
    told = to_facts(row)
    return {"key_id": key_id, "tenant_id": told["tenant_id"], "revoked_at": told["revoked_at"]}


def rotate(env: Env, *, key_id: str, grace_hours: int) -> dict[str, Any]:
    """A new key with the same rights and the same end, and an end for the old one."""
    if not 0 <= grace_hours <= MOST_GRACE_HOURS:
        raise CommandRefused(f"A rotated key lives on for 0 to {MOST_GRACE_HOURS} hours.")
    old, now = find(env, key_id), env.now()
    made = make_key(env.new_id("key"), secret=env.new_secret(), mode=mode_of(old["key_prefix"]))
    new = NewKey.of(made, pepper=env.PEPPER, expires_at=old["expires_at"], **keys.rights_of(old))
    until, by = now + timedelta(hours=grace_hours), Author.operator(env.new_id)
    ends_at = keys.replace(env.DB, key_id, new, until=until, by=by, now=now)
    return {"replaced": key_id, "replaced_ends_at": ends_at.isoformat(), **show(new, token=made.token)}


def show(new: NewKey, *, token: str) -> dict[str, Any]:
    return {
        "key_id": new.id,
        "tenant_id": new.tenant_id,
        "scopes": list(new.scopes),
        "expires_at": new.expires_at.isoformat() if new.expires_at else None,
        "key": token,
    }


def find(env: Env, key_id: str) -> Row:
    row = keys.find(env.DB, key_id)
    if row is None:
        raise CommandRefused(f"There is no key {key_id}. A key's id begins with key_: millrace keys list")
    return row


def check_scopes(scopes: Sequence[str]) -> None:
    """A scope that nothing asks for would be a mistake that nobody notices."""
    if not scopes:
        raise CommandRefused("A key without a scope may do nothing.")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise CommandRefused(f"There is no scope {', '.join(unknown)}. There are {', '.join(SCOPES)}.")
