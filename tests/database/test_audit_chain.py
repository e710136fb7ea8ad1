"""The audit log is sealed into a chain, and whatever is done to a sealed entry is found."""

from datetime import timedelta
from threading import Barrier

import pytest

from millrace.bindings.database import Database
from millrace.domain.audit import Link, hash_of
from millrace.errors import AuditChainBroken, ConstraintBroken, StatementInvalid
from millrace.store import audit
from tests.database.auditing import entries, verify, write
from tests.database.test_races import in_parallel
from tests.databases import FreshDatabase, on_postgres, on_sqlite
from tests.factories import NOW, add_house, count_rows
from tests.valid_rows import add_row

LATER = NOW + timedelta(minutes=1)
TRIGGERS = {
    "audit_entry_is_not_changed": "audit_log",
    "audit_entry_is_not_deleted": "audit_log",
    "audit_seal_is_not_changed": "audit_seals",
}
# On SQLite alone.
MORE_TRIGGERS = ("audit_seal_is_not_deleted", "audit_entry_is_not_replaced", "audit_seal_is_not_replaced")


@pytest.fixture
def log(db: Database) -> Database:
    """Ten sealed entries: five, and a minute later five more."""
    add_house(db)
    for first in (1, 6):
        write(db, count=5, first=first)
        assert audit.seal(db, now=NOW)
    return db


@pytest.fixture
def owner(database: FreshDatabase, log: Database) -> Database:
    """Somebody who may do anything, and has taken the triggers away."""
    opened = database.open(role=None)
    for trigger, table in TRIGGERS.items():
        on_table = f"ON {table}" if opened.dialect == "postgres" else ""
        opened.prepare(f"DROP TRIGGER {trigger} {on_table}").run()
    if opened.dialect == "sqlite":
        for trigger in MORE_TRIGGERS:
            opened.prepare(f"DROP TRIGGER {trigger}").run()
    return opened


def tamper(owner: Database, *statements: str) -> None:
    for sql in statements:
        assert owner.prepare(sql).run().meta.changes


def seal_anew(owner: Database) -> None:
    """What who can write everything would do: the whole chain once more, over what now is there."""
    link = Link()
    for place, entry in enumerate(entries(owner), start=1):
        link = Link(place, hash_of(entry, place=place, previous=link.hash))
        owner.prepare("UPDATE audit_log SET place = ?2, hash = ?3 WHERE id = ?1").bind(
            entry["id"], place, link.hash
        ).run()


def test_the_schedule_s_sealing_makes_one_chain_of_all_entries(log):
    walk = verify(log)

    assert (walk.broken, walk.link.place) == (None, 10)
    assert [row["place"] for row in entries(log)] == list(range(1, 11))
    assert log.prepare("SELECT place FROM audit_seals ORDER BY place").raw() == [(5,), (10,)]


def test_with_nothing_to_seal_nothing_is_written(log):
    assert audit.seal(log, now=LATER) is None
    assert count_rows(log, "audit_seals") == 2


def test_no_more_than_so_many_are_sealed_at_once_and_the_rest_the_next_time(log):
    write(log, count=5, first=11)

    ends = [audit.seal(log, now=LATER, most=2) for _ in range(4)]

    assert [end and end.place for end in ends] == [12, 14, 15, None]
    assert verify(log).link == ends[2]


def test_however_many_seal_at_once_each_entry_is_sealed_once(log):
    for first in range(11, 111, 10):
        write(log, count=10, first=first)
        barrier = Barrier(4)

        def seal(most, barrier=barrier):
            barrier.wait()
            return audit.seal(log, now=LATER, most=most)

        in_parallel(seal, (3, 7, 10, 10))

    while audit.seal(log, now=LATER):
        pass
    walk = verify(log)
    assert (walk.broken, walk.link.place) == (None, 110)


def test_while_others_write_the_chain_grows_without_a_gap(log):
    def take_part(number):
        if number % 2:
            write(log, count=5, first=100 * number)
        else:
            for _ in range(5):
                audit.seal(log, now=LATER, most=4)

    in_parallel(take_part, range(8))

    while audit.seal(log, now=LATER):
        pass
    walk = verify(log)
    assert (walk.broken, walk.link.place) == (None, count_rows(log, "audit_log"))


