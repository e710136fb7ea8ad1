"""What is remembered of an authorizer, and for how long."""

from local.authorizer import Verdict, VerdictCache
from local.template import Authorizer
from tests.unit.local.conftest import Stopwatch

YES = Verdict(True, {"who": "me"})


def cache_of(clock: Stopwatch, *, ttl_seconds: float) -> VerdictCache:
    return VerdictCache(Authorizer("Keys", "Guard", ("authorization",), ttl_seconds), clock=clock)


def test_a_verdict_is_forgotten_after_its_time():
    clock = Stopwatch()
    cache = cache_of(clock, ttl_seconds=60)
    cache.remember(("key",), YES)

    clock.seconds = 59
    assert cache.recall(("key",)) == YES

    clock.seconds = 60
    assert cache.recall(("key",)) is None


def test_verdicts_of_different_identities_are_kept_apart():
    cache = cache_of(Stopwatch(), ttl_seconds=60)
    cache.remember(("key",), YES)

    assert cache.recall(("other",)) is None


def test_nothing_is_remembered_without_a_time_or_without_an_identity():
    never, always = cache_of(Stopwatch(), ttl_seconds=0), cache_of(Stopwatch(), ttl_seconds=60)
    never.remember(("key",), YES)
    always.remember((), YES)

    assert never.recall(("key",)) is None
    assert always.recall(()) is None
