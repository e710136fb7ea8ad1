"""The audit log's chain is as whole on PostgreSQL as it was on SQLite, and goes on there."""

from millrace.store import audit
from tests.database.auditing import verify, write
from tests.factories import NOW, add_house


def test_a_chain_that_is_copied_is_whole_and_is_sealed_on(move):
    source, target = move.source.open(), move.target.open()
    add_house(source)
    write(source, count=7)
    audit.seal(source, now=NOW, most=5)

    move.copy()

    assert verify(target) == verify(source)
    assert verify(target).link.place == 5
    audit.seal(target, now=NOW)
    assert (verify(target).broken, verify(target).link.place) == (None, 7)
