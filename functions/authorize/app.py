"""API Gateway's authorizer: a key becomes a caller."""

import hashlib

from millrace import entry
from millrace.domain.callers import Caller
from millrace.env import Env
from millrace.store import keys


def find_caller(token: str, env: Env) -> Caller | None:
    """Whom the key speaks for. The database knows keys by their hashes alone."""
    key_hash = hashlib.sha256(token.encode()).hexdigest()
    return keys.find_caller(env.DB, key_hash=key_hash, now=env.now())


handler = entry.worker(authorize=find_caller)
