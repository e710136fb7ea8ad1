"""Takes the files of deleted documents out of the bucket."""

from collections.abc import Sequence
from contextlib import suppress

from millrace.env import Env
from millrace.errors import ObjectKeyInvalid
from millrace.store import erasure
from millrace.store.erasure import Erasable


def erase(files: Sequence[Erasable], *, env: Env, tenant_id: str | None = None) -> int:
    """How many are gone for good; what may be uploaded again is to be erased again. BucketError.

    `tenant_id` is for a function that works for one tenant.
    """
    if not files:
        return 0
    take_away([file.storage_key for file in files], env=env)
    db = env.DB.for_tenant(tenant_id) if tenant_id else env.DB
    return erasure.mark_erased(db, files, now=env.now())


def take_away(keys: Sequence[str], *, env: Env) -> None:
    try:
        env.BUCKET.delete(keys)
    except ObjectKeyInvalid:
        # No bucket has anything under such a key, which must not keep the others from being erased.
        for key in keys:
            with suppress(ObjectKeyInvalid):
                env.BUCKET.delete(key)