TAMPERING = {
    "a changed entry": (["UPDATE audit_log SET person = 'somebody else' WHERE place = 4"], 4),
    "a changed fact": (["UPDATE audit_log SET after = '{}' WHERE place = 1"], 1),
    "a changed hash": (["UPDATE audit_log SET hash = 'ab' WHERE place = 6"], 6),
    "a deleted entry": (["DELETE FROM audit_log WHERE place = 7"], 7),
    "the first one deleted": (["DELETE FROM audit_log WHERE place = 1"], 1),
    "the last ones deleted": (["DELETE FROM audit_log WHERE place > 8"], 9),
    "all deleted": (["DELETE FROM audit_log"], 1),
    "a deleted entry, and those after it moved up": (
        ["DELETE FROM audit_log WHERE place = 10", "UPDATE audit_log SET place = 10 WHERE place = 9"],
        9,
    ),
    "an entry made unsealed": (["UPDATE audit_log SET place = NULL, hash = NULL WHERE place = 10"], 10),
    "two entries that changed places": (
        [
            "UPDATE audit_log SET place = 99 WHERE place = 3",
            "UPDATE audit_log SET place = 3 WHERE place = 8",
            "UPDATE audit_log SET place = 8 WHERE place = 99",
        ],
        3,
    ),
    "a changed seal": (["UPDATE audit_seals SET hash = 'ab' WHERE place = 5"], 5),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_found_at_the_first_place_where_it_shows(owner, log, name):
    statements, place = TAMPERING[name]

    tamper(owner, *statements)

    found = verify(log)
    assert found.broken is not None
    assert (found.broken.place, found.link.place) == (place, place - 1)
    standing = log.prepare("SELECT id FROM audit_log WHERE place = ?1").bind(place).first("id")
    assert found.broken.id == standing


@pytest.mark.parametrize("with_hash", [False, True], ids=["with another hash", "with the hash it would have"])
def test_an_entry_put_in_between_is_found(owner, log, with_hash):
    before, entry = entries(log)[2], dict(entries(log)[3]) | {"id": "put_in", "person": "somebody else"}
    tamper(owner, "UPDATE audit_log SET place = place + 1000 WHERE place >= 4")
    tamper(owner, "UPDATE audit_log SET place = place - 999 WHERE place >= 1000")
    entry |= {"hash": hash_of(entry, place=4, previous=before["hash"])} if with_hash else {}

    add_row(owner, "audit_log", **entry)

    broken = verify(log).broken
    assert broken is not None
    assert (broken.place, broken.id == "put_in") == ((5, False) if with_hash else (4, True))


def test_a_chain_made_anew_is_given_away_by_what_was_sealed_before(owner, log):
    tamper(owner, "DELETE FROM audit_log WHERE place = 2")
    seal_anew(owner)

    broken = verify(log).broken

    assert broken is not None
    assert broken.place == 5


def test_a_chain_and_its_seals_made_anew_are_given_away_by_what_is_known_elsewhere(owner, log):
    known = verify(log).link
    tamper(owner, "UPDATE audit_log SET person = 'somebody else' WHERE place = 2", "DELETE FROM audit_seals")
    seal_anew(owner)

    assert verify(log).broken is None
    found = verify(log, known=known).broken
    assert found is not None
    assert found.place == 10


@pytest.mark.parametrize("sql", ["DELETE FROM audit_log WHERE place > 8", "DELETE FROM audit_log"])
def test_a_shortened_chain_is_not_sealed_on(owner, log, sql):
    tamper(owner, sql)
    write(log, count=1, first=11)

    with pytest.raises(AuditChainBroken):
        audit.seal(log, now=LATER)

    assert count_rows(log, "audit_seals") == 2


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_log SET person = 'somebody else' WHERE place = 4",
        "UPDATE audit_log SET hash = 'ab' WHERE place = 4",
        "UPDATE audit_log SET place = NULL, hash = NULL WHERE place = 4",
        "UPDATE audit_log SET after = '{}' WHERE place IS NULL",
        "UPDATE audit_log SET after = '{}', place = 11, hash = 'ab' WHERE place IS NULL",
        "DELETE FROM audit_log WHERE place = 4",
        "DELETE FROM audit_log WHERE place IS NULL",
        "UPDATE audit_seals SET hash = 'ab'",
        "DELETE FROM audit_seals",
    ],
)
def test_what_is_written_stays_as_it_is_for_the_owner_too(database, log, sql):
    write(log, count=1, first=11)

    with pytest.raises(ConstraintBroken) as refused:
        database.open(role=None).prepare(sql).run()
    assert refused.value.constraint == "audit_log_stays"


REST = "tenant_id, created_at, action, subject, 'somebody else', key_id, source, before, after"
NAMES = "id, tenant_id, created_at, action, subject, person, key_id, source, before, after"


@on_sqlite
@pytest.mark.parametrize(
    "sql",
    [
        f"REPLACE INTO audit_log ({NAMES}) SELECT id, {REST} FROM audit_log WHERE place IS NULL",
        f"REPLACE INTO audit_log ({NAMES}, place, hash) SELECT id, {REST}, place, hash FROM audit_log"
        " WHERE place = 2",
        f"REPLACE INTO audit_log ({NAMES}, place, hash) SELECT 'new', {REST}, place, hash FROM audit_log"
        " WHERE place = 2",
        f"REPLACE INTO audit_log (rowid, {NAMES}) SELECT rowid, 'new', {REST} FROM audit_log"
        " WHERE place IS NULL",
        "UPDATE OR REPLACE audit_log SET place = 2, hash = 'ab' WHERE place IS NULL",
        "UPDATE OR REPLACE audit_log SET place = 11, hash = 'ab', rowid = 2 WHERE place IS NULL",
        "REPLACE INTO audit_seals SELECT place, 'ab', created_at FROM audit_seals",
        "REPLACE INTO audit_seals (rowid, place, hash, created_at)"
        " SELECT rowid, place + 1, hash, created_at FROM audit_seals",
    ],
)
def test_nothing_takes_the_place_of_what_is_written(database, log, sql):
    write(log, count=1, first=11)
    before = [entries(log), log.prepare("SELECT * FROM audit_seals").raw()]

    with pytest.raises(ConstraintBroken) as refused:
        database.open(role=None).prepare(sql).run()

    assert refused.value.constraint == "audit_log_stays"
    assert [entries(log), log.prepare("SELECT * FROM audit_seals").raw()] == before


@on_postgres
def test_the_log_cannot_be_emptied_at_once(database, log):
    for table in ("audit_log", "audit_seals"):
        with pytest.raises(ConstraintBroken):
            database.open(role=None).prepare(f"TRUNCATE {table}").run()


@on_postgres
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_log SET person = 'somebody else'",
        "DELETE FROM audit_log",
        "UPDATE audit_seals SET hash = 'ab'",
        "DELETE FROM audit_seals",
        "INSERT INTO audit_log (id, place, hash) VALUES ('x', 1, 'ab')",
    ],
)
def test_the_engine_may_seal_and_no_more(log, sql):
    with pytest.raises(StatementInvalid, match="42501"):
        log.prepare(sql).run()
