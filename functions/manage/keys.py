"""GET, POST, DELETE: a tenant's API keys."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from millrace import entry
from millrace.domain.issuing import (
    IssuedKeyAnswer,
    IssueKey,
    KeyAnswer,
    KeyList,
    KeyView,
    RotatedKeyAnswer,
    RotateKey,
    check_rights,
)
from millrace.domain.keys import Key, make_key, mode_of
from millrace.domain.pages import USUAL, Page
from millrace.domain.parameters import Cursor, Limit
from millrace.entry import Request
from millrace.env import Env
from millrace.errors import KeyEnded, KeyNotFound, KeyShownAlready, RightsExceeded
from millrace.store import keys
from millrace.store.keys import NewKey

BY_PERSON = ("X-User-Id",)

routes = entry.Routes()


@routes.post(
    "/api/keys",
    status=201,
    scope="keys:admin",
    headers=BY_PERSON,
    once=True,
    refuses=(RightsExceeded, KeyEnded, KeyShownAlready),
)
def issue_key(request: Request, env: Env, wanted: IssueKey) -> IssuedKeyAnswer:
    """Issue a key. It is shown in this answer and never again.

    So a repeat with the same `Idempotency-Key` has not the same answer: `KeyShownAlready` names the key that
    the first one made.
    """
    caller, now, tier = request.caller, env.now(), wanted.tier or request.caller.tier
    expires_at = wanted.ending(now)
    check_rights(caller, scopes=wanted.scopes, tier=tier)
    made = make_key(env.new_id("key"), secret=env.new_secret(), mode="test" if wanted.test else "live")
    new = NewKey.of(
        made,
        pepper=env.PEPPER,
        user_id=wanted.user_id or caller.user_id,
        tenant_id=caller.tenant_id,
        name=wanted.name,
        scopes=list(dict.fromkeys(wanted.scopes)),
        tier=tier,
        expires_at=expires_at,
    )
    db = env.DB.for_tenant(caller.tenant_id)
    keys.issue(
        db,
        new,
        issuer_id=caller.key_id,
        by=request.author(env.new_id),
        now=now,
        once=request.idempotency_key,
    )
    entry.log("key_issued", issued_key_id=new.id)
    return IssuedKeyAnswer.model_validate({"data": show(new, made=made, now=now)})


@routes.get("/api/keys", scope="keys:admin")
def list_keys(request: Request, env: Env, limit: Limit = USUAL, cursor: Cursor = None) -> KeyList:
    """List the keys there are, and those that there were."""
    page, tenant_id = Page.of("keys", limit=limit, cursor=cursor), request.caller.tenant_id
    rows = keys.list_newest(env.DB.for_tenant(tenant_id), tenant_id=tenant_id, page=page)
    shown, next_cursor = page.cut(rows, at="created_at")
    return KeyList(data=[KeyView.of(row) for row in shown], next_cursor=next_cursor)


@routes.delete("/api/keys/<key_id>", scope="keys:admin", headers=BY_PERSON, refuses=(KeyNotFound,))
def revoke_key(request: Request, env: Env, key_id: str) -> KeyAnswer:
    """Revoke a key for good. A repeat changes nothing.

    Whoever used it within the last minute may be let in until that minute is over: for so long the gateway
    remembers whom it has let in. (An installation may be set to remember for longer, or not at all.)
    """
    tenant_id = request.caller.tenant_id
    db, by = env.DB.for_tenant(tenant_id), request.author(env.new_id)
    row = keys.revoke(db, key_id, tenant_id=tenant_id, by=by, now=env.now())
    entry.log("key_revoked", revoked_key_id=key_id)
    return KeyAnswer(data=KeyView.of(row))


@routes.post(
    "/api/keys/<key_id>/rotate",
    status=201,
    scope="keys:admin",
    headers=BY_PERSON,
    once=True,
    refuses=(KeyNotFound, RightsExceeded, KeyEnded, KeyShownAlready),
)
def rotate_key(request: Request, env: Env, key_id: str, wanted: RotateKey) -> RotatedKeyAnswer:
    """Replace a key by a new one with the same rights, and let the old one live on for a while.

    The new key is shown in this answer and never again, as when one is issued. Whoever used the old one just
    before its end may be let in for a minute yet, as when a key is revoked.
    """
    caller, now = request.caller, env.now()
    db = env.DB.for_tenant(caller.tenant_id)
    # What is read here never changes; whether the key is still good is decided where it is replaced.
    old = keys.read(db, key_id, tenant_id=caller.tenant_id)
    check_rights(caller, scopes=old["scopes"], tier=old["quota_tier"])
    made = make_key(env.new_id("key"), secret=env.new_secret(), mode=mode_of(old["key_prefix"]))
    expires_at = wanted.ending(now) or old["expires_at"]
    new = NewKey.of(made, pepper=env.PEPPER, expires_at=expires_at, **keys.rights_of(old))
    ends_at = keys.replace(
        db,
        key_id,
        new,
        until=now + wanted.grace,
        issuer_id=caller.key_id,
        by=request.author(env.new_id),
        now=now,
        once=request.idempotency_key,
    )
    entry.log("key_rotated", rotated_key_id=key_id, issued_key_id=new.id)
    replaced = {"key_id": key_id, "expires_at": ends_at}
    return RotatedKeyAnswer.model_validate({"data": {**show(new, made=made, now=now), "replaced": replaced}})


def show(new: NewKey, *, made: Key, now: datetime) -> Mapping[str, Any]:
    """What the holder is told of a key that was made just now."""
    named = ("name", "user_id", "scopes", "tier", "expires_at")
    told = {name: getattr(new, name) for name in named}
    return {**told, "key_id": new.id, "prefix": new.key_prefix, "key": made.token, "created_at": now}
