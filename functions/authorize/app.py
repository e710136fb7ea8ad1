"""API Gateway's authorizer: a key becomes a caller."""

from hmac import compare_digest

from millrace import entry
from millrace.domain.callers import Caller
from millrace.domain.keys import PREFIX, Key, hash_token, read_key
from millrace.env import Env
from millrace.store import holders

# As long as any other, since what differs in length is told apart at once.
HASH_OF_NONE = 64 * "0"


def find_caller(token: str, env: Env) -> Caller | None:
    """Whom the key speaks for. A mistyped key of ours is refused without a look into the database."""
    if token.startswith(PREFIX):
        key = read_key(token)
        return find_holder(key, env) if key else None
    if env.PEPPER is not None:
        return None
    # On a laptop there may be keys of other forms, such as the demo's.
    return holders.find_caller(env.DB, key_hash=hash_token(token, pepper=None), now=env.now())


def find_holder(key: Key, env: Env) -> Caller | None:
    """The same work for a key that is unknown, revoked or expired, so that its time tells nothing."""
    key_hash = hash_token(key.token, pepper=env.PEPPER)
    holder = holders.find_holder(env.DB, key.id, key_hash=key_hash, now=env.now())
    known = compare_digest(holder.key_hash if holder else HASH_OF_NONE, key_hash)
    return holder.caller if holder and known else None


handler = entry.worker(authorize=find_caller)
