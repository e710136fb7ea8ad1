"""Takes out of the bucket what was deleted, and what nobody wants. What fails is found the next minute."""

from collections.abc import Sequence
from contextlib import suppress

from millrace.env import Env
from millrace.errors import ObjectKeyInvalid
from millrace.store import erasure, leftovers
from millrace.store.erasure import Erasable
from millrace.store.leftovers import Leftover


def erase(files: Sequence[Erasable], *, env: Env, tenant_id: str | None = None) -> int:
    """Of deleted documents, the files. How many are gone for good: what may come again is to be erased again.

    BucketError. `tenant_id` is for a function that works for one tenant.
    """
    if not files:
        return 0
    take_away([file.storage_key for file in files], env=env)
    db = env.DB.for_tenant(tenant_id) if tenant_id else env.DB
    return erasure.mark_erased(db, files, now=env.now())


def erase_videos(env: Env) -> int:
    """Of uploads that were given up, file and row. How many. BucketError."""
    videos = leftovers.find_videos(env.DB)
    clear(videos, env=env)
    leftovers.forget_videos(env.DB, videos)
    return len(videos)


def sweep_exports(env: Env) -> int:
    """What attempts that brought no result may have left. Of how many exports. BucketError."""
    exports = leftovers.find_unswept(env.DB, now=env.now())
    clear(exports, env=env)
    leftovers.note_swept(env.DB, exports, now=env.now())
    return sum(bool(export.keys) for export in exports)


def erase_removed(env: Env) -> int:
    """Of exports that were deleted, all files. Of how many exports. BucketError."""
    exports = leftovers.find_removed(env.DB, now=env.now())
    clear(exports, env=env)
    leftovers.note_erased(env.DB, exports, now=env.now())
    return len(exports)


def erase_export(export: Leftover, *, tenant_id: str, env: Env) -> None:
    """Of one that was deleted just now, for a function that works for one tenant. BucketError."""
    clear([export], env=env)
    leftovers.note_erased(env.DB.for_tenant(tenant_id), [export], now=env.now())


def clear(found: Sequence[Leftover], *, env: Env) -> None:
    """Most exports have nothing that would have to go, and then the bucket is not asked."""
    if keys := [key for one in found for key in one.keys]:
        take_away(keys, env=env)


def take_away(keys: Sequence[str], *, env: Env) -> None:
    try:
        env.BUCKET.delete(keys)
    except ObjectKeyInvalid:
        # No bucket has anything under such a key, which must not keep the others from being erased.
        for key in keys:
            with suppress(ObjectKeyInvalid):
                env.BUCKET.delete(key)
